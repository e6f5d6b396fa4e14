// A signal that suddenly matches everywhere: a hash that says too little, or a report that was made to block something harmless.
//
// What tells a false registration from a picture that is passed around is how the uploads look. Copies are nearly the registered picture, or
// changed ones that are passed on in their turn. Innocent pictures that share a mask, a keyboard or a template with it are each another picture.

import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import type { Tier } from '../matching/signal.js'
import { type RowType, SIGNAL_TYPES } from '../matching/signal-types.js'
import type { Support } from './tier.js'

/**
 * By tier. `lookAlikes`: from so many uploads on that differ from one another and from the registered picture it is narrowed, on however few
 * platforms. `least`: below that nothing is a flood of matches. `platforms`: how many have to see a flood, and to speak against it, before the
 * signal is held. `stops`: does any of that happen by itself, or is the operator only told?
 *
 * All are absolute numbers: of one that rose slowly a flood is as harmful, and was never noticed as long as it was compared with its own day.
 */
export const FLOOD_RULES = {
  'self-reported': { lookAlikes: 50, platforms: 3, least: 300, stops: true },
  'ngo-attested': { lookAlikes: 200, platforms: 4, least: 2000, stops: true },
  'platform-confirmed': { lookAlikes: 200, platforms: 4, least: 2000, stops: false },
  verified: { lookAlikes: 200, platforms: 4, least: 2000, stops: false },
} as const satisfies Record<
  Tier,
  { readonly lookAlikes: number; readonly platforms: number; readonly least: number; readonly stops: boolean }
>
export type FloodRule = (typeof FLOOD_RULES)[Tier]

/** Matches of one signal in one hour, a number for each platform. */
export type HitsByPlatform = readonly number[]

export const FLOOD_WINDOW_MS = 3_600_000
/** Looks are counted for the last one to two of these. */
export const LOOKS_WINDOW_MS = 43_200_000

export interface SeenMatches {
  readonly hits: HitsByPlatform
  /** Of the last half to whole day. */
  readonly uploads: number
  /** How many of these that are no copies (`isCopy`) look unlike one another (`sketchOf`). */
  readonly looks: number
}

/** What platforms decided about it, and how many dispute it. */
export interface Said extends Pick<Support, 'confirmations' | 'notBlocked'> {
  readonly disputes: number
}

/**
 * narrowed: only copies (`isCopy`) are found. held: nothing is. told: nothing but that the operator learns of it. `height` is what he lets pass when
 * he releases it.
 */
export interface Flood {
  readonly becomes: 'narrowed' | 'held' | 'told'
  readonly height: number
}

/** How much higher than one that an operator let pass the next has to be. */
const TIMES_TOLERATED = 2

/** More looks for each upload than this make look-alikes of them: of what is passed on most uploads look as another one did. */
const LOOKS_A_UPLOAD = 0.4

/** @param tolerated the height that an operator looked at and let pass; 0 for none. */
export function floodNow(rule: FloodRule, seen: SeenMatches, said: Said, tolerated: number): Flood | undefined {
  const isMore = (height: number) => height > TIMES_TOLERATED * tolerated
  const height = floodOf(seen.hits, rule)
  if (rule.stops && height >= rule.least && isMore(height) && isRefused(rule, said)) return { becomes: 'held', height }
  const { looks, uploads } = seen
  if (looks >= rule.lookAlikes && looks > LOOKS_A_UPLOAD * uploads && isMore(looks))
    return { becomes: rule.stops ? 'narrowed' : 'told', height: looks }
  const all = allOf(seen.hits)
  return all >= rule.least && isMore(all) ? { becomes: 'told', height: all } : undefined
}

/** Said by as many platforms as it takes to hold a signal, and not outweighed: each that blocked a copy counts as two that let one stand. */
function isRefused({ platforms }: FloodRule, { confirmations, notBlocked, disputes }: Said): boolean {
  const against = notBlocked + disputes
  return against >= platforms && against > 2 * confirmations
}

/**
 * The height of a flood: platforms × hits, where hits are those of the `platforms`-th platform. So a few keys fewer than the rule asks for
 * make no flood, however much they ask: nobody takes a picture out of the index by asking for it.
 */
export function floodOf(hits: HitsByPlatform, { platforms }: { readonly platforms: number }): number {
  const nth = [...hits].sort((a, b) => b - a)[platforms - 1] ?? 0
  return hits.length * nth
}

function allOf(hits: HitsByPlatform): number {
  return hits.reduce((sum, count) => sum + count, 0)
}

const MIN_MATCHES = Math.min(...Object.values(FLOOD_RULES).map(({ least }) => least))
const MIN_LOOK_ALIKES = Math.min(...Object.values(FLOOD_RULES).map(({ lookAlikes }) => lookAlikes))

/** May it be a flood by any rule? Of what is not, nothing else needs to be looked at. */
export function mayBeFlood({ hits, looks }: SeenMatches): boolean {
  return looks >= MIN_LOOK_ALIKES || allOf(hits) >= MIN_MATCHES
}

/** The end of a band of distances, so that where a narrowed signal ceases to match tells nobody more than the band did. */
export const COPY_BITS = 15

/**
 * Is what was found nearly the whole registered picture, rather than something that has a part of it or looks somewhat like it? This is what a
 * narrowed signal matches still: so whoever has a signal narrowed that is true hides changed copies, and never the picture.
 */
export function isCopy(found: { readonly signalType: RowType; readonly distanceBits: number }): boolean {
  const { signalType, distanceBits } = found
  return signalType !== 'detail' && SIGNAL_TYPES[signalType].identifies && distanceBits <= COPY_BITS
}

/**
 * 32 bits of a hash of the whole upload. Saved anew as JPEG it has the same in nine cases of ten; of innocent uploads that are all within 31 bits of the
 * registered picture, nine of ten have one of their own (decision 0122).
 */
export function sketchOf(hash: Hash256): number {
  let sketch = 0
  for (const bit of SKETCH_BITS) sketch = (sketch << 1) | (((hash[bit >> 3] ?? 0) >> (bit & 7)) & 1)
  return sketch >>> 0
}

/** Spread over the hash. */
const SKETCH_BITS = Array.from({ length: 32 }, (_, i) => (i * 85 + 40) % 256)
