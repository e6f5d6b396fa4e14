// Detects a caller that reconstructs a stored hash by flipping bits. Counts which bits its queries flipped near a match. Backs up
// the budget (probing.ts), which a caller can evade by hiding its queries among many harmless copies.
//
// A caller whose hash matches can find the stored hash: it flips bits, singly or in groups, and sees whether the hash still
// matches. It learns nothing about a bit that it never flipped, so it has to flip most of the 256 bits while it stays near the
// match. Copies of one picture do not do that (figures in bench/record/tuning.md).
//
// There are two counts, because copies flip more bits the farther they are from the match. `near`: every bit that was ever flipped
// counts, because small groups flip each bit rarely. `around`: only bits that are flipped repeatedly count. Queries in all
// orientations are counted together, so that a search gains nothing by using several.

import { HASH_BITS, type Hash256 } from '../../../../packages/hash/src/hash256.js'

/**
 * How much an organisation's queries about one picture look like a search for its hash: `slow` and `close` as in
 * `FLIPPED_BITS`.
 */
export type Suspicion = 'none' | 'slow' | 'close'

export interface FlippedBits {
  /**
   * Adds one signal of a query and returns the highest suspicion among the images that it is near to. Counts are kept for a
   * bounded number of images.
   * @param type signal type: only hashes of one type are compared.
   * @param hashes the hash of the query, then its rotations and mirrorings (at most seven), always in the same order.
   * @param matched the image of the first match in the answer; `undefined` when nothing matched.
   * Cost: a look-up for an organisation that never matched anything; otherwise at most 64 distances (below 1 µs), and 0.5 µs
   * more when one is near.
   */
  look(orgId: string, type: string, hashes: readonly Hash256[], matched: string | undefined): Suspicion
  /** Discards counts older than `FLIPPED_BITS.forgetAfterMs`, of all organisations. */
  forgetOld(): void
}

export const FLIPPED_BITS = {
  /** Up to this distance from a base, every bit that was ever flipped counts. */
  nearBits: 16,
  /**
   * Up to this distance from a base, bits count that were flipped often. The hash of an unrelated picture is practically never
   * this near.
   */
  aroundBits: 40,
  /**
   * The share of the queries around a base that must have flipped a bit for it to count. Groups of four or more bits reach it.
   */
  oftenShare: 0.015,
  /** After this number of queries around a base, all counts are halved, so that old queries do not hide recent ones. */
  aroundQuestions: 1024,
  /**
   * A match farther than this from all bases becomes a base. It is half of `nearBits`: a caller that flips groups of eight bits
   * stays near a base.
   */
  baseBits: 8,
  /** Minimum number of flipped bits and of queries for a suspicion. Both must be reached, in one of the two counts. */
  slowFrom: { bits: 160, questions: 160 },
  closeFrom: { bits: 200, questions: 200 },
  imagesPerOrg: 32,
  basesPerImage: 2,
  orgs: 1000,
  /** The guard looks for old counts each hour, so none is kept for more than seven days. */
  forgetAfterMs: (7 * 24 - 1) * 3_600_000,
} as const

interface Watched {
  readonly type: string
  readonly image: string
  readonly sinceMs: number
  /** Bases: the first query that matched the image, and the last one that was far from it. */
  readonly bases: Uint32Array[]
  /** Numbers of the orientations in which queries came near a base: the original, rarely another. */
  readonly orientations: number[]
  /** Bits that queries near a base flipped. */
  readonly flipped: Uint32Array
  readonly near: Seen
  /** How many queries around a base flipped each bit. */
  readonly times: Uint16Array
  readonly around: Seen
}

interface Seen {
  bits: number
  questions: number
}

interface Near {
  readonly base: Uint32Array
  readonly words: Uint32Array
  readonly orientation: number
  readonly awayBits: number
}

const WORDS = 8
const ORIENTATIONS = Array.from({ length: 8 }, (_, orientation) => orientation)

export function createFlippedBits({ now }: { readonly now: () => number }): FlippedBits {
  const byOrg = new Map<string, Watched[]>()
  const asked = new QueryInOrientations()

  return {
    look(orgId, type, hashes, matched) {
      const known = byOrg.get(orgId)
      if (known === undefined && matched === undefined) return 'none'
      const watched = known ?? watchedFor(byOrg, orgId)
      asked.begin(hashes)
      let suspicion: Suspicion = 'none'
      let hasBase = false
      let orientation = 0
      for (const entry of watched) {
        if (entry.type !== type) continue
        const isMatch = entry.image === matched
        const near = nearestOf(entry, asked, entry.orientations) ?? (isMatch ? inNewOrientation(entry, asked) : undefined)
        if (near === undefined) continue
        countFlips(entry, near)
        if (isMatch) orientation = near.orientation
        if (isMatch && near.awayBits <= FLIPPED_BITS.baseBits) hasBase = true
        if (reaches(entry, FLIPPED_BITS.closeFrom)) suspicion = 'close'
        else if (suspicion === 'none' && reaches(entry, FLIPPED_BITS.slowFrom)) suspicion = 'slow'
      }
      const words = asked.wordsIn(orientation)
      if (matched !== undefined && words !== undefined && !hasBase) addBase(watched, type, matched, words.slice(), now())
      return suspicion
    },
    forgetOld() {
      const fromMs = now() - FLIPPED_BITS.forgetAfterMs
      for (const [orgId, watched] of byOrg) {
        const kept = watched.filter(({ sinceMs }) => sinceMs >= fromMs)
        if (kept.length === 0) byOrg.delete(orgId)
        else if (kept.length < watched.length) byOrg.set(orgId, kept)
      }
    },
  }
}

function reaches({ near, around }: Watched, { bits, questions }: Readonly<Seen>): boolean {
  return (near.bits >= bits && near.questions >= questions) || (around.bits >= bits && around.questions >= questions)
}

/** The base nearest to a query within `aroundBits`, in one of the given orientations. */
function nearestOf(entry: Watched, asked: QueryInOrientations, orientations: readonly number[]): Near | undefined {
  let near: Near | undefined
  for (const orientation of orientations) {
    const words = asked.wordsIn(orientation)
    if (words === undefined) continue
    for (const base of entry.bases) {
      const awayBits = distanceBits(base, words)
      if (awayBits < (near?.awayBits ?? FLIPPED_BITS.aroundBits + 1)) near = { base, words, orientation, awayBits }
    }
  }
  return near
}

/**
 * For a query that matched but is not near in a known orientation: finds the orientation in which it is near. Later queries are
 * compared in it too.
 */
function inNewOrientation(entry: Watched, asked: QueryInOrientations): Near | undefined {
  const near = nearestOf(entry, asked, ORIENTATIONS)
  if (near !== undefined) entry.orientations.push(near.orientation)
  return near
}

/** Counts the bits that a query flipped. */
function countFlips(entry: Watched, { base, words, awayBits }: Near): void {
  if (awayBits === 0) return
  if (awayBits <= FLIPPED_BITS.nearBits) noteNear(entry, base, words)
  noteAround(entry, base, words)
}

function noteNear({ flipped, near }: Watched, base: Uint32Array, words: Uint32Array): void {
  near.bits = 0
  near.questions += 1
  for (let i = 0; i < WORDS; i++) {
    const soFar = (flipped[i] ?? 0) | ((base[i] ?? 0) ^ (words[i] ?? 0))
    flipped[i] = soFar
    near.bits += popcount(soFar)
  }
}

function noteAround({ times, around }: Watched, base: Uint32Array, words: Uint32Array): void {
  if (around.questions >= FLIPPED_BITS.aroundQuestions) {
    around.questions >>= 1
    for (let bit = 0; bit < HASH_BITS; bit++) times[bit] = (times[bit] ?? 0) >> 1
  }
  around.questions += 1
  for (let i = 0; i < WORDS; i++) {
    for (let left = (base[i] ?? 0) ^ (words[i] ?? 0); left !== 0; left &= left - 1) {
      const bit = 32 * i + 31 - Math.clz32(left & -left)
      times[bit] = (times[bit] ?? 0) + 1
    }
  }
  const often = FLIPPED_BITS.oftenShare * around.questions
  around.bits = 0
  for (let bit = 0; bit < HASH_BITS; bit++) if ((times[bit] ?? 0) >= often) around.bits += 1
}

/**
 * Adds a base. If there are too many images, drops the one with the least progress. So a caller cannot evict the image that it
 * probes by querying others.
 */
function addBase(watched: Watched[], type: string, image: string, base: Uint32Array, nowMs: number): void {
  const known = watched.find((entry) => entry.image === image && entry.type === type)
  if (known !== undefined) {
    if (known.bases.length < FLIPPED_BITS.basesPerImage) known.bases.push(base)
    else known.bases[FLIPPED_BITS.basesPerImage - 1] = base
    return
  }
  if (watched.length >= FLIPPED_BITS.imagesPerOrg) {
    const least = watched.reduce((a, b) => (progressOf(b) < progressOf(a) ? b : a))
    watched.splice(watched.indexOf(least), 1)
  }
  const flipped = new Uint32Array(WORDS)
  const times = new Uint16Array(HASH_BITS)
  const near = { bits: 0, questions: 0 }
  watched.push({ type, image, sinceMs: nowMs, bases: [base], orientations: [0], flipped, near, times, around: { ...near } })
}

/** Progress of a search. Bits and queries are both needed, so the smaller number counts. */
function progressOf({ near, around }: Watched): number {
  return Math.max(Math.min(near.bits, near.questions), Math.min(around.bits, around.questions))
}

/** If there are too many organisations, drops the oldest. The operator issues keys, so there are few. */
function watchedFor(byOrg: Map<string, Watched[]>, orgId: string): Watched[] {
  const [first] = byOrg.size >= FLIPPED_BITS.orgs ? byOrg.keys() : []
  if (first !== undefined) byOrg.delete(first)
  const watched: Watched[] = []
  byOrg.set(orgId, watched)
  return watched
}

function distanceBits(a: Uint32Array, b: Uint32Array): number {
  let bits = 0
  for (let i = 0; i < WORDS; i++) {
    bits += popcount((a[i] ?? 0) ^ (b[i] ?? 0))
    if (bits > FLIPPED_BITS.aroundBits) break
  }
  return bits
}

/** @see Warren, "Hacker's Delight", 2nd edition, figure 5-2. */
function popcount(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555)
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333)
  n = (n + (n >>> 4)) & 0x0f0f0f0f
  return Math.imul(n, 0x01010101) >>> 24
}

/** The words of a query in each orientation, computed when first needed. Most queries need only the original. */
class QueryInOrientations {
  readonly #bytes = ORIENTATIONS.map(() => new Uint8Array(4 * WORDS))
  readonly #words = this.#bytes.map(({ buffer }) => new Uint32Array(buffer))
  #hashes: readonly Hash256[] = []
  #filled = 0

  begin(hashes: readonly Hash256[]): void {
    this.#hashes = hashes
    this.#filled = 0
  }

  /**
   * @returns the words of the hash in an orientation, valid until the next `begin`; `undefined` when the query lacks that
   * orientation.
   */
  wordsIn(orientation: number): Uint32Array | undefined {
    const hash = this.#hashes[orientation]
    if (hash !== undefined && (this.#filled & (1 << orientation)) === 0) {
      this.#bytes[orientation]?.set(hash)
      this.#filled |= 1 << orientation
    }
    return hash && this.#words[orientation]
  }
}
