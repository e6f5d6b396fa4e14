// Who runs the service and what a person who opens a case agrees to. The words are the page's (`/privacy`); what differs between services is here.

import { createHash } from 'node:crypto'

/** Counted up when the words change so much that an earlier agreement does not cover them. */
const EDITION = 1

export interface Operator {
  readonly name: string
  /** Begins with `https://`, `mailto:` or `tel:`. */
  readonly link: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  /** The authority to which a person can complain about the operator. */
  readonly authority: string
}

export interface PrivacyNotice {
  /** `EDITION-xxxxxxxx`; changes with every fact below. Kept with each case. */
  readonly version: string
  readonly operator: Operator
  readonly retentionDays: number
  /** Platforms that take part, as the operator lists them. */
  readonly platforms: readonly string[]
}

export const NOTICE_VERSION = /^\d{1,4}-[0-9a-f]{8}$/

export function privacyNotice(facts: Omit<PrivacyNotice, 'version'>): PrivacyNotice {
  const { operator, retentionDays, platforms } = facts
  const { name, link, country, authority } = operator
  const text = JSON.stringify([name, link, country, authority, retentionDays, ...platforms])
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 8)
  return { version: `${EDITION}-${digest}`, ...facts }
}
