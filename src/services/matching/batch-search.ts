// Decides how far to search for pictures, and searches for the hashes of several pictures in one pass over the index, before the first is answered.

import type { HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'
import { VIEWS, type View } from '../../../packages/core/src/matching/signal.js'
import type { SignalType } from '../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../packages/core/src/search/hit.js'
import { distance, type Hash256 } from '../../../packages/hash/src/hash256.js'
import type { Searcher } from '../index/searcher.js'
import { orientationGroupsOf } from './orientations.js'

/** The search radius for a signal type and view; `rotated` is false for the original and its mirror image. */
export type WidestOf = (type: SignalType, asked: View, rotated: boolean) => Radius

/** The search finds every hit up to `bits`. It also returns the hits up to `marginBits` beyond that it comes across. */
export interface Radius {
  readonly bits: number
  readonly marginBits: number
}

/** With this many views, a copy is near in several of them, so a first pass may miss one. */
const MANY_VIEWS = 8

/**
 * In a registry of at least `fromRows` rows of `pdq-area`, a first pass finds everything up to `bits`. Within 31 bits, the median query would take
 * more than 3 ms of a core at a million rows. Within 23 bits none of 773 edits of tuning photographs was lost, within 19 bits two
 * (bench/record/tuning.md).
 */
const FIRST_PASSES = [
  { fromRows: 0, bits: 31 },
  { fromRows: 500_000, bits: 23 },
] as const

/**
 * @returns the distance up to which a first pass is complete, in bits.
 * @param liveRows rows of `pdq-area` that a search can find. Processes at the same revision have the same number, although their segments and dead
 *   rows differ.
 */
export function firstPassBitsAmong(liveRows: number): number {
  return FIRST_PASSES.findLast(({ fromRows }) => liveRows >= fromRows)?.bits ?? FIRST_PASSES[0].bits
}

/**
 * @returns the radius of the first search for a view: the whole radius, unless the picture has many views. For those, a pass that is complete within
 *   fewer bits comes across nearly all farther pairs, too, at a tenth of the cost. The caller compares the images that were found. If one may match,
 *   or if they are many, it searches the whole radius, so that everything near decides about a match. Of edits that a complete search finds, this
 *   lost none of 773 tuning edits and one of 456 test edits (docs/scaling.md).
 * @param firstPassBits as `firstPassBitsAmong` says; `undefined` for a search that has to be complete.
 */
export function firstPassOf(
  radius: Radius,
  type: SignalType,
  signals: readonly HashedSignal[],
  firstPassBits: number | undefined,
): Radius {
  if (firstPassBits === undefined || type !== 'pdq-area' || radius.bits <= firstPassBits) return radius
  if (!hasManyViews(signals)) return radius
  return { bits: firstPassBits, marginBits: radius.bits + radius.marginBits - firstPassBits }
}

/** Maximum images whose rows are compared one by one in place of a search. */
const MAX_COMPARED = 16
/** The same in place of a search for corroborating views, which takes 30 ms among a million rows. */
export const MAX_CORROBORATED = 128

/** Compares hashes with all rows of a few images. Cost: 0.1 µs per hash and row. */
export interface Compared {
  /** Whether each image has rows of type `pdq-area`. One without may have been registered as a single hash. */
  hasRows(): boolean
  /** Returns what a complete search would find, but only of these images. */
  near(type: SignalType, hashes: readonly Hash256[], radius: Radius): readonly Hit[]
}

/** @returns `undefined` for more images than `maxImages`, because then a search costs less. */
export function comparedWith(
  searcher: Pick<Searcher, 'viewsOf'>,
  images: ReadonlySet<number>,
  maxImages = MAX_COMPARED,
): Compared | undefined {
  if (images.size > maxImages) return undefined
  const known = new Map<SignalType, readonly ImageRows[]>()
  const rowsOf = (type: SignalType) => {
    const rows = known.get(type) ?? Array.from(images, (image) => ({ image, rows: searcher.viewsOf(image, type) }))
    known.set(type, rows)
    return rows
  }
  return {
    hasRows: () => rowsOf('pdq-area').every(({ rows }) => rows.length > 0),
    near: (type, hashes, { bits, marginBits }) => nearRows(rowsOf(type), hashes, bits + marginBits),
  }
}

interface ImageRows {
  readonly image: number
  readonly rows: ReturnType<Searcher['viewsOf']>
}

/** Each row within `bits` of a hash, once, with its nearest hash. */
function nearRows(images: readonly ImageRows[], hashes: readonly Hash256[], bits: number): Hit[] {
  const hits: Hit[] = []
  for (const { image, rows } of images) {
    for (const { view, hash } of rows) {
      let [transform, distanceBits] = [0, bits + 1]
      for (const [number, asked] of hashes.entries()) {
        const away = distance(asked, hash, distanceBits - 1)
        if (away < distanceBits) [transform, distanceBits] = [number, away]
      }
      if (distanceBits <= bits) hits.push({ image, view: VIEWS[view], transform, distanceBits })
    }
  }
  return hits
}

/**
 * Hits by signal, for each group of `orientationGroupsOf` in order; `undefined` for a group that has to be searched separately.
 */
export type FoundAhead = ReadonlyMap<HashedSignal, readonly (readonly Hit[] | undefined)[]>

/** Maximum needles of one search. With more, caches are not used better, and more hits have to be kept. */
const MAX_NEEDLES = 8192

/**
 * Maximum hits kept for the pictures of a call, and for a first pass. A group that does not fit is searched for again when its picture is answered.
 */
const MAX_KEPT = 32_768

export const NOTHING_AHEAD: FoundAhead = new Map()

/** Whether a picture has so many views that a first pass pays. */
export function hasManyViews(signals: readonly HashedSignal[]): boolean {
  if (signals.length < MANY_VIEWS) return false
  return signals.reduce((count, { type }) => count + Number(type === 'pdq-area'), 0) >= MANY_VIEWS
}

/** The result of a first pass. */
export interface Met {
  /** The hits found ahead and those of the pass, so that nothing is searched for twice. */
  readonly found: FoundAhead
  /** Images near views whose whole radius was not searched. The pass ended early if they are too many to compare. */
  readonly images: ReadonlySet<number>
}

/** Searches for the views of a picture as far as `firstPassOf` says. */
export function* firstPass(
  searcher: Searcher,
  signals: readonly HashedSignal[],
  ahead: FoundAhead,
  { widestOf, firstPassBits }: { readonly widestOf: WidestOf; readonly firstPassBits: number | undefined },
): Generator<void, Met, void> {
  const found = new Map(ahead)
  const images = new Set<number>()
  const room = { hits: MAX_KEPT }
  for (const signal of signals) {
    const { type, view } = signal
    const groups = [...(ahead.get(signal) ?? [])]
    found.set(signal, groups)
    for (const [group, { rotated, hashes }] of orientationGroupsOf(signal).entries()) {
      const radius = widestOf(type, view, rotated)
      const first = firstPassOf(radius, type, signals, firstPassBits)
      yield
      const hits = groups[group] ?? (yield* searcher.search(type, hashes, first.bits, first.marginBits))
      groups[group] = kept(hits, room)
      if (first === radius) continue
      for (const { image } of hits) images.add(image)
      if (images.size > MAX_COMPARED) return { found, images }
    }
  }
  return { found, images }
}

/** Runs a generator to its end. Between steps it waits while `yieldIfNeeded` returns a promise. */
export async function runCooperatively<T>(
  work: Generator<void, T, void>,
  yieldIfNeeded: () => Promise<void> | undefined,
): Promise<T> {
  let step = work.next()
  for (; step.done !== true; step = work.next()) {
    const pause = yieldIfNeeded()
    if (pause !== undefined) await pause
  }
  return step.value
}

/** Reads all pictures. It pauses between two, because an iterable may compute each one. */
export function* gathered<Picture>(pictures: Iterable<Picture>): Generator<void, Picture[], void> {
  const all: Picture[] = []
  for (const picture of pictures) {
    if (all.length > 0) yield
    all.push(picture)
  }
  return all
}

/**
 * Searches for all signals of these pictures.
 * @param firstPassBits as for `firstPassOf`.
 * @returns hits as of the call. An image that is removed later is still among them; the caller has to leave it out.
 */
export function* searchAhead(
  searcher: Searcher,
  pictures: readonly { readonly signals: readonly HashedSignal[] }[],
  widestOf: WidestOf,
  firstPassBits?: number,
): Generator<void, FoundAhead, void> {
  const found = new Map<HashedSignal, (readonly Hit[] | undefined)[]>()
  const batches = new Map<string, Batch>()
  const room = { hits: MAX_KEPT }
  for (const { signals } of pictures) {
    yield
    for (const signal of signals) {
      if (found.has(signal)) continue
      const orientationGroups: (readonly Hit[] | undefined)[] = []
      found.set(signal, orientationGroups)
      for (const [group, { rotated, hashes }] of orientationGroupsOf(signal).entries()) {
        const { type, view } = signal
        const widest = widestOf(type, view, rotated)
        const radius = firstPassOf(widest, type, signals, firstPassBits)
        const key = `${type} ${radius.bits} ${radius.marginBits}`
        const batch = batches.get(key) ?? { type, radius, asked: [], needles: 0 }
        batches.set(key, batch)
        batch.asked.push({ hashes, orientationGroups, group })
        batch.needles += hashes.length
        if (batch.needles < MAX_NEEDLES) continue
        batches.delete(key)
        yield* search(searcher, batch, room)
      }
    }
  }
  for (const batch of batches.values()) yield* search(searcher, batch, room)
  return found
}

/** Whether every signal was searched for and nothing was found. */
export function isNowhere(signals: readonly HashedSignal[], ahead: FoundAhead): boolean {
  return signals.every((signal) => ahead.get(signal)?.every((hits) => hits?.length === 0))
}

function* search(
  searcher: Searcher,
  { type, radius: { bits, marginBits }, asked }: Batch,
  room: { hits: number },
): Generator<void, void, void> {
  const sets = asked.map(({ hashes }) => hashes)
  const each = yield* searcher.searchEach(type, sets, bits, marginBits)
  for (const [i, { orientationGroups, group }] of asked.entries()) {
    orientationGroups[group] = kept(each[i], room)
  }
}

/** @returns the hits; `undefined` if there is no room for them. */
function kept(hits: readonly Hit[] | undefined, room: { hits: number }): readonly Hit[] | undefined {
  if (hits === undefined || hits.length > room.hits) return undefined
  room.hits -= hits.length
  return hits
}

/** Searches in the same index with the same radius. */
interface Batch {
  readonly type: SignalType
  readonly radius: Radius
  readonly asked: SearchedGroup[]
  needles: number
}

interface SearchedGroup {
  readonly hashes: readonly Hash256[]
  /** Where to write the hits, and at which index. */
  readonly orientationGroups: (readonly Hit[] | undefined)[]
  readonly group: number
}

/** As far as `first`, and where that finds anything as far as the whole radius. @param atFirst what was found as far as `first`, if it was searched for. */
export function* searchInTwo(
  searcher: Searcher,
  type: SignalType,
  needles: readonly Hash256[],
  radius: Radius,
  first = radius,
  atFirst: readonly Hit[] | undefined = undefined,
): Generator<void, readonly Hit[], void> {
  yield
  const near = atFirst ?? (yield* searcher.search(type, needles, first.bits, first.marginBits))
  if (first === radius || near.length === 0) return near
  return yield* searcher.search(type, needles, radius.bits, radius.marginBits)
}
