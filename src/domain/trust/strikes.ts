// Accounts whose reports were judged false. Enough of them, and an account takes no more reports.

import type { RegisteredImage } from '../matching/signal.js'

const DAY_MS = 86_400_000

/** So many signals invalidated within so long. A case is one person's, a bank one organisation's with many hands. */
export const STRIKE_RULES = {
  case: { strikes: 2, windowMs: 90 * DAY_MS },
  org: { strikes: 5, windowMs: 180 * DAY_MS },
} as const
/** How long an organisation may not hand in again what was judged false, from the decision on. */
export const REFUSED_FOR_MS = STRIKE_RULES.org.windowMs
export type AccountKind = keyof typeof STRIKE_RULES

/** `case:<case id>` or `org:<organisation id>`. */
export type Account = `${AccountKind}:${string}`
const ACCOUNT_PATTERN = /^(case|org):[0-9a-f-]{32,36}$/

export function isAccount(text: string): text is Account {
  return ACCOUNT_PATTERN.test(text)
}

/**
 * Who answers for an image: the organisation that handed it in, or else the case.
 * @returns `undefined` for what older versions stored, and for the deployment's own banks.
 */
export function accountOf(image: RegisteredImage, owner: string | undefined): Account | undefined {
  if (owner !== undefined) return `org:${owner}`
  return image.caseId === undefined ? undefined : `case:${image.caseId}`
}

export function ruleOf(account: Account): (typeof STRIKE_RULES)[AccountKind] {
  return account.startsWith('case:') ? STRIKE_RULES.case : STRIKE_RULES.org
}
