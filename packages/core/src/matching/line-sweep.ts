// Finds lines among pairs of frames: for each possible speed, the offsets that many pairs share.

import { type FramePair, REVERSED, SPEEDS, TOLERANCE_MS } from './frame-pair.js'

/** A line, and the indexes of the pairs on it. */
export interface Line {
  readonly speed: number
  readonly pairs: readonly number[]
}

/**
 * Maximum number of lines. It is larger than the number of segments in an answer, because neighbouring lines are merged later. A video that repeats
 * two seconds for two minutes has 60 lines.
 */
const MAX_LINES = 64

/**
 * Speeds to try. Steps of 1/8 find every line: its two pairs are at most 30 s apart, so at the nearest step both are within the tolerance
 * (30 s × 1/16 < 2 × 1 s). Speeds nearest to 1 come first, because of equally good ones the first is reported.
 */
const STEP = 1 / 8
const TRIED: readonly number[] = [
  ...Array.from({ length: (SPEEDS.fastest - SPEEDS.slowest) / STEP + 1 }, (_, k) => SPEEDS.slowest + k * STEP).sort(
    (a, b) => Math.abs(a - 1) - Math.abs(b - 1) || b - a,
  ),
  REVERSED,
]

/** A pair at this distance or farther adds nothing to the `nearness` of a band. */
const FAR_BITS = 64

/**
 * Finds the line with the most frames, takes its pairs away, and repeats this with the rest until no two pairs are in line.
 * @param pairs of one orientation, at most 65,536.
 * @param inLine which two pairs are in line.
 * @returns the lines, the one with the most frames first.
 * Cost: at most 64 × 14 passes over the pairs. Yields after each, so that a caller can pause.
 */
export function* linesAmong(pairs: readonly FramePair[], inLine: PairsInLine): Generator<void, Line[], void> {
  const state = { pairs, inLine, isTaken: new Uint8Array(pairs.length), ...framesOf(pairs) }
  const sweeps: Sweep[] = []
  for (const speed of TRIED) {
    const sweep = sweepAt(speed, pairs)
    yield
    sweep.best = bestIn(sweep, state)
    sweeps.push(sweep)
  }
  const lines: Line[] = []
  while (lines.length < MAX_LINES) {
    // Speeds are compared only by frames. `nearness` is a sum over pairs, and slow speeds have more pairs, because each registered frame is near more
    // query frames.
    const top = sweeps.reduce((one, other) => ((other.best?.frames ?? 0) > (one.best?.frames ?? 0) ? other : one))
    if (top.best === undefined) break
    if (top.isStale) {
      // Taking pairs away can only make a sweep's result worse. So its old result is an upper bound, and only the best sweep needs a new pass.
      yield
      top.best = bestIn(top, state)
      top.isStale = false
      continue
    }
    const { from, to } = top.best
    const own = Array.from(top.order.subarray(from, to)).filter((pair) => state.isTaken[pair] === 0)
    for (const pair of own) state.isTaken[pair] = 1
    lines.push({ speed: top.speed, pairs: own })
    for (const sweep of sweeps) sweep.isStale = true
  }
  return lines
}

/** Which pairs are in line with which: a symmetric relation, stored as a bit for each two. Memory: n² / 8 bytes for n pairs. */
export class PairsInLine {
  readonly words: number
  readonly #bits: Uint32Array
  readonly #isAny: Uint8Array

  constructor(pairs: number) {
    this.words = Math.ceil(pairs / 32)
    this.#bits = new Uint32Array(pairs * this.words)
    this.#isAny = new Uint8Array(pairs)
  }

  add(one: number, other: number): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const at = from * this.words + (to >>> 5)
      this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (to & 31))
      this.#isAny[from] = 1
    }
  }

  /** @returns how many pairs of a set are in line with `pair`. @param set a bit for each pair, in `words` words. */
  count(pair: number, set: Uint32Array): number {
    if (this.#isAny[pair] === 0) return 0
    let count = 0
    for (let i = 0, at = pair * this.words; i < this.words; i++, at++) count += ones((this.#bits[at] ?? 0) & (set[i] ?? 0))
    return count
  }
}

interface Sweep {
  readonly speed: number
  /** Indexes of pairs by ascending offset, and the offsets in that order. */
  readonly order: Uint16Array
  readonly offsets: Float64Array
  best: Band | undefined
  isStale: boolean
}

/** Pairs whose offsets differ by at most twice the tolerance. */
interface Band {
  /** In the order of the sweep; `to` is exclusive. */
  readonly from: number
  readonly to: number
  /** Number of distinct frames, of the query or of the registered video, whichever has fewer. */
  readonly frames: number
  /** Sum over the pairs of `FAR_BITS` minus their distance. */
  readonly nearness: number
}

interface State {
  readonly pairs: readonly FramePair[]
  readonly inLine: PairsInLine
  readonly isTaken: Uint8Array
  /** For each pair, the number of its frame in the query and in the registered video. */
  readonly askedOf: Uint16Array
  readonly registeredOf: Uint16Array
}

function framesOf(pairs: readonly FramePair[]): Pick<State, 'askedOf' | 'registeredOf'> {
  return {
    askedOf: numbered(pairs.map(({ askedMs }) => askedMs)),
    registeredOf: numbered(pairs.map(({ registeredMs }) => registeredMs)),
  }
}

function numbered(values: readonly number[]): Uint16Array {
  const numbers = new Map<number, number>()
  return Uint16Array.from(values, (value) => {
    const number = numbers.get(value) ?? numbers.size
    numbers.set(value, number)
    return number
  })
}

function sweepAt(speed: number, pairs: readonly FramePair[]): Sweep {
  const offsetOf = (pair: FramePair | undefined) => (pair?.registeredMs ?? 0) - speed * (pair?.askedMs ?? 0)
  const order = Uint16Array.from(pairs.keys()).sort((a, b) => offsetOf(pairs[a]) - offsetOf(pairs[b]) || a - b)
  return {
    speed,
    order,
    offsets: Float64Array.from(order, (pair) => offsetOf(pairs[pair])),
    best: undefined,
    isStale: false,
  }
}

/** @returns the band with the most frames, of the bands in which at least two pairs are in line. */
function bestIn({ order, offsets }: Sweep, { pairs, inLine, isTaken, askedOf, registeredOf }: State): Band | undefined {
  const inBand = new Uint32Array(inLine.words)
  const [asked, registered] = [new Moments(pairs.length), new Moments(pairs.length)]
  let [from, linked, nearness] = [0, 0, 0] // `linked`: combinations of two pairs of the band that are in line
  let best: Band | undefined
  const move = (pair: number, by: 1 | -1) => {
    if (by < 0) inBand[pair >>> 5] = (inBand[pair >>> 5] ?? 0) & ~(1 << (pair & 31))
    linked += by * inLine.count(pair, inBand)
    if (by > 0) inBand[pair >>> 5] = (inBand[pair >>> 5] ?? 0) | (1 << (pair & 31))
    asked.move(askedOf[pair] ?? 0, by)
    registered.move(registeredOf[pair] ?? 0, by)
    nearness += by * Math.max(0, FAR_BITS - (pairs[pair]?.bits ?? FAR_BITS))
  }
  for (let to = 0; to < order.length; to++) {
    const pair = order[to] ?? 0
    if (isTaken[pair] === 1) continue
    for (; (offsets[to] ?? 0) - (offsets[from] ?? 0) > 2 * TOLERANCE_MS; from++) {
      const left = order[from] ?? 0
      if (isTaken[left] === 0) move(left, -1)
    }
    move(pair, 1)
    if (linked === 0) continue
    const band = { from, to: to + 1, frames: Math.min(asked.count, registered.count), nearness }
    if (isBetter(band, best)) best = band
  }
  return best
}

/**
 * Compares by frames, then by nearness. `frames` counts the video with fewer, because many query frames of a still are near one registered frame at
 * any speed.
 */
function isBetter(one: Band | undefined, other: Band | undefined): boolean {
  if (one === undefined || other === undefined) return one !== undefined
  return one.frames !== other.frames ? one.frames > other.frames : one.nearness > other.nearness
}

/** Counts the distinct frames of the pairs in a band. */
class Moments {
  readonly #counts: Uint16Array
  count = 0

  constructor(moments: number) {
    this.#counts = new Uint16Array(moments)
  }

  move(moment: number, by: 1 | -1): void {
    const before = this.#counts[moment] ?? 0
    this.#counts[moment] = before + by
    if (before === (by > 0 ? 0 : 1)) this.count += by
  }
}

/** The number of set bits of a word. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
