// Searches for the hashes of several pictures in one pass over the index, before the first is answered.

import type { Hash256 } from '../../../packages/hash/src/hash256.js'
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
 * @returns hits as of the call. An image that is removed later is still among them; the caller has to leave it out.
 */
export function* searchAhead(
  searcher: Searcher,
  pictures: readonly (readonly HashedSignal[])[],
  widestOf: WidestOf,
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
        const radius = widestOf(type, view, rotated)
        const key = `${type} ${radius.bits}`
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
