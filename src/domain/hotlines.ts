// Who may lawfully help with pictures of people under 18, by country. Numbers were taken from the organisations' own pages.

export interface Hotline {
  readonly name: string
  /** In words, for people: `worldwide` or the name of a country. */
  readonly where: string
  /** ISO 3166-1 alpha-2; `undefined` for everywhere. */
  readonly country: string | undefined
  readonly url?: string
  readonly phone?: string
}

export const HOTLINES: readonly Hotline[] = [
  { name: 'NCMEC Take It Down', where: 'worldwide', country: undefined, url: 'https://takeitdown.ncmec.org' },
  {
    name: 'IWF and Childline Report Remove',
    where: 'United Kingdom',
    country: 'GB',
    url: 'https://www.childline.org.uk/remove',
  },
  { name: 'Childline', where: 'United Kingdom', country: 'GB', phone: '0800 1111' },
  { name: 'Talian Kasih', where: 'Malaysia', country: 'MY', phone: '15999' },
  { name: 'Polis Diraja Malaysia', where: 'Malaysia', country: 'MY', phone: '999' },
  { name: 'Childline 1098', where: 'India', country: 'IN', phone: '1098' },
  { name: 'National Cyber Crime Helpline', where: 'India', country: 'IN', phone: '1930' },
  { name: 'NCMEC', where: 'United States', country: 'US', phone: '1-800-843-5678' },
  { name: 'eSafety Commissioner', where: 'Australia', country: 'AU', url: 'https://www.esafety.gov.au/report' },
  { name: 'Kids Helpline', where: 'Australia', country: 'AU', phone: '1800 55 1800' },
]

/** Those of the country first, then those for everywhere. Never empty. */
export function hotlinesFor(country: string): readonly Hotline[] {
  return [
    ...HOTLINES.filter((hotline) => hotline.country === country),
    ...HOTLINES.filter((hotline) => hotline.country === undefined),
  ]
}
