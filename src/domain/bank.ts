// A bank: a named set of signals of one organisation under one policy.

import { aloneBits, type ComparedViews, matchBits, widestMatchBits } from './evidence.js'
import type { View } from './signal.js'
import type { SignalType } from './signal-types.js'

/** Letters, digits, `_` and `-`, starting with a letter or digit: fits a URL segment and the names other systems use. */
export const BANK_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/

/** The bank of images that people register themselves. It exists in every deployment and belongs to no organisation. */
export const CASES_BANK_NAME = 'cases'

export interface Bank {
  readonly name: string
  /** Organisation that may write to it; `undefined` for the deployment's own. */
  readonly orgId: string | undefined
  /** Match radius in bits, inclusive, where it differs from the type's own. */
  readonly thresholdBits: Partial<Readonly<Record<SignalType, number>>>
  readonly createdAtMs: number
}

export const CASES_BANK: Bank = { name: CASES_BANK_NAME, orgId: undefined, thresholdBits: {}, createdAtMs: 0 }

/** How near a signal of the bank has to be: what the bank says, or else what the evidence says about these views. */
export function thresholdOf(bank: Bank, type: SignalType, views: ComparedViews): number {
  return bank.thresholdBits[type] ?? matchBits(type, views)
}

/** The widest of these for a view that is asked about, whatever the view that is registered. */
export function widestThresholdOf(bank: Bank, type: SignalType, asked: View, turned: boolean): number {
  return bank.thresholdBits[type] ?? widestMatchBits(type, asked, turned)
}

/** How near it has to be for a match without a witness. Who sets a threshold of his own wants none. */
export function aloneThresholdOf(bank: Bank, type: SignalType, views: ComparedViews): number {
  return bank.thresholdBits[type] ?? aloneBits(type, views)
}
