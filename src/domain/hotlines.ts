// Who may lawfully take pictures of people under 18. Tabir never does: whoever declares one is sent here.

export interface Hotline {
  readonly name: string
  readonly where: string
  readonly url?: string
  readonly phone?: string
}

/** By country, ISO 3166-1 alpha-2. */
const NATIONAL = {
  AU: [{ name: 'eSafety Commissioner', where: 'Australia', url: 'https://www.esafety.gov.au/report' }],
  CA: [{ name: 'Cybertip.ca', where: 'Canada', url: 'https://www.cybertip.ca' }],
  GB: [
    { name: 'IWF and Childline Report Remove', where: 'United Kingdom', url: 'https://www.childline.org.uk/remove' },
    { name: 'Childline', where: 'United Kingdom', phone: '0800 1111' },
  ],
  MY: [{ name: 'Talian Kasih', where: 'Malaysia', phone: '15999' }],
  US: [{ name: 'NCMEC CyberTipline', where: 'United States', url: 'https://report.cybertip.org', phone: '1-800-843-5678' }],
} as const satisfies Readonly<Record<string, readonly Hotline[]>>

const WORLDWIDE: readonly Hotline[] = [
  { name: 'NCMEC Take It Down', where: 'worldwide', url: 'https://takeitdown.ncmec.org' },
  { name: 'INHOPE, for the hotline of your country', where: 'worldwide', url: 'https://www.inhope.org' },
]

/** Those of the country first, then those that take reports from everywhere. Of an unknown country: all there are. */
export function hotlinesFor(country: string | undefined): readonly Hotline[] {
  const own: readonly Hotline[] | undefined = Object.entries(NATIONAL).find(([code]) => code === country)?.[1]
  return own === undefined ? [...WORLDWIDE, ...Object.values(NATIONAL).flat()] : [...own, ...WORLDWIDE]
}

/** Whoever is younger is a child, whatever the age of consent: that is how laws on pictures count. */
export const ADULT_AGE_YEARS = 18
