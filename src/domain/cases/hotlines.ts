// Hotlines that may lawfully receive pictures of people under 18, or that help those people. Tabir never accepts such pictures and refers their
// submitters to a hotline. Names, addresses and numbers are from the organisations' own pages.

export interface Hotline {
  readonly name: string
  /** Region to show to people: `worldwide`, or the name of a country. */
  readonly where: string
  /** ISO 3166-1 alpha-2; `undefined` for worldwide. */
  readonly country: string | undefined
  readonly url?: string
  readonly phone?: string
}

const HOTLINES: readonly Hotline[] = [
  { name: 'NCMEC Take It Down', where: 'worldwide', country: undefined, url: 'https://takeitdown.ncmec.org' },
  {
    name: 'INHOPE, for the hotline of your country',
    where: 'worldwide',
    country: undefined,
    url: 'https://www.inhope.org',
  },
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
  {
    name: 'NCMEC CyberTipline',
    where: 'United States',
    country: 'US',
    url: 'https://report.cybertip.org',
    phone: '1-800-843-5678',
  },
  { name: 'eSafety Commissioner', where: 'Australia', country: 'AU', url: 'https://www.esafety.gov.au/report' },
  { name: 'Kids Helpline', where: 'Australia', country: 'AU', phone: '1800 55 1800' },
  { name: 'Cybertip.ca', where: 'Canada', country: 'CA', url: 'https://www.cybertip.ca' },
]

/** @returns the hotlines of the country, then the worldwide ones; all hotlines if no country is given. */
export function hotlinesFor(country: string | undefined): readonly Hotline[] {
  if (country === undefined) return HOTLINES
  const own = HOTLINES.filter((hotline) => hotline.country === country)
  return [...own, ...HOTLINES.filter((hotline) => hotline.country === undefined)]
}

/** The laws on such pictures protect everybody younger, whatever the age of consent. */
export const ADULT_AGE_YEARS = 18
