// Many sets of needles searched for together, each answered as if it had been alone.
//
// A segment is probed band by band, and in each band for all needles: then a band's table, of which some thousand needles read most, comes into the
// caches once and not once for every few of them.

import { HASH_BYTES, type Hash256 } from '../../packages/hash/src/hash256.js'
import { type Engine, scratch } from './engine.js'
import type { Hit } from './hit.js'
import { NearestByRow, type Part, pick, readHits } from './part.js'
import { type Plan, scanNs } from './plan.js'
import type { RowBlock } from './row-block.js'
import { PROBED_NS, Segment } from './segment.js'
import { NARROW } from './shape.js'

/** Of each set what was found, or `undefined` where it has to be searched for by itself. */
export type Answers = (Hit[] | undefined)[]

/** A set that meets more has to be searched for by itself, so that what is found for all of them does not fill the memory. */
export const MAX_HITS = 256

/**
 * In one band a needle may meet so many times what rows meet on average, and as many more as cost a small share of reading all of them; else its set
 * is left to a search that counts first, and plans for what it meets.
 */
const EXPECTED_TIMES = 4
const MORE_CANDIDATES = 1 / 128
const MORE_SURVIVORS = 1 / 2048

/** Copied between two pauses. */
const SETS_AT_ONCE = 256

/** The needles of some sets, one after the other. */
interface Asked {
  readonly bytes: Uint8Array
  /** Of each needle its set, and which of that set's it is. */
  readonly setOf: Uint16Array
  readonly placeOf: Uint8Array
  /** Of each set, how many there were at first. */
  readonly needlesOf: Uint8Array
}

/**
 * Pauses about every third of a millisecond, and in parts that are not probed as `Part.search` does.
 *
 * @param parts with how many of their rows to search.
 * @param sets at most 65,536, of 0…64 needles each.
 * @param marginBits as of `SignalIndex.search`.
 * @returns as `search` finds it for each set, in no promised order.
 * Cost: for 8,000 needles among a million rows three fifths of as many searches, for few as much as those.
 */
export function* searchTogether(
  parts: readonly { readonly part: Part; readonly rows: number }[],
  sets: readonly (readonly Hash256[])[],
  thresholdBits: number,
  marginBits = 0,
): Generator<void, Answers, void> {
  const answers: Answers = sets.map(() => [])
  let asked = yield* gathered(sets)
  // What has to be searched for alone in one part, need not be searched for in those that come later.
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
      // Whoever had his turn meanwhile may have left other needles and another plan.
      block.loadNeedles(asked.bytes.subarray(first * HASH_BYTES, end * HASH_BYTES))
      engine.bytes.set(plan.reach, scratch.planAt)
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

/** Leaves sets to a search of their own for which it is cheaper to read all rows. */
function leaveWhatIsRead({ setOf, placeOf }: Asked, plan: Plan, rows: number, answers: Answers): void {
  for (const [number, set] of setOf.entries()) {
    const needles = (placeOf[number] ?? 0) + 1
    if (needles * plan.costNs > scanNs(rows, needles)) answers[set] = undefined
  }
}

/** By band, what one needle may meet there. */
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

/** Notes hits of needles of which the first has that number. */
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

/** As many sets at a time as a part takes needles. */
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
    while (end < setOf.length && (placeOf[end] ?? 0) > 0) end-- // no set is taken apart
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
