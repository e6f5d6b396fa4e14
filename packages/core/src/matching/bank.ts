// A bank: a named set of signals of one organisation under one policy.

import { ownValue } from '../own-value.js'
import {
  aloneBits,
  type ComparedViews,
  lineBits,
  matchBits,
  widestAskedBits,
  widestAskedLineBits,
  widestMatchBits,
} from './evidence.js'
import type { View } from './signal.js'
import type { SignalType } from './signal-types.js'

/**
 * Up to 63 letters, digits, `_` and `-`, starting with a letter or digit: fits a URL segment and the names of other systems. Excluded are names that
 * every JavaScript object inherits, which would break clients that keep banks in an object; and names of 43 characters, the length of 256 bits in
 * base64, because the audit log rejects whatever may be a hash.
 */
export const BANK_NAME_PATTERN =
  /^(?!(?:constructor|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|toLocaleString|toString|valueOf)$|[\w-]{43}$)[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/

/** A bank name, or an exact name. An exact name has a suffix for the owner, to tell banks of the same name apart. */
export const BANK_REF_PATTERN = new RegExp(`${BANK_NAME_PATTERN.source.slice(0, -1)}(?:~[0-9a-f]{12})?$`)

/** Precedes the suffix in an exact name. */
export const OWNER_MARK = '~'

/**
 * @param name a name as stored, or an exact one.
 * @returns the name without the owner's suffix, as organisations see it unless they know several banks of this name.
 */
export function labelOf(name: string): string {
  const end = name.indexOf(OWNER_MARK)
  return end === -1 ? name : name.slice(0, end)
}

/** The bank of images that people register themselves. It exists in every deployment and belongs to no organisation. */
export const CASES_BANK_NAME = 'cases'

/** `match`: its signals are matched. `harmless`: the allowlist. Pictures near one of its signals do not match, and it is never part of an answer. */
export const BANK_PURPOSES = ['match', 'harmless'] as const
export type BankPurpose = (typeof BANK_PURPOSES)[number]

export interface Bank {
  /** As stored: the plain name, or the exact name if another organisation had a bank of this name first. */
  readonly name: string
  /** Random, drawn at creation, so a later bank of the same name differs. The deployment's own banks have none. */
  readonly id?: string | undefined
  readonly purpose: BankPurpose
  /** The organisation that may write to it; `undefined` for the deployment's own banks. */
  readonly orgId: string | undefined
  /**
   * Match radius in bits, inclusive, where it differs from that of the type. A narrower one applies to every caller, a wider one only to its own
   * organisation.
   */
  readonly thresholdBits: Partial<Readonly<Record<SignalType, number>>>
  readonly createdAtMs: number
  /** Organisations that may see the bank and get its matches, id → name; `undefined` for all. The owner always may. */
  readonly readers?: Readonly<Record<string, string>> | undefined
  /** [epoch ms] since when each organisation may see it, by id. If missing, since its creation. */
  readonly knownSinceMs?: Readonly<Record<string, number>> | undefined
  /** 0…1, as in HMA: the share of queries that it answers. 0: none. 1 if undefined. */
  readonly enabledRatio?: number | undefined
  /** Set while its images are being erased. Afterwards its name is free again. */
  readonly removedAtMs?: number | undefined
}

/** Identifies one bank, as opposed to an earlier or later one of the same name. */
export type BankRef = Pick<Bank, 'name' | 'createdAtMs' | 'id'>

export function isSameBank(a: BankRef, b: BankRef): boolean {
  return a.name === b.name && a.createdAtMs === b.createdAtMs && a.id === b.id
}

/** @returns whether the bank can give matches. */
export function isAnswering({ purpose, enabledRatio, removedAtMs }: Bank): boolean {
  return purpose === 'match' && enabledRatio !== 0 && removedAtMs === undefined
}

/** @returns whether an organisation may see the bank and get its matches. */
export function isVisibleTo({ orgId: owner, readers }: Bank, orgId: string): boolean {
  return readers === undefined || owner === orgId || Object.hasOwn(readers, orgId)
}

const EVERYBODY = '*'

/** @returns since when [epoch ms] an organisation may see the bank. Of two banks with one label, the one known longer keeps the label for it. */
export function knownSinceMsOf({ knownSinceMs, createdAtMs }: Bank, orgId: string): number {
  const sinceMs = knownSinceMs ?? {}
  return ownValue(sinceMs, orgId) ?? ownValue(sinceMs, EVERYBODY) ?? createdAtMs
}

/** The new `knownSinceMs` when the readers change. Organisations that could already see the bank keep their date. */
export function knownAfter(bank: Bank, readers: Bank['readers'], nowMs: number): Bank['knownSinceMs'] {
  const sinceMs = (orgId: string) => (isVisibleTo(bank, orgId) ? knownSinceMsOf(bank, orgId) : nowMs)
  const named = Object.keys(readers ?? bank.readers ?? {}).map((orgId) => [orgId, sinceMs(orgId)] as const)
  return Object.fromEntries(readers === undefined ? [...named, [EVERYBODY, sinceMs(EVERYBODY)]] : named)
}

/** The bank of pictures that were judged harmless. It exists in every deployment, and its operators may write to it. */
export const HARMLESS_BANK_NAME = 'harmless'
export const HARMLESS_BANK: Bank = {
  name: HARMLESS_BANK_NAME,
  purpose: 'harmless',
  orgId: undefined,
  thresholdBits: {},
  createdAtMs: 0,
}

/**
 * The bank in which the index keeps images that were judged harmless. No real bank can have its name. Copies of them are
 * refused in cases. They veto no match and are never part of an answer. In the store they stay in their own bank and are erased with it.
 */
export const JUDGED_HARMLESS_BANK: Bank = { ...HARMLESS_BANK, name: 'judged harmless' }

export const CASES_BANK: Bank = {
  name: CASES_BANK_NAME,
  purpose: 'match',
  orgId: undefined,
  thresholdBits: {},
  createdAtMs: 0,
}

/**
 * @returns the match radius of these views in this bank, in bits, inclusive. A `match` bank can only narrow what the evidence allows, since a wider
 *   radius would change other organisations' answers (see `ownerReviewBits`). The allowlist belongs to the operator and may widen it.
 */
export function thresholdOf(bank: Bank, type: SignalType, views: Omit<ComparedViews, 'content'>): number {
  return narrowed(bank, type, matchBits(type, views))
}

/** @returns the largest `thresholdOf` of a query view over all registered views. */
export function widestThresholdOf(bank: Bank, type: SignalType, asked: View, rotated: boolean): number {
  return narrowed(bank, type, widestMatchBits(type, asked, rotated))
}

/** @returns the largest `thresholdOf` of a registered view over all query views. */
export function widestAskedThresholdOf(bank: Bank, type: SignalType, registered: View, rotated: boolean): number {
  return narrowed(bank, type, widestAskedBits(type, registered, rotated))
}

/** @returns the widest distance of a pair of frames on a line, for a registered view and any query view; negative if there is none. */
export function widestAskedLineThresholdOf(bank: Bank, type: SignalType, registered: View, rotated: boolean): number {
  return narrowed(bank, type, widestAskedLineBits(type, registered, rotated))
}

/** @returns the radius within which a match needs no corroboration. */
export function aloneThresholdOf(bank: Bank, type: SignalType, views: ComparedViews): number {
  return narrowed(bank, type, aloneBits(type, views))
}

/** @returns how near the pairs of a line have to be in this bank, in bits, inclusive (`lineBits`). */
export function lineThresholdOf(bank: Bank, isPartial: boolean): number {
  return narrowed(bank, 'pdq-area', lineBits(isPartial))
}

/** @returns the review radius that the bank's owner set for itself; −1 if it set none or another organisation asks. */
export function ownerReviewBits(bank: Bank, type: SignalType, orgId: string): number {
  return bank.orgId === orgId ? (bank.thresholdBits[type] ?? -1) : -1
}

function narrowed({ purpose, thresholdBits }: Bank, type: SignalType, bits: number): number {
  const own = thresholdBits[type]
  if (own === undefined) return bits
  return purpose === 'harmless' ? own : Math.min(own, bits)
}
