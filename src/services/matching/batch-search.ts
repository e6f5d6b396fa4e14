// Searches for hashes of several pictures in one pass over the index, before each of them is answered.

import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import type { HashedSignal } from '../../domain/matching/hashed-image.js'
import type { View } from '../../domain/matching/signal.js'
import type { SignalType } from '../../domain/matching/signal-types.js'
import type { Hit } from '../../search/hit.js'
import type { Searcher } from '../index/searcher.js'
import { orientationGroupsOf } from './orientations.js'

/** How far to search for a signal of a type and a view, as it is (or mirrored) or turned. */
export type WidestOf = (type: SignalType, asked: View, rotated: boolean) => Radius

/** What is up to `marginBits` farther is found as far as the search meets it. */
export interface Radius {
  readonly bits: number
  readonly marginBits: number
}

/** What was found for the lots of a signal (`orientationGroupsOf`), in their order; `undefined` for those that have to be searched for by themselves. */
export type FoundAhead = ReadonlyMap<HashedSignal, readonly (readonly Hit[] | undefined)[]>

/** Needles searched for together: more find no more of a table in the caches, and what is found for them has to be kept. */
const MAX_NEEDLES = 8192

/** Hits that are kept for the pictures of a call. What more is near to is searched for when its turn comes. */
const MAX_KEPT = 32_768

export const NOTHING_AHEAD: FoundAhead = new Map()

/** Does work that may give way to others, and waits where it has to. */
export async function runCooperatively<T>(
  work: Generator<void, T, void>,
  yieldIfNeeded: () => Promise<void> | undefined,
): Promise<T> {
  let step = work.next()
  for (; step.done !== true; step = work.next()) {
    const turn = yieldIfNeeded()
    if (turn !== undefined) await turn
  }
  return step.value
}

/** All pictures, which may be made one by one. */
export function* gathered(pictures: Iterable<readonly HashedSignal[]>): Generator<void, (readonly HashedSignal[])[], void> {
  const all: (readonly HashedSignal[])[] = []
  for (const picture of pictures) {
    if (all.length > 0) yield
    all.push(picture)
  }
  return all
}

/**
 * @returns what is near to the signals of these pictures. Found at the call: what is removed later is in it, and has to be left out by whoever
 * answers.
 */
export function* searchAhead(
  searcher: Searcher,
  pictures: readonly (readonly HashedSignal[])[],
  widestOf: WidestOf,
): Generator<void, FoundAhead, void> {
  const found = new Map<HashedSignal, (readonly Hit[] | undefined)[]>()
  const alike = new Map<string, Alike>()
  const room = { hits: MAX_KEPT }
  for (const signals of pictures) {
    yield
    for (const signal of signals) {
      if (found.has(signal)) continue
      const orientationGroups: (readonly Hit[] | undefined)[] = []
      found.set(signal, orientationGroups)
      for (const [place, { rotated, hashes }] of orientationGroupsOf(signal).entries()) {
        const { type, view } = signal
        const radius = widestOf(type, view, rotated)
        const key = `${type} ${radius.bits}`
        const those = alike.get(key) ?? { type, radius, asked: [], needles: 0 }
        alike.set(key, those)
        those.asked.push({ hashes, orientationGroups, place })
        those.needles += hashes.length
        if (those.needles < MAX_NEEDLES) continue
        alike.delete(key)
        yield* search(searcher, those, room)
      }
    }
  }
  for (const those of alike.values()) yield* search(searcher, those, room)
  return found
}

/** Was all of a picture searched for, and nothing found? */
export function isNowhere(signals: readonly HashedSignal[], ahead: FoundAhead): boolean {
  return signals.every((signal) => ahead.get(signal)?.every((hits) => hits?.length === 0))
}

function* search(
  searcher: Searcher,
  { type, radius: { bits, marginBits }, asked }: Alike,
  room: { hits: number },
): Generator<void, void, void> {
  const sets = asked.map(({ hashes }) => hashes)
  const each = yield* searcher.searchEach(type, sets, bits, marginBits)
  for (const [i, { orientationGroups, place }] of asked.entries()) {
    const hits = each[i]
    const isKept = hits !== undefined && hits.length <= room.hits
    orientationGroups[place] = isKept ? hits : undefined
    if (isKept) room.hits -= hits.length
  }
}

/** What is searched for in the same index, equally far. */
interface Alike {
  readonly type: SignalType
  readonly radius: Radius
  readonly asked: Asked[]
  needles: number
}

interface Asked {
  readonly hashes: readonly Hash256[]
  /** Where what is found goes, and its place there. */
  readonly orientationGroups: (readonly Hit[] | undefined)[]
  readonly place: number
}
