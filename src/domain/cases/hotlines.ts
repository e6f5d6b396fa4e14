// Which helplines are shown to whom. Tabir never accepts pictures of people under 18 and refers their submitters to hotlines that lawfully may.

import { type Audience, HELPLINES, type Helpline } from './helplines.js'

/** A hotline as the API names it to a caller who declares a person under 18. */
export interface Hotline {
  readonly name: string
  /** Region in English: `worldwide`, or the name of a country. */
  readonly where: string
  readonly url?: string
  readonly phone?: string
}

const EUROPEAN_UNION = new Set('AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '))

/** @returns the helplines of the country, then those of the EU if it is a member, then the worldwide ones; all if no country is given. */
export function helplinesFor(whom: Audience, country: string | undefined): readonly Helpline[] {
  const fitting = HELPLINES.filter((helpline) => helpline.whom.includes(whom))
  if (country === undefined) return fitting
  const of = (place: string | undefined) => fitting.filter((helpline) => helpline.country === place)
  return [...of(country), ...(EUROPEAN_UNION.has(country) ? of('EU') : []), ...of(undefined)]
}

const COUNTRY_NAMES = new Intl.DisplayNames('en', { type: 'region' })

/** @returns helplines for people under 18, as the API shows them. */
export function hotlinesFor(country: string | undefined): readonly Hotline[] {
  return helplinesFor('under18', country).map(({ name, url, phone, country: place }) => ({
    name,
    where: place === undefined ? 'worldwide' : (COUNTRY_NAMES.of(place) ?? place),
    ...(url !== undefined && { url }),
    ...(phone !== undefined && { phone }),
  }))
}

const MONTHS_OF_TRUST = 18

/** @returns helplines whose sources nobody read in the 18 months before `now`. */
export function staleHelplines(now: Date, helplines: readonly Helpline[] = HELPLINES): readonly Helpline[] {
  const oldest = new Date(now)
  oldest.setUTCMonth(oldest.getUTCMonth() - MONTHS_OF_TRUST)
  return helplines.filter(({ checked }) => new Date(checked) < oldest)
}

/** The laws on such pictures protect everybody younger, whatever the age of consent. */
export const ADULT_AGE_YEARS = 18
