// Searches for hashes of several pictures in one pass over the index, before each of them is answered.

import type { HashedSignal } from '../domain/hashed-image.js'
import type { View } from '../domain/signal.js'
import { SIGNAL_TYPES, type SignalType } from '../domain/signal-types.js'
import { HASH_BITS, type Hash256 } from '../hash/hash256.js'
import type { Hit } from '../search/signal-index.js'
import type { Catalogue } from './catalogue.js'
import { paceMaker } from './pace.js'
import { lotsOf } from './turns.js'
import type { TurnsOfLoop } from './turns-of-loop.js'

/** How far to search for a signal of a type and a view, as it is (or mirrored) or turned. */
export type WidestBits = (type: SignalType, asked: View, turned: boolean) => number

/** What was found for the lots of a signal (`lotsOf`), in their order; a lot that was not searched for has none. */
export type FoundAhead = ReadonlyMap<HashedSignal, readonly (readonly Hit[] | undefined)[]>

export type Pictures = readonly (readonly HashedSignal[])[]

interface Asking {
  readonly pictures: Pictures
  readonly widestBits: WidestBits
}

/** What gains by being searched for beside others. */
interface Rule {
  readonly mostNeedles: number
  readonly mostBitsOf: (type: SignalType) => number
}

/** More in one pass gain nothing. */
const PICTURES_AT_ONCE = 16
/** Within a call nobody waits for anybody else, and sets of more needles gain nothing. */
const WITHIN_A_CALL: Rule = { mostNeedles: 2, mostBitsOf: () => HASH_BITS }
/** Who asks farther than is usual waits for it alone. */
const WITHIN_A_TURN: Rule = { mostNeedles: 8, mostBitsOf: (type) => SIGNAL_TYPES[type].thresholdBits }
/**
 * So long a pass goes on before the loop turns: all that one turn begins, and seldom more. All who came with it wait for its end, so if it gave way as
 * often as one long call does, each of them would wait for others' turns several times.
 */
const PASS_MS = 4
/** Of one request, to be searched for beside others; with more it gives way by itself. */
const FEW_NEEDLES = 16
/** What an index takes at once. */
const MOST_AT_ONCE = 64

export const NOTHING_AHEAD: FoundAhead = new Map()

/** The pictures, if they are so few that they are best searched for together with whatever else comes in with this turn. */
export function fewIn(pictures: Iterable<readonly HashedSignal[]>): Pictures | undefined {
  if (!Array.isArray(pictures) || pictures.length > FEW_NEEDLES) return undefined
  const few: Pictures = pictures
  let needles = 0
  for (const signals of few) for (const { hashes } of signals) needles += hashes.length
  return needles <= FEW_NEEDLES ? few : undefined
}

/**
 * Searches together for what different requests ask that came in with one turn of the event loop.
 *
 * A search reads all over tables of megabytes, and whatever stands between two of them brings its own code and data into the caches again: so
 * all are searched for before any of them is looked at.
 *
 * @returns a function to be called within the turn. It gives what was found when the turn is over, and nothing for one picture that was alone.
 */
export function searchesOfTurns({
  atEndOfTurn,
}: Pick<TurnsOfLoop, 'atEndOfTurn'>): (catalogue: Catalogue, asking: Asking) => Promise<FoundAhead> {
  let ofTurn: SearchesOfTurn | undefined
  const begin = (catalogue: Catalogue): SearchesOfTurn => {
    const asked: AskingOfTurn[] = []
    const begun = { catalogue, asked }
    atEndOfTurn(async () => {
      if (ofTurn === begun) ofTurn = undefined
      try {
        const isOne = asked.length === 1 && asked[0]?.pictures.length === 1
        const found = isOne
          ? []
          : await inTurns(
              searchEachAhead(catalogue, asked, WITHIN_A_TURN),
              paceMaker(PASS_MS, () => performance.now()),
            )
        for (const [i, { resolve }] of asked.entries()) resolve(found[i] ?? NOTHING_AHEAD)
      } catch (error) {
        for (const { reject } of asked) reject(error)
      }
    })
    return begun
  }
  return (catalogue, asking) =>
    new Promise((resolve, reject) => {
      if (ofTurn?.catalogue !== catalogue) ofTurn = begin(catalogue)
      ofTurn.asked.push({ ...asking, resolve, reject })
    })
}

interface AskingOfTurn extends Asking {
  readonly resolve: (found: FoundAhead) => void
  readonly reject: (error: unknown) => void
}

interface SearchesOfTurn {
  readonly catalogue: Catalogue
  readonly asked: AskingOfTurn[]
}

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
  pictures: Pictures,
  widestBits: WidestBits,
): Generator<void, FoundAhead, void> {
  const [found = NOTHING_AHEAD] = yield* searchEachAhead(catalogue, [{ pictures, widestBits }], WITHIN_A_CALL)
  return found
}

/** The same for each of several who ask. */
function* searchEachAhead(
  catalogue: Catalogue,
  askings: readonly Asking[],
  { mostNeedles, mostBitsOf }: Rule,
): Generator<void, FoundAhead[], void> {
  const alike = new Map<string, Alike>()
  const found = askings.map(({ pictures, widestBits }) => {
    const foundHere = new Map<HashedSignal, (Hit[] | undefined)[]>()
    for (const signals of pictures) {
      for (const signal of signals) {
        const { type, view } = signal
        if (signal.hashes.length > mostNeedles || foundHere.has(signal)) continue
        const lots: (Hit[] | undefined)[] = []
        foundHere.set(signal, lots)
        for (const [place, { turned, hashes }] of lotsOf(signal).entries()) {
          const bits = widestBits(type, view, turned)
          if (bits > mostBitsOf(type)) continue
          const key = `${type} ${bits}`
          const those = alike.get(key) ?? { type, bits, asked: [] }
          alike.set(key, those)
          those.asked.push({ hashes, lots, place })
        }
      }
    }
    return foundHere
  })
  for (const { type, bits, asked } of alike.values()) {
    for (const some of fittingAtOnce(asked)) {
      yield
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
  readonly lots: (Hit[] | undefined)[]
  readonly place: number
}

function* fittingAtOnce(asked: readonly Asked[]): Generator<readonly Asked[], void, void> {
  let from = 0
  let needles = 0
  for (const [i, { hashes }] of asked.entries()) {
    if (needles + hashes.length > MOST_AT_ONCE) {
      yield asked.slice(from, i)
      from = i
      needles = 0
    }
    needles += hashes.length
  }
  if (from < asked.length) yield asked.slice(from)
}
