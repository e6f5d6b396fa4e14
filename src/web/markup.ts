// Parts of the page that depend on more than its messages: links, contact, the operator's facts.

import { ownValue } from '../../packages/core/src/own-value.js'
import { LANGUAGES } from '../domain/languages.js'
import type { PrivacyNotice } from './privacy-notice.js'
import { escaped } from './template.js'

export const PAGE_NAMES = ['start', 'case', 'help', 'how-it-works', 'privacy'] as const
export type PageName = (typeof PAGE_NAMES)[number]

export type Messages = Readonly<Record<string, string>>

/** An organisation that helps. `link` begins with `https://`, `mailto:` or `tel:`. */
export interface Contact {
  readonly name: string
  readonly link: string
}

/** Relative, as all addresses in the page: a proxy may serve it below a path. */
const PATHS: Readonly<Record<PageName, string>> = {
  start: './',
  case: 'case',
  help: 'help',
  'how-it-works': 'how-it-works',
  privacy: 'privacy',
}
const FOOT = {
  start: 'page.footStart',
  case: 'page.footCase',
  help: 'page.footHelp',
  'how-it-works': 'page.footHow',
  privacy: 'page.footPrivacy',
} as const satisfies Readonly<Record<PageName, string>>

export function languageLinks(page: PageName, current: string): string {
  return LANGUAGES.map(({ tag, name, direction }) => {
    const here = tag === current ? ' aria-current="true"' : ''
    return `<li><a href="${PATHS[page]}?lang=${tag}" lang="${tag}" dir="${direction}" hreflang="${tag}"${here}>${name}</a></li>`
  }).join('')
}

export function footLink(page: PageName, current: PageName, language: string, messages: Messages): string {
  const here = page === current ? ' aria-current="page"' : ''
  return `<li><a href="${PATHS[page]}?lang=${language}"${here}>${escaped(messages[FOOT[page]] ?? '')}</a></li>`
}

/** Languages of the report: it is for an office, whose language may differ from the submitter's. */
export function reportOptions(current: string): string {
  return LANGUAGES.map(({ tag, name }) => {
    const first = tag === current ? ' selected' : ''
    return `<option value="${tag}" lang="${tag}"${first}>${name}</option>`
  }).join('')
}

/** By language: making one costs more than all that is asked of it. */
const regionNames = new Map<string, Intl.DisplayNames>()

/** In the language of the page. */
export function countryName(country: string, language: string): string {
  const names = regionNames.get(language) ?? new Intl.DisplayNames(language, { type: 'region' })
  regionNames.set(language, names)
  return names.of(country) ?? country
}

function linkMarkup(link: string): string {
  const shown = link.replace(/^(https:\/\/|mailto:|tel:)/, '')
  return `<a href="${escaped(link)}" rel="noreferrer" dir="ltr">${escaped(shown)}</a>`
}

export interface PrivacyFacts {
  /** `undefined` where the operator has not stated who runs the service. */
  readonly notice: PrivacyNotice | undefined
  readonly retentionDays: number
  readonly platforms: readonly string[]
  /** Shown above each page; empty shows none. */
  readonly banner: string
}

/** A message with its values, as text. */
export function filled(message: string | undefined, values: Readonly<Record<string, string>> = {}): string {
  // In a sentence that runs from right to left each value keeps its own order, as on the page.
  const [start, end] = /\p{Script=Arabic}/u.test(message ?? '') ? ['\u2068', '\u2069'] : ['', '']
  return (message ?? '').replace(/\{(\w+)\}/g, (_, name: string) => `${start}${ownValue(values, name) ?? ''}${end}`)
}

const STEPS = 4

/** Which step of registering this is. The case page has the same forms, and no steps. */
function stepsOf(page: PageName, messages: Messages): Record<string, string> {
  const steps = Array.from({ length: STEPS }, (_, i) => i + 1)
  const say = (n: number) => (page === 'start' ? filled(messages['page.step'], { n: String(n), of: String(STEPS) }) : '')
  return Object.fromEntries(steps.map((n) => [`step${n}`, say(n)]))
}

/** What a page says of its steps and of the operator's settings. */
export function factsFor(page: PageName, facts: PrivacyFacts, language: string, messages: Messages): Record<string, string> {
  return {
    ...stepsOf(page, messages),
    unscriptedHidden: page === 'help' ? ' hidden' : '', // it needs no script
    banner: facts.banner === '' ? '' : `<p class="card warn" role="note">${escaped(facts.banner)}</p>`,
    runBy: runByOf(facts, language, messages),
    lostEnds: filled(messages['case.lost3'], { days: String(facts.retentionDays) }),
    privacyFacts: privacyMarkup(facts, language, messages),
  }
}

/** Who runs the service and which platforms take part, in one line; empty if the operator states neither. */
function runByOf({ notice, platforms }: PrivacyFacts, language: string, messages: Messages): string {
  const own = notice?.operator
  const run = own && filled(messages['start.runBy'], { name: own.name, country: countryName(own.country, language) })
  const named = platforms.length > 0 ? filled(messages['privacy.named'], { names: platforms.join(', ') }) : undefined
  return [run, named].filter((each) => each !== undefined).join(' ')
}

/** Who runs the service, and what happens to what is registered: shown before a person agrees, and at `/privacy`. */
function privacyMarkup(facts: PrivacyFacts, language: string, messages: Messages): string {
  const { notice, retentionDays, platforms } = facts
  const say = (key: string, values?: Readonly<Record<string, string>>) => escaped(filled(ownValue(messages, key), values))
  const row = (term: string, ...sentences: string[]) =>
    `<div><dt>${say(`privacy.${term}`)}</dt><dd>${sentences.filter((each) => each !== '').join(' ')}</dd></div>`
  const named = platforms.length === 0 ? '' : say('privacy.named', { names: platforms.join(', ') })
  const complaint = notice === undefined ? '' : say('privacy.complain', { authority: notice.operator.authority })
  return `<dl class="told card">${[
    notice === undefined
      ? row('runs', say('privacy.unknown'))
      : row(
          'runs',
          `${escaped(notice.operator.name)}, ${escaped(countryName(notice.operator.country, language))},`,
          linkMarkup(notice.operator.link),
        ),
    row('why', say('privacy.purpose')),
    row('kept', say('privacy.keeps')),
    row('long', say('privacy.lasts', { days: String(retentionDays) })),
    row('receives', say('privacy.receivers'), named),
    row('rights', say('privacy.may'), complaint),
    notice === undefined ? '' : row('version', escaped(notice.version)),
  ].join('')}</dl>`
}

export function contactMarkup(contact: Contact | undefined, messages: Messages): string {
  if (contact === undefined) return ''
  return `<section class="contact"><h2>${escaped(messages['contact.title'] ?? '')}</h2><p>${escaped(messages['contact.lead'] ?? '')} <strong>${escaped(contact.name)}</strong>, ${linkMarkup(contact.link)}</p></section>`
}
