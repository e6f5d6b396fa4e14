// What we hold about a registered image: its signals, never its pixels.

import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import { VIEW_KINDS, type ViewKind } from '../../../packages/hash/src/views.js'
import type { IndexedDetails } from './details.js'
import type { SignalType } from './signal-types.js'

/** What a picture shows, wider than nudity on purpose. `code` is the byte in stored records; never reused. */
export const CATEGORIES = {
  nude: 1,
  'underwear-or-swimwear': 2,
  'culturally-intimate': 3,
  'sexual-act': 4,
  synthetic: 5,
  composite: 6,
} as const
export type Category = keyof typeof CATEGORIES
export const CATEGORY_NAMES = [
  'nude',
  'underwear-or-swimwear',
  'culturally-intimate',
  'sexual-act',
  'synthetic',
  'composite',
] as const satisfies readonly Category[]

/** How much stands behind a signal, weakest first. */
export const TIERS = { 'self-reported': 1, 'ngo-attested': 2, 'platform-confirmed': 3, verified: 4 } as const
export type Tier = keyof typeof TIERS
export const TIER_NAMES = [
  'self-reported',
  'ngo-attested',
  'platform-confirmed',
  'verified',
] as const satisfies readonly Tier[]

/** Which part of the picture a hash was taken from (`hash/views.ts`). The number is the byte in stored records; never reused. */
export const VIEWS = { whole: 0, deframed: 1, crop: 2, piece: 3, tilted: 4 } as const satisfies Record<ViewKind, number>
export type View = ViewKind
export const VIEW_NAMES = VIEW_KINDS

export interface Signal {
  readonly type: SignalType
  readonly view: View
  /** PDQ's 0…100; 100 for types that have no such measure. */
  readonly quality: number
  readonly hash: Hash256
}

/** A picture that someone registered. The unit of withdrawal and of a match: one image, at most one match. */
export interface RegisteredImage {
  /** Name of the bank it belongs to. */
  readonly bank: string
  readonly tier: Tier
  readonly category: Category | undefined
  /** The partner's own reference, opaque to us. Only images that came through a bank have one. */
  readonly ref: string | undefined
  /** The id under which its case is filed; absent for images of banks, and for those that older versions stored. */
  readonly caseId?: string
  readonly createdAtMs: number
  readonly signals: readonly Signal[]
  /** Only where extended protection was asked for. */
  readonly details?: IndexedDetails
}

/** The name of the byte `code` in a table like the ones above, or `undefined`. */
export function nameOfCode<Name extends string>(
  names: readonly Name[],
  codes: Readonly<Record<Name, number>>,
  code: number,
): Name | undefined {
  return names.find((name) => codes[name] === code)
}

/** The name of a row's view. */
export function viewOf(code: number): View {
  const view = nameOfCode(VIEW_NAMES, VIEWS, code)
  if (view === undefined) throw new RangeError('an index holds only views that were put into it')
  return view
}
