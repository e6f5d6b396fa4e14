// Tells a search for what is stored from a search for pictures: by how many bits somebody has turned over near what matched.
//
// Who holds a hash that matches can find the stored one: he turns bits over, one after the other or in groups, and sees whether it
// still matches. However he goes about it, he learns nothing of a bit that he never turned over, so he has to turn over most of the 256
// while he stays near. Copies of one picture do not: decision 0034 has the figures.

import type { Hash256 } from '../hash/hash256.js'

/** What an organisation's questions about one picture look like, so far. */
export type Suspicion = 'none' | 'slow' | 'suspend'

export interface ProbingDetector {
  /**
   * Looks at one hash of a question. Keeps bits for no longer than `PROBING.forgetAfterMs`, and of few of those that matched.
   * @param type of the hash: only like is compared with like.
   * @param met the registered image that the question was answered with first, if it matched any.
   * Cost: a look-up for who never matched anything; else a distance to each of at most 64 hashes, about 2 µs.
   */
  look(orgId: string, type: string, hash: Hash256, met: string | undefined): Suspicion
  /** Begins anew: something was done about it. */
  forget(orgId: string): void
}

export const PROBING = {
  /** So near to a hash that matched, a question is about the same thing. */
  nearBits: 16,
  /** Bits turned over, and questions that turned them: both are needed. */
  slowFrom: { bits: 160, questions: 160 },
  suspendFrom: { bits: 200, questions: 200 },
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
  /** Bits that questions near a base had turned over. */
  readonly turned: Uint32Array
  turnedBits: number
  questions: number
}

const WORDS = 8

export function probingDetector({ now }: { readonly now: () => number }): ProbingDetector {
  const byOrg = new Map<string, Watched[]>()
  const bytes = new Uint8Array(4 * WORDS)
  const words = new Uint32Array(bytes.buffer)

  return {
    look(orgId, type, hash, met) {
      const known = byOrg.get(orgId)
      if (known === undefined && met === undefined) return 'none'
      const watched = known ?? watchedFor(byOrg, orgId)
      bytes.set(hash)
      let suspicion: Suspicion = 'none'
      let hasBase = false
      for (const one of watched) {
        if (one.type !== type || !turnOver(one, words)) continue
        if (one.image === met) hasBase = true
        if (reaches(one, PROBING.suspendFrom)) suspicion = 'suspend'
        else if (suspicion === 'none' && reaches(one, PROBING.slowFrom)) suspicion = 'slow'
      }
      if (met !== undefined && !hasBase) addBase(watched, type, met, words.slice(), now())
      return suspicion
    },
    forget(orgId) {
      byOrg.delete(orgId)
    },
  }
}

function reaches({ turnedBits, questions }: Watched, from: { readonly bits: number; readonly questions: number }): boolean {
  return turnedBits >= from.bits && questions >= from.questions
}

/** Notes what a question had turned over. @returns whether it is near a base. */
function turnOver(one: Watched, words: Uint32Array): boolean {
  let isNear = false
  for (const base of one.bases) {
    const awayBits = distanceBits(base, words)
    if (awayBits > PROBING.nearBits) continue
    isNear = true
    if (awayBits === 0) continue
    let turnedBits = 0
    for (let i = 0; i < WORDS; i++) {
      const turned = (one.turned[i] ?? 0) | ((base[i] ?? 0) ^ (words[i] ?? 0))
      one.turned[i] = turned
      turnedBits += popcount(turned)
    }
    one.questions += 1
    one.turnedBits = turnedBits
  }
  return isNear
}

/** Of too many images, the one that was turned over least has to go: nobody pushes out what he probes by asking for others. */
function addBase(watched: Watched[], type: string, image: string, base: Uint32Array, nowMs: number): void {
  for (let i = watched.length - 1; i >= 0; i--) {
    if (nowMs - (watched[i]?.sinceMs ?? 0) > PROBING.forgetAfterMs) watched.splice(i, 1)
  }
  const known = watched.find((one) => one.image === image && one.type === type)
  if (known !== undefined) {
    if (known.bases.length < PROBING.basesPerImage) known.bases.push(base)
    else known.bases[PROBING.basesPerImage - 1] = base
    return
  }
  if (watched.length >= PROBING.imagesPerOrg) {
    const least = watched.reduce((a, b) => (b.turnedBits < a.turnedBits ? b : a))
    watched.splice(watched.indexOf(least), 1)
  }
  watched.push({ type, image, sinceMs: nowMs, bases: [base], turned: new Uint32Array(WORDS), turnedBits: 0, questions: 0 })
}

/** Of too many organisations, the one that was first has to go: keys are the operator's to give, so there are not many. */
function watchedFor(byOrg: Map<string, Watched[]>, orgId: string): Watched[] {
  const [first] = byOrg.size >= PROBING.orgs ? byOrg.keys() : []
  if (first !== undefined) byOrg.delete(first)
  const watched: Watched[] = []
  byOrg.set(orgId, watched)
  return watched
}

function distanceBits(a: Uint32Array, b: Uint32Array): number {
  let bits = 0
  for (let i = 0; i < WORDS; i++) {
    bits += popcount((a[i] ?? 0) ^ (b[i] ?? 0))
    if (bits > PROBING.nearBits) break
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
