// Searches for hashes of several pictures in one pass over the index, before each of them is answered.

import type { HashedSignal } from '../domain/hashed-image.js'
import type { View } from '../domain/signal.js'
import type { SignalType } from '../domain/signal-types.js'
import type { Hash256 } from '../hash/hash256.js'
import type { Hit } from '../search/signal-index.js'
import type { Catalogue } from './catalogue.js'
import { lotsOf } from './turns.js'

/** How far to search for a signal of a type and a view, as it is (or mirrored) or turned. */
export type WidestBits = (type: SignalType, asked: View, turned: boolean) => number

/** What was found for the lots of a signal (`lotsOf`), in their order. */
export type FoundAhead = ReadonlyMap<HashedSignal, readonly (readonly Hit[])[]>

/** More in one pass gain nothing. */
const PICTURES_AT_ONCE = 16
/** Sets of more needles gain nothing by being searched for beside others. */
const MOST_NEEDLES = 2
/** What an index takes at once. */
const MOST_AT_ONCE = 64

export const NOTHING_AHEAD: FoundAhead = new Map()

/** Does work that may give way to others, and waits where it has to. */
export async function inTurns<T>(work: Generator<void, T, void>, giveWay: () => Promise<void> | undefined): Promise<T> {
  let step = work.next()
  for (; step.done !== true; step = work.next()) {
    const turn = giveWay()
    if (turn !== undefined) await turn
  }
  return step.value
}

/** Some pictures at a time, in their order. */
export function* someAtATime(
  pictures: Iterable<readonly HashedSignal[]>,
): Generator<(readonly HashedSignal[])[], void, void> {
  let some: (readonly HashedSignal[])[] = []
  for (const picture of pictures) {
    some.push(picture)
    if (some.length < PICTURES_AT_ONCE) continue
    yield some
    some = []
  }
  if (some.length > 0) yield some
}

/**
 * @returns what is near to the signals of these pictures, for those that gain by it. Found at the call: what is removed later is in it,
 * and has to be left out by whoever answers.
 */
export function* searchAhead(
  catalogue: Catalogue,
  pictures: readonly (readonly HashedSignal[])[],
  widestBits: WidestBits,
): Generator<void, FoundAhead, void> {
  const found = new Map<HashedSignal, (readonly Hit[])[]>()
  const alike = new Map<string, Alike>()
  for (const signal of pictures.flat()) {
    const { type, view } = signal
    if (signal.hashes.length > MOST_NEEDLES || found.has(signal)) continue
    const lots: (readonly Hit[])[] = []
    found.set(signal, lots)
    for (const [place, { turned, hashes }] of lotsOf(signal).entries()) {
      const bits = widestBits(type, view, turned)
      const key = `${type} ${bits}`
      const those = alike.get(key) ?? { type, bits, asked: [] }
      alike.set(key, those)
      those.asked.push({ hashes, lots, place })
    }
  }
  for (const { type, bits, asked } of alike.values()) {
    for (let from = 0; from < asked.length; from += MOST_AT_ONCE / MOST_NEEDLES) {
      yield
      const some = asked.slice(from, from + MOST_AT_ONCE / MOST_NEEDLES)
      const sets = some.map(({ hashes }) => hashes)
      const each = yield* catalogue.index(type).searchEach(sets, bits)
      for (const [i, { lots, place }] of some.entries()) lots[place] = each[i] ?? []
    }
  }
  return found
}

/** What is searched for in the same index, equally far. */
interface Alike {
  readonly type: SignalType
  readonly bits: number
  readonly asked: Asked[]
}

interface Asked {
  readonly hashes: readonly Hash256[]
  /** Where what is found goes, and its place there. */
  readonly lots: (readonly Hit[])[]
  readonly place: number
}
