// Strikes: reports that were judged false. An account with enough of them can submit no more.

import type { RegisteredImage } from '../../../packages/core/src/matching/signal.js'

const DAY_MS = 86_400_000

/**
 * An account is suspended after this many invalidated signals within the window. An organisation may have more, because many people work for it. A
 * case belongs to one person.
 */
export const STRIKE_RULES = {
  case: { strikes: 2, windowMs: 90 * DAY_MS },
  org: { strikes: 5, windowMs: 180 * DAY_MS },
} as const
/** How long a resubmission block lasts after the decision, and a denied appeal if there is no block. */
export const BLOCKED_FOR_MS = STRIKE_RULES.org.windowMs
export type AccountKind = keyof typeof STRIKE_RULES

/** `case:<case id>` or `org:<organisation id>`. */
export type Account = `${AccountKind}:${string}`
const ACCOUNT_PATTERN = /^(case|org):[0-9a-f-]{32,36}$/

export function isAccount(text: string): text is Account {
  return ACCOUNT_PATTERN.test(text)
}

/**
 * The account responsible for an image: the organisation that submitted it, or else the case.
 * @returns `undefined` for images of older versions and of the deployment's own banks.
 */
export function accountOf(image: RegisteredImage, owner: string | undefined): Account | undefined {
  if (owner !== undefined) return `org:${owner}`
  return image.caseId === undefined ? undefined : `case:${image.caseId}`
}

export function ruleOf(account: Account): (typeof STRIKE_RULES)[AccountKind] {
  return account.startsWith('case:') ? STRIKE_RULES.case : STRIKE_RULES.org
}
