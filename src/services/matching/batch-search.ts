// How far pictures are searched for, and the search for the hashes of several pictures in one pass over the index, before the first is answered.

import { distance, type Hash256 } from '../../../packages/hash/src/hash256.js'
import type { HashedSignal } from '../../domain/matching/hashed-image.js'
import type { View } from '../../domain/matching/signal.js'
import type { SignalType } from '../../domain/matching/signal-types.js'
import type { Hit } from '../../search/hit.js'
import type { Searcher } from '../index/searcher.js'
import { orientationGroupsOf } from './orientations.js'

/** The search radius for a signal type and view; `rotated` is false for the original and its mirror image. */
export type WidestOf = (type: SignalType, asked: View, rotated: boolean) => Radius

/** A hit up to `marginBits` beyond `bits` is returned if the search comes across it. */
export interface Radius {
  readonly bits: number
  readonly marginBits: number
}

/** From so many views on, a copy is near in several of them, so that a search may miss one. */
const MANY_VIEWS = 8

/** A first pass finds everything up to here. */
const FIRST_PASS_BITS = 31

/**
 * How far to search at first for a view of a picture: the whole radius, unless it has many views. For those a pass that is complete within 31 bits comes
 * across nearly all pairs beyond, at a tenth of the cost. Where it finds anything the caller searches the whole radius, so that a match is judged by all
 * that is near. It found 770 of 770 edits that a complete search finds (decision 0010).
 */
export function firstPassOf(radius: Radius, type: SignalType, signals: readonly HashedSignal[]): Radius {
  if (type !== 'pdq-area' || radius.bits <= FIRST_PASS_BITS) return radius
  const views = signals.reduce((count, signal) => count + Number(signal.type === type), 0)
  if (views < MANY_VIEWS) return radius
  return { bits: FIRST_PASS_BITS, marginBits: radius.bits + radius.marginBits - FIRST_PASS_BITS }
}

/** Images whose rows are compared one by one in place of a search. */
const MAX_COMPARED = 16

/**
 * Is any of these hashes near a row of one of these images? `true` also where a search has to tell: for many images, and for one without rows of that type.
 * Cost: 0.1 µs for each hash and row.
 */
export function nearnessTo(
  searcher: Pick<Searcher, 'viewsOf'>,
  images: ReadonlySet<number>,
): (type: SignalType, hashes: readonly Hash256[], bits: number) => boolean {
  const known = new Map<SignalType, ReturnType<Searcher['viewsOf']>[]>()
  return (type, hashes, bits) => {
    if (images.size > MAX_COMPARED) return true
    const rows = known.get(type) ?? Array.from(images, (image) => searcher.viewsOf(image, type))
    known.set(type, rows)
    const isNear = (row: Hash256) => hashes.some((hash) => distance(hash, row, bits) <= bits)
    return rows.some((own) => own.length === 0 || own.some(({ hash }) => isNear(hash)))
  }
}

/**
 * Hits by signal, for each group of `orientationGroupsOf` in order; `undefined` for a group that has to be searched separately.
 */
export type FoundAhead = ReadonlyMap<HashedSignal, readonly (readonly Hit[] | undefined)[]>

/** Maximum needles of one search. More would not use the caches better, and their hits have to be kept. */
const MAX_NEEDLES = 8192

/** Maximum hits kept for the pictures of a call. Groups with more are searched for again when their picture is answered. */
const MAX_KEPT = 32_768

export const NOTHING_AHEAD: FoundAhead = new Map()

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
export function* gathered(pictures: Iterable<readonly HashedSignal[]>): Generator<void, (readonly HashedSignal[])[], void> {
  const all: (readonly HashedSignal[])[] = []
  for (const picture of pictures) {
    if (all.length > 0) yield
    all.push(picture)
  }
  return all
}

/**
 * Searches for all signals of these pictures.
 * @param isFirstPass search as far as `firstPassOf` says?
 * @returns hits as of the call. An image that is removed later is still among them; the caller has to leave it out.
 */
export function* searchAhead(
  searcher: Searcher,
  pictures: readonly (readonly HashedSignal[])[],
  widestOf: WidestOf,
  isFirstPass = false,
): Generator<void, FoundAhead, void> {
  const found = new Map<HashedSignal, (readonly Hit[] | undefined)[]>()
  const batches = new Map<string, Batch>()
  const room = { hits: MAX_KEPT }
  for (const signals of pictures) {
    yield
    for (const signal of signals) {
      if (found.has(signal)) continue
      const orientationGroups: (readonly Hit[] | undefined)[] = []
      found.set(signal, orientationGroups)
      for (const [group, { rotated, hashes }] of orientationGroupsOf(signal).entries()) {
        const { type, view } = signal
        const widest = widestOf(type, view, rotated)
        const radius = isFirstPass ? firstPassOf(widest, type, signals) : widest
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

/** Was every signal searched for and nothing found? */
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
    const hits = each[i]
    const isKept = hits !== undefined && hits.length <= room.hits
    orientationGroups[group] = isKept ? hits : undefined
    if (isKept) room.hits -= hits.length
  }
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
  /** Where the hits are written, and the index there. */
  readonly orientationGroups: (readonly Hit[] | undefined)[]
  readonly group: number
}
