// Assisted cases: an organisation acts for the person in the picture, with her consent, until she takes over.

/** How she gave consent. */
export const CONSENT_KINDS = ['in-person', 'in-writing', 'by-message', 'by-telephone', 'by-legal-representative'] as const
export type ConsentKind = (typeof CONSENT_KINDS)[number]

export interface Assistance {
  /** The organisation that opened the case. */
  readonly orgId: string
  readonly consentKind: ConsentKind
  /** Day of her consent, `YYYY-MM-DD`. */
  readonly consentOn: string
  /** Whether the organisation attests what it registers. Then the images have tier `ngo-attested`. */
  readonly isAttested: boolean
  /** When she took over; `undefined` while the organisation acts for her. */
  readonly handedOverAtMs: number | undefined
  /** Whether the organisation may still read the case after she took over. */
  readonly keepsReading: boolean
}

/** @returns what the organisation may do with the case now. */
export function organisationMay({ handedOverAtMs, keepsReading }: Assistance): 'act' | 'read' | 'nothing' {
  if (handedOverAtMs === undefined) return 'act'
  return keepsReading ? 'read' : 'nothing'
}

/** Since when an organisation that handed the case over may still read it [epoch ms]; `undefined` if it may not. */
export function readsSinceMs({ handedOverAtMs, keepsReading }: Assistance): number | undefined {
  return keepsReading ? handedOverAtMs : undefined
}

/** Normalises the number of a complaint, so that spellings compare equal: upper case, without spaces, dashes, dots, slashes or underscores. */
export function plainReference(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\-_./]/gu, '')
}
