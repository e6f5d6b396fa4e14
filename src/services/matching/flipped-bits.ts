// Tells a search for what is stored from a search for pictures: by how many bits somebody has turned over near what matched. The second line behind
// the budget (probing.ts), for searches that hide among so many harmless copies that their share looks like a platform's.
//
// Who holds a hash that matches can find the stored one: he turns bits over, one after the other or in groups, and sees whether it
// still matches. However he goes about it, he learns nothing of a bit that he never turned over, so he has to turn over most of the 256
// while he stays near. Copies of one picture do not: figures in bench/record/tuning.md.
//
// Two looks at it, because the further from a match, the more bits do copies turn over now and then. Near by, every bit counts
// that was ever turned over, as small groups turn each over seldom. Around, those bits that are turned over again and again.
// Who may ask in eight ways, turned and mirrored, gets no further by asking in each of them a part.

import { HASH_BITS, type Hash256 } from '../../../packages/hash/src/hash256.js'

/** What an organisation's questions about one picture look like, so far. */
export type Suspicion = 'none' | 'slow' | 'close'

export interface FlippedBits {
  /**
   * Looks at one signal of a question. Keeps bits for no longer than `FLIPPED_BITS.forgetAfterMs`, and of few of those that matched.
   * @param type of the signal: only like is compared with like.
   * @param hashes what is asked, and then what it would be turned and mirrored in up to seven ways, always in one order.
   * @param met the registered image that the question was answered with first, if it matched any.
   * Cost: a look-up for who never matched anything; else a distance to each of at most 64 hashes, under 1 µs, and half a µs more if one of them is near.
   */
  look(orgId: string, type: string, hashes: readonly Hash256[], met: string | undefined): Suspicion
  /** Begins anew: something was done about it. */
  forget(orgId: string): void
}

export const FLIPPED_BITS = {
  /** So near to a hash that matched, every bit counts that was ever turned over. */
  nearBits: 16,
  /** Within these, an unrelated picture's hash is as good as never, and those bits count that were turned over often. */
  aroundBits: 40,
  /** Of the questions around: bits that fewer turned over were not often. Groups of four bits and more reach it. */
  oftenShare: 0.015,
  /** So many questions around, and all counts are halved: what was asked long ago does not hide what is asked now. */
  aroundQuestions: 1024,
  /** A match further than this from all bases is the next: half of `nearBits`, so that whoever turns over groups of eight there stays near. */
  baseBits: 8,
  /** Bits turned over, and questions that turned them: both are needed, near or around. */
  slowFrom: { bits: 160, questions: 160 },
  closeFrom: { bits: 200, questions: 200 },
  imagesPerOrg: 32,
  basesPerImage: 2,
  orgs: 1000,
  forgetAfterMs: 7 * 86_400_000,
} as const

interface Watched {
  readonly type: string
  readonly image: string
  readonly sinceMs: number
  /** Questions that matched it: the first one, and the last one that was far from it. */
  readonly bases: Uint32Array[]
  /** Ways, by number, in which questions came near them: as asked, and seldom another. */
  readonly orientations: number[]
  /** Bits that questions near a base had turned over. */
  readonly flipped: Uint32Array
  readonly near: Seen
  /** Of the questions around a base, how many had turned over each bit. */
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
const WAYS = Array.from({ length: 8 }, (_, orientation) => orientation)

export function createFlippedBits({ now }: { readonly now: () => number }): FlippedBits {
  const byOrg = new Map<string, Watched[]>()
  const asked = new QueryInOrientations()

  return {
    look(orgId, type, hashes, met) {
      const known = byOrg.get(orgId)
      if (known === undefined && met === undefined) return 'none'
      const watched = known ?? watchedFor(byOrg, orgId)
      asked.begin(hashes)
      let suspicion: Suspicion = 'none'
      let hasBase = false
      let orientation = 0
      for (const one of watched) {
        if (one.type !== type) continue
        const isMet = one.image === met
        const near = nearestOf(one, asked, one.orientations) ?? (isMet ? inAnotherWay(one, asked) : undefined)
        if (near === undefined) continue
        turnOver(one, near)
        if (isMet) orientation = near.orientation
        if (isMet && near.awayBits <= FLIPPED_BITS.baseBits) hasBase = true
        if (reaches(one, FLIPPED_BITS.closeFrom)) suspicion = 'close'
        else if (suspicion === 'none' && reaches(one, FLIPPED_BITS.slowFrom)) suspicion = 'slow'
      }
      const words = asked.inWay(orientation)
      if (met !== undefined && words !== undefined && !hasBase) addBase(watched, type, met, words.slice(), now())
      return suspicion
    },
    forget(orgId) {
      byOrg.delete(orgId)
    },
  }
}

function reaches({ near, around }: Watched, { bits, questions }: Readonly<Seen>): boolean {
  return (near.bits >= bits && near.questions >= questions) || (around.bits >= bits && around.questions >= questions)
}

/** The base that a question is nearest to, within `aroundBits`, in one of some ways. */
function nearestOf(one: Watched, asked: QueryInOrientations, orientations: readonly number[]): Near | undefined {
  let near: Near | undefined
  for (const orientation of orientations) {
    const words = asked.inWay(orientation)
    if (words === undefined) continue
    for (const base of one.bases) {
      const awayBits = distanceBits(base, words)
      if (awayBits < (near?.awayBits ?? FLIPPED_BITS.aroundBits + 1)) near = { base, words, orientation, awayBits }
    }
  }
  return near
}

/** Of what matched and was not near as asked: from now on, questions are also looked at in the way in which it is. */
function inAnotherWay(one: Watched, asked: QueryInOrientations): Near | undefined {
  const near = nearestOf(one, asked, WAYS)
  if (near !== undefined) one.orientations.push(near.orientation)
  return near
}

/** Notes what a question had turned over. */
function turnOver(one: Watched, { base, words, awayBits }: Near): void {
  if (awayBits === 0) return
  if (awayBits <= FLIPPED_BITS.nearBits) noteNear(one, base, words)
  noteAround(one, base, words)
}

function noteNear({ flipped, near }: Watched, base: Uint32Array, words: Uint32Array): void {
  near.bits = 0
  near.questions += 1
  for (let i = 0; i < WORDS; i++) {
    const sofar = (flipped[i] ?? 0) | ((base[i] ?? 0) ^ (words[i] ?? 0))
    flipped[i] = sofar
    near.bits += popcount(sofar)
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

/** Of too many images, the one whose search would be furthest from its end has to go: nobody pushes out what he probes by asking for others. */
function addBase(watched: Watched[], type: string, image: string, base: Uint32Array, nowMs: number): void {
  for (let i = watched.length - 1; i >= 0; i--) {
    if (nowMs - (watched[i]?.sinceMs ?? 0) > FLIPPED_BITS.forgetAfterMs) watched.splice(i, 1)
  }
  const known = watched.find((one) => one.image === image && one.type === type)
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

/** How far a search would be: bits and questions are both needed, so the fewer of them. */
function progressOf({ near, around }: Watched): number {
  return Math.max(Math.min(near.bits, near.questions), Math.min(around.bits, around.questions))
}

/** Of too many organisations, the one that was first has to go: keys are the operator's to give, so there are not many. */
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

/** Words of what is asked, way by way. Most questions need no more of them than the first. */
class QueryInOrientations {
  readonly #bytes = WAYS.map(() => new Uint8Array(4 * WORDS))
  readonly #words = this.#bytes.map(({ buffer }) => new Uint32Array(buffer))
  #hashes: readonly Hash256[] = []
  #filled = 0

  begin(hashes: readonly Hash256[]): void {
    this.#hashes = hashes
    this.#filled = 0
  }

  /** @returns the words of the hash in that way, until the next `begin`; `undefined` if it was not asked in that. */
  inWay(orientation: number): Uint32Array | undefined {
    const hash = this.#hashes[orientation]
    if (hash !== undefined && (this.#filled & (1 << orientation)) === 0) {
      this.#bytes[orientation]?.set(hash)
      this.#filled |= 1 << orientation
    }
    return hash && this.#words[orientation]
  }
}
