// A bank: a named set of signals of one organisation under one policy.

import { aloneBits, type ComparedViews, matchBits, widestAskedBits, widestMatchBits } from '../matching/evidence.js'
import type { View } from '../matching/signal.js'
import type { SignalType } from '../matching/signal-types.js'
import { ownValue } from '../own-value.js'

/**
 * Letters, digits, `_` and `-`, starting with a letter or digit: fits a URL segment and the names other systems use. No name that every
 * JavaScript object inherits: a client that keeps banks in an object would find a function in place of its bank. None of 43 characters, as 256 bits
 * have in base64: the audit log takes nothing that may be a hash.
 */
export const BANK_NAME_PATTERN =
  /^(?!(?:constructor|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|toLocaleString|toString|valueOf)$|[\w-]{43}$)[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/

/** The same, or a name that stands for one bank alone where several are called the same. */
export const BANK_REF_PATTERN = new RegExp(`${BANK_NAME_PATTERN.source.slice(0, -1)}(?:~[0-9a-f]{12})?$`)

/** In a name that stands for one bank alone, before what stands for its owner. */
export const OWNER_MARK = '~'

/** What a bank is called, unless an organisation knows several of this name. `name` is of the store, or an exact one. */
export function labelOf(name: string): string {
  const end = name.indexOf(OWNER_MARK)
  return end === -1 ? name : name.slice(0, end)
}

/** The bank of images that people register themselves. It exists in every deployment and belongs to no organisation. */
export const CASES_BANK_NAME = 'cases'

/**
 * match: what is found in it is answered. harmless: pictures that are known to be harmless, by which others are not to be found; it is
 * never answered from.
 */
export const BANK_PURPOSES = ['match', 'harmless'] as const
export type BankPurpose = (typeof BANK_PURPOSES)[number]

export interface Bank {
  /** In the store: its label, or its exact name where another organisation had the label first. */
  readonly name: string
  /** Random, drawn when the bank is made: a later bank of the same name has another one. The deployment's own have none. */
  readonly id?: string | undefined
  readonly purpose: BankPurpose
  /** Organisation that may write to it; `undefined` for the deployment's own. */
  readonly orgId: string | undefined
  /** Match radius in bits, inclusive, where it differs from the type's own: narrower for everybody, wider for its own organisation. */
  readonly thresholdBits: Partial<Readonly<Record<SignalType, number>>>
  readonly createdAtMs: number
  /** Organisations that may know of it and be answered from it, id → name; undefined for all. Its own always may. */
  readonly readers?: Readonly<Record<string, string>> | undefined
  /** Since when [epoch ms] organisations may know of it, by their id; since it was made where this says nothing. */
  readonly knownSinceMs?: Readonly<Record<string, number>> | undefined
  /** 0…1, as other systems have it: how often it is answered from where they ask; 0 is nowhere and never. 1 when undefined. */
  readonly enabledRatio?: number | undefined
  /** Its images are being erased, and its name is free again afterwards. */
  readonly removedAtMs?: number | undefined
}

/** A bank, and no other one that has its name before or after it. */
export type BankRef = Pick<Bank, 'name' | 'createdAtMs' | 'id'>

export function isSameBank(a: BankRef, b: BankRef): boolean {
  return a.name === b.name && a.createdAtMs === b.createdAtMs && a.id === b.id
}

/** May anything be found in it? */
export function isAnswering({ purpose, enabledRatio, removedAtMs }: Bank): boolean {
  return purpose === 'match' && enabledRatio !== 0 && removedAtMs === undefined
}

/** May this organisation know of the bank, and be told what is found in it? */
export function isVisibleTo({ orgId: owner, readers }: Bank, orgId: string): boolean {
  return readers === undefined || owner === orgId || Object.hasOwn(readers, orgId)
}

const EVERYBODY = '*'

/** Of two banks of one label, an organisation goes on calling the one by it that it has known longer. */
export function isKnownSinceMs({ knownSinceMs, createdAtMs }: Bank, orgId: string): number {
  const sinceMs = knownSinceMs ?? {}
  return ownValue(sinceMs, orgId) ?? ownValue(sinceMs, EVERYBODY) ?? createdAtMs
}

/** What `knownSinceMs` is when the readers change: who knew of the bank before has done so since then. */
export function knownAfter(bank: Bank, readers: Bank['readers'], nowMs: number): Bank['knownSinceMs'] {
  const sinceMs = (orgId: string) => (isVisibleTo(bank, orgId) ? isKnownSinceMs(bank, orgId) : nowMs)
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
 * Under this name, which no bank can have, an index keeps pictures of cases and banks that were judged harmless: they veto and are never
 * answered. They stay in their own bank in the store, and are erased with it.
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
 * How near a signal of the bank has to be, for everybody: as near as the evidence says about these views, or nearer where the bank says so. A wider
 * threshold of a bank that matches would be one organisation's word about what others see (`reachOf`); of one that vetoes it is its operator's.
 */
export function thresholdOf(bank: Bank, type: SignalType, views: Omit<ComparedViews, 'content'>): number {
  return narrowed(bank, type, matchBits(type, views))
}

/** The widest of these for a view that is asked about, whatever the view that is registered. */
export function widestThresholdOf(bank: Bank, type: SignalType, asked: View, rotated: boolean): number {
  return narrowed(bank, type, widestMatchBits(type, asked, rotated))
}

/** The widest of these for a view that is registered, whatever the view that is asked about. */
export function widestAskedThresholdOf(bank: Bank, type: SignalType, registered: View, rotated: boolean): number {
  return narrowed(bank, type, widestAskedBits(type, registered, rotated))
}

/** How near it has to be for a match without a witness. */
export function aloneThresholdOf(bank: Bank, type: SignalType, views: ComparedViews): number {
  return narrowed(bank, type, aloneBits(type, views))
}

/** How far the bank's own organisation wants to look in it, for review; under 0 where it is anybody else who asks. */
export function ownReachOf(bank: Bank, type: SignalType, orgId: string): number {
  return bank.orgId === orgId ? (bank.thresholdBits[type] ?? -1) : -1
}

function narrowed({ purpose, thresholdBits }: Bank, type: SignalType, bits: number): number {
  const own = thresholdBits[type]
  if (own === undefined) return bits
  return purpose === 'harmless' ? own : Math.min(own, bits)
}
