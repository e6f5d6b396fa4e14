// Searches for many sets of needles together. The result for each set is the same as that of its own search.
//
// A segment is probed band by band, each band for all needles. Thousands of needles read most of a band's table, so it is loaded into the CPU
// caches once instead of once for every few needles.

import { HASH_BYTES, type Hash256 } from '../../../hash/src/hash256.js'
import { NARROW } from './band-shape.js'
import { type Engine, scratch } from './engine.js'
import type { Hit } from './hit.js'
import { NearestByRow, type Part, pick, readHits } from './part.js'
import { type Plan, scanNs } from './plan.js'
import type { RowBlock } from './row-block.js'
import { PROBED_NS, Segment } from './segment.js'

/** What was found for each set; `undefined` for a set that needs its own search. */
export type Answers = (Hit[] | undefined)[]

/** A set with more hits needs its own search, so that the results of all sets together fit into memory. */
export const MAX_HITS = 256

/**
 * Limits for one needle in one band: this many times the average, plus a small share of a full scan. Beyond that its set needs its own search,
 * which counts candidates first and plans for them.
 */
const EXPECTED_TIMES = 4
const MORE_CANDIDATES = 1 / 128
const MORE_SURVIVORS = 1 / 2048

/** Copied between two pauses. */
const SETS_AT_ONCE = 256

/** The needles of several sets, one after the other. */
interface Asked {
  readonly bytes: Uint8Array
  /** For each needle: its set, and its index within that set. */
  readonly setOf: Uint16Array
  readonly placeOf: Uint8Array
  /** For each set: its original number of needles. */
  readonly needlesOf: Uint8Array
}

/**
 * Pauses about every third of a millisecond; in parts that are not probed, as `Part.search` does.
 *
 * @param parts the parts, and how many rows of each to search.
 * @param sets at most 65,536, of 0…64 needles each.
 * @param marginBits as for `SignalIndex.search`.
 * @returns for each set the same hits as `search`, in no defined order.
 * Cost: for 8,000 needles and a million rows three fifths of the cost of separate searches; for few needles the same.
 */
export function* searchTogether(
  parts: readonly { readonly part: Part; readonly rows: number }[],
  sets: readonly (readonly Hash256[])[],
  thresholdBits: number,
  marginBits = 0,
): Generator<void, Answers, void> {
  const answers: Answers = sets.map(() => [])
  let asked = yield* gathered(sets)
  // A set that needs its own search is left out of all later parts.
  for (const { part, rows } of parts) {
    if (asked.setOf.length === 0) break
    const plan = part instanceof Segment && part.tabled.shape === NARROW ? part.plan(thresholdBits) : undefined
    if (part instanceof Segment && plan !== undefined)
      yield* probeFor(part, plan, asked, thresholdBits + marginBits, answers)
    else yield* searchIn(part, rows, asked, { thresholdBits, marginBits }, answers)
    asked = stillAsked(asked, answers)
  }
  return answers
}

function* gathered(sets: readonly (readonly Hash256[])[]): Generator<void, Asked, void> {
  const count = sets.reduce((sum, { length }) => sum + length, 0)
  const bytes = new Uint8Array(count * HASH_BYTES)
  const setOf = new Uint16Array(count)
  const placeOf = new Uint8Array(count)
  let number = 0
  for (const [set, needles] of sets.entries()) {
    if (set % SETS_AT_ONCE === SETS_AT_ONCE - 1) yield
    for (const [place, needle] of needles.entries()) {
      bytes.set(needle, number * HASH_BYTES)
      setOf[number] = set
      placeOf[number] = place
      number++
    }
  }
  return { bytes, setOf, placeOf, needlesOf: Uint8Array.from(sets, ({ length }) => length) }
}

function stillAsked(asked: Asked, answers: Answers): Asked {
  const isAsked = (set: number) => answers[set] !== undefined
  if (asked.setOf.every(isAsked)) return asked
  const numbers = Array.from(asked.setOf.keys()).filter((number) => isAsked(asked.setOf[number] ?? 0))
  return {
    ...asked,
    bytes: pick(asked.bytes, numbers),
    setOf: Uint16Array.from(numbers, (number) => asked.setOf[number] ?? 0),
    placeOf: Uint8Array.from(numbers, (number) => asked.placeOf[number] ?? 0),
  }
}

function* probeFor(
  segment: Segment,
  plan: Plan,
  allAsked: Asked,
  farthestBits: number,
  answers: Answers,
): Generator<void, void, void> {
  const { block } = segment
  const { engine } = block
  const found = new Map<number, NearestByRow>()
  leaveWhatIsRead(allAsked, plan, block.rows, answers)
  let asked = stillAsked(allAsked, answers)
  let ns = 0
  for (const [band, limits] of limitsOf(segment, plan).entries()) {
    const bandNs = plan.bandNs[band] ?? 0
    if (bandNs === 0) continue
    const atOnce = Math.max(1, Math.min(scratch.maxNeedles, Math.floor(PROBED_NS / bandNs)))
    for (let first = 0; first < asked.setOf.length; first += atOnce) {
      if (ns > 0 && ns + atOnce * bandNs > PROBED_NS) {
        yield
        ns = 0
      }
      ns += atOnce * bandNs
      const end = Math.min(first + atOnce, asked.setOf.length)
      // Another search may have replaced the needles and the plan during a pause.
      block.loadNeedles(asked.bytes.subarray(first * HASH_BYTES, end * HASH_BYTES))
      block.loadPlan(plan.reach, farthestBits)
      const hits = engine.probeEach(end - first, band, farthestBits, limits.candidates, limits.survivors)
      for (let number = first; number < end; number++) {
        if (hits < 0 || isGivenUp(engine, number - first)) answers[asked.setOf[number] ?? 0] = undefined
      }
      if (hits > 0) note(block, hits, asked, first, found, answers)
    }
    asked = stillAsked(asked, answers)
  }
  for (const [set, nearest] of found) nearest.moveTo(block, answers[set] ?? [])
}

/** Leaves out sets for which reading all rows is cheaper. They get their own search. */
function leaveWhatIsRead({ setOf, placeOf }: Asked, plan: Plan, rows: number, answers: Answers): void {
  for (const [number, set] of setOf.entries()) {
    const needles = (placeOf[number] ?? 0) + 1
    if (needles * plan.costNs > scanNs(rows, needles)) answers[set] = undefined
  }
}

/** Limits for one needle, by band. */
function limitsOf({ block: { rows }, counts, tabled: { shape } }: Segment, plan: Plan) {
  return Array.from(plan.reach, (reach, band) => {
    let candidates = 0
    for (let bits = 0; bits < reach; bits++) candidates += counts[band * shape.maxReach + bits] ?? 0
    const survivors = (plan.survivors * candidates) / plan.candidates
    return {
      candidates: EXPECTED_TIMES * candidates + rows * MORE_CANDIDATES,
      survivors: EXPECTED_TIMES * survivors + rows * MORE_SURVIVORS,
    }
  })
}

function isGivenUp({ words }: Engine, needle: number): boolean {
  return ((words[(scratch.givenUpAt >>> 2) + (needle >>> 5)] ?? 0) & (1 << (needle & 31))) !== 0
}

/** Records hits of the kernel. `first` is the number of its first needle. */
function note(
  block: RowBlock,
  hits: number,
  { setOf, placeOf, needlesOf }: Asked,
  first: number,
  found: Map<number, NearestByRow>,
  answers: Answers,
): void {
  readHits(block, hits, (row, needle, distanceBits) => {
    const set = setOf[first + needle] ?? 0
    const nearest = found.get(set) ?? new NearestByRow(needlesOf[set] ?? 0)
    found.set(set, nearest)
    nearest.add(row, placeOf[first + needle] ?? 0, distanceBits)
    if (nearest.rows > MAX_HITS) answers[set] = undefined
  })
}

/** Searches a part for as many sets at a time as it takes needles. */
function* searchIn(
  part: Part,
  rows: number,
  { bytes, setOf, placeOf }: Asked,
  { thresholdBits, marginBits }: { readonly thresholdBits: number; readonly marginBits: number },
  answers: Answers,
): Generator<void, void, void> {
  for (let first = 0; first < setOf.length; ) {
    if (first > 0) yield
    let end = Math.min(first + scratch.maxNeedles, setOf.length)
    while (end < setOf.length && (placeOf[end] ?? 0) > 0) end-- // do not split a set
    const some = bytes.subarray(first * HASH_BYTES, end * HASH_BYTES)
    let sets = 0
    const hereOf = Uint8Array.from(placeOf.subarray(first, end), (place) => (place === 0 ? sets++ : sets - 1))
    const hits: Hit[] = []
    yield* part.search(some, thresholdBits, rows, hits, hereOf, marginBits)
    for (const hit of hits) {
      const number = first + hit.transform
      answers[setOf[number] ?? 0]?.push({ ...hit, transform: placeOf[number] ?? 0 })
    }
    for (let number = first; number < end; number++) {
      const set = setOf[number] ?? 0
      if ((answers[set]?.length ?? 0) > MAX_HITS) answers[set] = undefined
    }
    first = end
  }
}
