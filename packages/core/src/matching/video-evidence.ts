// Decides from near pairs of frames whether two videos are the same, in full or in part.

import { areInLine, type FramePair, lineSurplusOf } from './frame-pair.js'
import { linesAmong, PairsInLine } from './line-sweep.js'
import { merged, partOfLine, runsOf, type Segment } from './segments.js'

export interface Evidence {
  /** The longest first; none if there is no evidence. */
  readonly segments: readonly Segment[]
  /**
   * By how many bits the nearest line is nearer than required; negative if it is slightly too far to count; −∞ if there is none. Tells how near the
   * query is to an edge of the answer (`edges.ts`).
   */
  readonly surplusBits: number
}

export const NO_EVIDENCE: Evidence = { segments: [], surplusBits: Number.NEGATIVE_INFINITY }

/** Lines are searched for among at most this many pairs, the nearest of each frame first. */
export const MAX_PAIRS = 512
/** If there are more pairs, each registered frame keeps one for each stretch of the query of this length. */
const STRETCH_MS = 2000
/** Pauses after comparing this many pairs with all earlier ones. */
const ROWS_AT_ONCE = 16

/**
 * A pair that is a match of pictures is evidence by itself, of its own grade. Otherwise a line is evidence, of grade `near`: two pairs of distinct
 * frames that are near (`lineSurplusOf`) and follow one another as they would in a copy (`areInLine`). A line of many frames is `near`, too, because
 * lines have not been calibrated on unrelated videos for `strong`.
 *
 * Several lines are several segments, as in a compilation, or in a slideshow whose order is not that of the registered video.
 *
 * False lines. Two points are always on some line, so the evidence is mainly in the two distances. Of pairs of unrelated pictures, 9 in 10 million
 * are within 56 bits in any of their views (docs/robustness/false-rates.csv). Two videos of a minute with a new picture every second have 3,600
 * pairs, and so 0.003 near pairs by chance. Two of these are on a line in a quarter of cases: 1 in a million pairs of videos (0.003² / 2 × 0.25). Two
 * videos of ten minutes have 0.3 near pairs and, because two on a line are at most 30 s apart, 3 false lines in 10,000 pairs of videos. Neighbouring
 * frames are alike, so chance pairs come in clusters. That is why frames must be distinct, and why the measurement counts, not this estimate: 4 false
 * lines among 1.56 million pairs of videos (bench/record/video.md).
 *
 * @param pairs any number, in any order. The same pairs give the same segments.
 * Cost: a sort, and for lines at most 131 thousand comparisons of pairs, about 20 ms. Pauses in between.
 */
export function* evidenceOf(pairs: readonly FramePair[]): Generator<void, Evidence, void> {
  const runs = runsOf(pairs)
  yield
  const byOrientation = new Map<number, FramePair[]>()
  for (const pair of nearestOf(pairs.filter(mayBeOnLine))) {
    const same = byOrientation.get(pair.orientation) ?? []
    byOrientation.set(pair.orientation, same)
    same.push(pair)
  }
  const parts = []
  let surplusBits = Number.NEGATIVE_INFINITY
  for (const same of byOrientation.values()) {
    yield
    const compared = yield* compare(same)
    surplusBits = Math.max(surplusBits, compared.surplusBits)
    if (compared.surplusBits < 0) continue
    // Only pairs that are near enough: those just beyond count for `surplusBits`, not for lines.
    const lines = yield* linesAmong(compared.near, compared.inLine)
    parts.push(...lines.map((line) => partOfLine(line, compared.near)))
  }
  yield
  return { segments: merged([...parts, ...runs]), surplusBits }
}

function mayBeOnLine(pair: FramePair): boolean {
  return pair.grade !== undefined || lineSurplusOf(pair) !== undefined
}

/** @returns whether a pair is near enough to be part of a line, or to match alone. */
export function isEvidence(pair: FramePair): boolean {
  return pair.grade !== undefined || (lineSurplusOf(pair) ?? -1) >= 0
}

interface Compared {
  /** Pairs that are near enough, and which of these are in line. */
  readonly near: readonly FramePair[]
  readonly inLine: PairsInLine
  readonly surplusBits: number
}

function* compare(pairs: readonly FramePair[]): Generator<void, Compared, void> {
  const near = pairs.filter(isEvidence)
  const all = [...near, ...pairs.filter((pair) => !isEvidence(pair))]
  const surpluses = all.map((pair) => lineSurplusOf(pair) ?? Number.NEGATIVE_INFINITY)
  const inLine = new PairsInLine(near.length)
  let surplusBits = Number.NEGATIVE_INFINITY
  for (const [i, one] of all.entries()) {
    if (i % ROWS_AT_ONCE === 0) yield
    for (let j = 0; j < i; j++) {
      const other = all[j]
      const least = Math.min(surpluses[i] ?? 0, surpluses[j] ?? 0)
      if (other === undefined || (least < 0 && least <= surplusBits) || !areInLine(one, other)) continue
      surplusBits = Math.max(surplusBits, least)
      if (least >= 0) inLine.add(i, j)
    }
  }
  return { near, inLine, surplusBits }
}

/** At most `MAX_PAIRS`, in an order that does not depend on the order of the input. */
function nearestOf(pairs: readonly FramePair[]): readonly FramePair[] {
  const kept = pairs.length <= MAX_PAIRS ? [...pairs] : ranked(thinned([...pairs].sort(nearestFirst))).slice(0, MAX_PAIRS)
  return kept.sort(byTimes)
}

/** @param pairs the nearest first. */
function thinned(pairs: readonly FramePair[]): readonly FramePair[] {
  const seen = new Set<string>()
  return pairs.filter(({ orientation, registeredMs, askedMs }) => {
    const stretch = `${orientation} ${registeredMs} ${Math.floor(askedMs / STRETCH_MS)}`
    if (seen.has(stretch)) return false
    seen.add(stretch)
    return true
  })
}

/**
 * First the nearest pair of each frame, then the second, so that frames with many near pairs leave room for others.
 * @param pairs the nearest first.
 */
function ranked(pairs: readonly FramePair[]): readonly FramePair[] {
  const [asked, registered] = [new Map<number, number>(), new Map<number, number>()]
  const rankIn = (ranks: Map<number, number>, momentMs: number) => {
    const rank = ranks.get(momentMs) ?? 0
    ranks.set(momentMs, rank + 1)
    return rank
  }
  return pairs
    .map((pair) => ({ pair, rank: Math.max(rankIn(asked, pair.askedMs), rankIn(registered, pair.registeredMs)) }))
    .sort((a, b) => a.rank - b.rank || nearestFirst(a.pair, b.pair))
    .map(({ pair }) => pair)
}

function nearestFirst(a: FramePair, b: FramePair): number {
  return a.bits - b.bits || byTimes(a, b)
}

/** Sorts by times; pairs with the same times in a fixed order. */
function byTimes(a: FramePair, b: FramePair): number {
  return (
    a.askedMs - b.askedMs ||
    a.registeredMs - b.registeredMs ||
    a.orientation - b.orientation ||
    a.bits - b.bits ||
    Number(a.isPartial) - Number(b.isPartial)
  )
}
