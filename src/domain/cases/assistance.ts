// When an organisation acts for the person in the picture: with her consent, and until she takes over herself.

/** How she said yes. */
export const CONSENT_KINDS = ['in-person', 'in-writing', 'by-message', 'by-telephone', 'by-legal-representative'] as const
export type ConsentKind = (typeof CONSENT_KINDS)[number]

export interface Assistance {
  /** The organisation that opened the case. */
  readonly orgId: string
  readonly consentKind: ConsentKind
  /** The day of her consent, `YYYY-MM-DD`. */
  readonly consentOn: string
  /** Does the organisation stand in for what it registers? Then its images are `ngo-attested`. */
  readonly isAttested: boolean
  /** When she took over; `undefined` while the organisation acts for her. */
  readonly handedOverAtMs: number | undefined
  /** May the organisation go on reading afterwards? */
  readonly keepsReading: boolean
}

/** What the organisation may still do with the case: everything, only look, or nothing. */
export function organisationMay({ handedOverAtMs, keepsReading }: Assistance): 'act' | 'read' | 'nothing' {
  if (handedOverAtMs === undefined) return 'act'
  return keepsReading ? 'read' : 'nothing'
}

/** The number of a complaint as one writes it or another: no spaces or dashes, capitals. */
export function plainReference(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\-_./]/gu, '')
}
