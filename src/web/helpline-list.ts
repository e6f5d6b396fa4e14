// Helplines as the page shows them: those for people under 18 on the first page, all on a page of their own that needs no script.

import { ownValue } from '../../packages/core/src/own-value.js'
import { type Audience, GAPS, HELPLINES, type Helpline, type Hours } from '../domain/cases/helplines.js'
import { helplinesFor } from '../domain/cases/hotlines.js'
import { countryName, filled, type Messages } from './markup.js'
import { escaped } from './template.js'

/** In no country: its helplines are the worldwide ones. */
const NOWHERE = ''

/** @returns hotlines for people under 18 of the operator's country, and the worldwide ones. */
export function hotlineList(country: string | undefined, language: string, messages: Messages): string {
  return itemsOf(helplinesFor('under18', country ?? NOWHERE), language, messages)
}

/** Values for the page `help`: the operator's country first, then each country, opened by its name. */
export function helpMarkup(country: string | undefined, language: string, messages: Messages): Record<string, string> {
  const listed = (whom: Audience, place = NOWHERE) =>
    `<ul class="hotlines">${itemsOf(helplinesFor(whom, place), language, messages)}</ul>`
  return {
    helpAdults: listed('adult', country),
    helpUnder18: listed('under18', country),
    helpCountries: countries(language)
      .filter(({ code }) => code !== country)
      .map(({ code, name }) => countryMarkup(code, name, language, messages))
      .join(''),
  }
}

function countries(language: string) {
  const codes = new Set([...HELPLINES.map((helpline) => helpline.country), ...GAPS.adult, ...GAPS.under18])
  const compare = new Intl.Collator(language).compare
  return [...codes]
    .flatMap((code) => (code === undefined || code === 'EU' ? [] : [code]))
    .map((code) => ({ code, name: countryName(code, language) }))
    .sort((a, b) => compare(a.name, b.name))
}

/** Without the worldwide helplines, which stand above. */
function countryMarkup(code: string, name: string, language: string, messages: Messages): string {
  const part = (whom: Audience, title: string) => {
    const own = helplinesFor(whom, code).filter((helpline) => helpline.country !== undefined)
    const list =
      own.length > 0
        ? `<ul class="hotlines">${itemsOf(own, language, messages)}</ul>`
        : `<p>${escaped(messages['help.none'] ?? '')}</p>`
    return `<h3>${escaped(ownValue(messages, title) ?? '')}</h3>${list}`
  }
  return `<details><summary>${escaped(name)}</summary>${part('adult', 'help.adults')}${part('under18', 'help.under18')}</details>`
}

function itemsOf(helplines: readonly Helpline[], language: string, messages: Messages): string {
  return helplines.map((helpline) => itemMarkup(helpline, language, messages)).join('')
}

/** Shows the country of each helpline: several have names that are used in many countries. */
function itemMarkup(helpline: Helpline, language: string, messages: Messages): string {
  const { name, url, phone, country, about, free, hours, languages } = helpline
  const place = country === undefined ? messages['hotlines.where.worldwide'] : countryName(country, language)
  const call = phone && `<a href="tel:${phone.replaceAll(/[^\d+]/g, '')}" dir="ltr">${escaped(phone)}</a>`
  const open = url && `<a href="${escaped(url)}" rel="noreferrer" dir="ltr">${escaped(url.replace('https://', ''))}</a>`
  const known = [
    about && messages[`help.${about}`],
    free && messages['help.free'],
    hours && hoursText(hours, messages),
    languages && filled(messages['help.languages'], { names: languageNames(languages, language) }),
  ].filter((each) => each !== undefined)
  const details = known.length === 0 ? '' : `<br><span class="hint">${escaped(known.join(' · '))}</span>`
  return `<li><strong dir="auto">${escaped(name)}</strong> (${escaped(place ?? '')})<br>${[call, open].filter(Boolean).join('<br>')}${details}</li>`
}

function hoursText(hours: Hours, messages: Messages): string {
  if (hours === 'always') return messages['help.always'] ?? ''
  return filled(messages[hours.days === 'daily' ? 'help.daily' : 'help.weekdays'], { from: hours.from, to: hours.to })
}

function languageNames(tags: readonly string[], language: string): string {
  const names = new Intl.DisplayNames(language, { type: 'language' })
  return tags.map((tag) => names.of(tag) ?? tag).join(', ')
}
