// Flood guard: detects a signal that suddenly matches everywhere, because its hash is too unspecific or because it was registered to block something
// harmless.
//
// The matching uploads show whether it does harm. If the picture is being passed around, uploads are nearly the registered picture, or repeat a few
// edited versions of it. If the signal matches innocent pictures, which share a mask, a keyboard or a template with it, the uploads all differ from
// one another.
//
// Somebody who knows a hash can make innocent pictures near it, and can change a true copy in many ways. So an upload counts only if several views agree,
// or a part that may be stopped alone; and nothing is stopped before several platforms met such uploads over hours.

import type { Tier } from '../../../packages/core/src/matching/signal.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import type { Support } from './tier.js'

/**
 * Rules by tier.
 * - `lookAlikes`: the signal is narrowed from this many uploads that differ from one another and from the registered picture, if enough of them came
 *   from each of `platforms` platforms (`isWidespread`).
 * - `least`: fewer matches than this are never a flood.
 * - `platforms`: how many platforms must see the flood before the signal is narrowed, and object to it before it is held.
 * - `stops`: whether Tabir narrows or holds the signal by itself, or only informs the operator.
 *
 * All limits are absolute. Comparing with the signal's own past would miss a flood that grows slowly.
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

/** Matches of one signal in one hour, one count per platform. */
export type HitsByPlatform = readonly number[]

export const FLOOD_WINDOW_MS = 3_600_000
/** Look-alikes are counted over the last one to two of these windows. */
export const LOOKS_WINDOW_MS = 43_200_000

export interface SeenMatches {
  readonly hits: HitsByPlatform
  /** Matching uploads of the last 12 to 24 hours. */
  readonly uploads: number
  /**
   * Number of different sketches (`sketchOf`) among the uploads that are not copies (`isCopy`) and in which several views agree, or one part alone
   * decided. For a registered video, that of the frame with the most, because one edited copy of it can be sent as many different stills and excerpts.
   */
  readonly looks: number
  /** How many of the looks were new, for each platform. */
  readonly looksByPlatform: HitsByPlatform
  /** Number of different hours in which looks were new. */
  readonly hours: number
  /** For each view (`DETAILS_VIEW`, or a digest up to `MAX_VIEW`), about how many of the sketches matched only by this view. */
  readonly looksByView: ReadonlyMap<number, number>
}

/** The platforms' verdicts on the signal, and how many of them dispute it. */
export interface Said extends Pick<Support, 'confirmations' | 'notBlocked'> {
  readonly disputes: number
}

/**
 * - `becomes`: what happens to the signal. `view-stopped`: its view `view` matches nothing any more. `narrowed`: it matches only copies (`isCopy`).
 *   `held`: it matches nothing. `reported`: nothing, but the operator is informed.
 * - `height`: the size of the flood. An operator who releases the signal tolerates floods of this size.
 */
export type Flood =
  | { readonly becomes: 'view-stopped'; readonly view: number; readonly height: number }
  | { readonly becomes: 'narrowed' | 'held' | 'reported'; readonly height: number }

/**
 * Numbers of views that can be stopped one by one: `DETAILS_VIEW` for the details of the image; for a `pdq-area` row a keyed digest of its view and
 * hash (`ViewIdOf`), up to `MAX_VIEW`. The view of the whole picture is never stopped on its own: then the signal is narrowed.
 */
export const DETAILS_VIEW = 0
export const MAX_VIEW = 2 ** 32 - 1

/** Maximum stopped views of one signal. If further views match look-alikes, the signal is narrowed. */
export const MAX_STOPPED_VIEWS = 2
/** A view is stopped, instead of narrowing the signal, if it found at least this share of the look-alikes. */
const SHARE_OF_VIEW = 0.5

/** A new flood must be more than this many times as high as the one that an operator tolerated. */
const TIMES_TOLERATED = 2

/** A signal is narrowed, or loses a view, only if each of the required platforms brought this share of the required looks, over this many hours. */
const SHARE_OF_PLATFORM = 0.1
const MIN_HOURS = 3

/** More different looks per upload than this mean look-alikes. When a picture is passed around, most uploads look like an earlier one. */
const MAX_LOOKS_PER_UPLOAD = 0.4

/**
 * @param tolerated height of the highest flood that an operator tolerated; 0 for none.
 * @param stopped views that are already stopped. Looks that they found earlier do not count.
 * @returns what to do now; `undefined` if there is no flood.
 */
export function floodAction(
  rule: FloodRule,
  seen: SeenMatches,
  said: Said,
  tolerated: number,
  stopped: readonly number[] = [],
): Flood | undefined {
  const isMore = (height: number) => height > TIMES_TOLERATED * tolerated
  const ofPlatforms = floodOf(seen.hits, rule)
  if (rule.stops && ofPlatforms >= rule.least && isMore(ofPlatforms) && isRefused(rule, said))
    return { becomes: 'held', height: ofPlatforms }
  const { looks, uploads } = withoutViews(seen, stopped)
  const height = seen.looks
  if (looks >= rule.lookAlikes && looks > MAX_LOOKS_PER_UPLOAD * uploads && isMore(height)) {
    if (!rule.stops || !isWidespread(rule, seen)) return { becomes: 'reported', height }
    const view = stopped.length < MAX_STOPPED_VIEWS ? busiestOf(seen.looksByView, stopped) : undefined
    const isOfView = view !== undefined && (seen.looksByView.get(view) ?? 0) >= SHARE_OF_VIEW * looks
    if (isOfView) return { becomes: 'view-stopped', view, height }
    const ofOneView = [...seen.looksByView.values()].reduce((sum, count) => sum + count, 0)
    return { becomes: seen.looks - ofOneView >= rule.lookAlikes ? 'narrowed' : 'reported', height }
  }
  const all = allOf(seen.hits)
  return all >= rule.least && isMore(all) ? { becomes: 'reported', height: all } : undefined
}

/** Subtracts what stopped views found. Nearly all of those uploads look different, so the same number is subtracted from uploads and looks. */
function withoutViews({ looks, uploads, looksByView }: SeenMatches, stopped: readonly number[]) {
  const ofStopped = stopped.reduce((sum, view) => sum + (looksByView.get(view) ?? 0), 0)
  return { looks: looks - ofStopped, uploads: uploads - ofStopped }
}

function isWidespread({ platforms, lookAlikes }: FloodRule, { looksByPlatform, hours }: SeenMatches): boolean {
  return hours >= MIN_HOURS && nthOf(looksByPlatform, platforms) >= SHARE_OF_PLATFORM * lookAlikes
}

function busiestOf(looksByView: SeenMatches['looksByView'], stopped: readonly number[]): number | undefined {
  const others = [...looksByView].filter(([view]) => !stopped.includes(view))
  return others.sort(([a, looksOfA], [b, looksOfB]) => looksOfB - looksOfA || a - b)[0]?.[0]
}

/** @returns whether enough platforms object to hold the signal. One platform that blocked a copy outweighs two that object. */
function isRefused({ platforms }: FloodRule, { confirmations, notBlocked, disputes }: Said): boolean {
  const against = notBlocked + disputes
  return against >= platforms && against > 2 * confirmations
}

/**
 * @returns the height of a flood: number of platforms × hits of the `platforms`-th busiest platform. It is 0 for fewer platforms than the rule
 *   requires, however often they query, so that a few colluding keys cannot disable a signal.
 */
export function floodOf(hits: HitsByPlatform, { platforms }: { readonly platforms: number }): number {
  return hits.length * nthOf(hits, platforms)
}

/** @returns the count of the n-th busiest platform; 0 for fewer. */
function nthOf(counts: HitsByPlatform, n: number): number {
  return [...counts].sort((a, b) => b - a)[n - 1] ?? 0
}

function allOf(hits: HitsByPlatform): number {
  return hits.reduce((sum, count) => sum + count, 0)
}

const MIN_MATCHES = Math.min(...Object.values(FLOOD_RULES).map(({ least }) => least))
const MIN_LOOK_ALIKES = Math.min(...Object.values(FLOOD_RULES).map(({ lookAlikes }) => lookAlikes))

/** @returns whether any rule could apply. If not, the caller can skip the remaining checks. */
export function mayBeFlood({ hits, looks }: SeenMatches): boolean {
  return looks >= MIN_LOOK_ALIKES || allOf(hits) >= MIN_MATCHES
}

/**
 * @param hash of the whole upload.
 * @returns 32 of its bits. Nine of ten uploads keep them when they are saved again as JPEG. Of innocent uploads within 31 bits of the registered
 *   picture, nine of ten have different ones (decision 0122).
 */
export function sketchOf(hash: Hash256): number {
  let sketch = 0
  for (const bit of SKETCH_BITS) sketch = (sketch << 1) | (((hash[bit >> 3] ?? 0) >> (bit & 7)) & 1)
  return sketch >>> 0
}

/**
 * Combines the sketch of an upload with the frame of the registered video by which it was found.
 * @param frame from 1; 0 for a picture.
 * @returns a safe integer.
 */
export function lookOf(hash: Hash256, frame: number): number {
  return frame * LOOKS_PER_FRAME + sketchOf(hash)
}

/** @returns the frame that `lookOf` was given. */
export function frameOfLook(look: number): number {
  return Math.floor(look / LOOKS_PER_FRAME)
}

const LOOKS_PER_FRAME = 2 ** 32

/** Positions of the bits of a sketch, spread over the hash. */
const SKETCH_BITS = Array.from({ length: 32 }, (_, i) => (i * 85 + 40) % 256)
