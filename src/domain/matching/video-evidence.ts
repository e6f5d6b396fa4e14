// From near pairs of frames to evidence that two videos are the same, in full or in part.

import { areInLine, type FramePair, lineSurplusOf } from './frame-pair.js'
import { linesAmong, PairsInLine } from './line-sweep.js'
import { merged, partOfLine, runsOf, type Segment } from './segments.js'

export interface Evidence {
  /** The longest first; none if there is no evidence. */
  readonly segments: readonly Segment[]
  /**
   * By how many bits the nearest line is nearer than required; negative if it is too far to be one, −∞ if there is none nearby. Says how near a
   * query is to the edge of the answer (`edges.ts`).
   */
  readonly surplusBits: number
}

export const NO_EVIDENCE: Evidence = { segments: [], surplusBits: Number.NEGATIVE_INFINITY }

/** Lines are looked for among at most this many pairs, the nearest of each frame. */
export const MAX_PAIRS = 512
/** With more pairs, each registered frame keeps one for each of these stretches of the query. */
const STRETCH_MS = 2000
/** Pauses after comparing this many pairs with one another. */
const ROWS_AT_ONCE = 16

/**
 * A pair that is a match of pictures is evidence by itself, of its own grade. Otherwise a line is: two pairs of distinct frames that are near
 * (`lineSurplusOf`) and follow one another as they would in a copy (`areInLine`). Its grade is `near`. A line of many frames may become `strong`
 * only after calibration on unrelated videos; until then it is `near`, too.
 *
 * Several lines are several segments: those of a compilation, or of a slideshow whose order is not that of the registered video.
 *
 * False lines: two points always are on some line, so the evidence is mainly in the two distances. Of unrelated pictures, 9 in 10 million pairs
 * are within 56 bits by any of their views (docs/robustness/false-rates.csv). A minute in which a new picture comes every second, against another
 * one, has 3,600 pairs, and so 0.003 near pairs by chance. Two of these are on a line in a quarter of cases: 1 in a million pairs of videos
 * (0.003² / 2 × 0.25). Ten minutes against ten: 0.3 near pairs and, because the two are at most 30 s apart, 3 in 10,000. Chance pairs come in clusters, because
 * neighbouring frames are alike, which is why frames must be distinct. So what is measured counts: 4 false lines among 1.56 million pairs of videos
 * (bench/record/video.md).
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
    // Only what is evidence: a line has no pairs that are nearly near enough.
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

/** At most `MAX_PAIRS`, in an order that does not depend on the order given. */
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

/** First the nearest pair of each frame, then the second: frames that are near to many others leave room for the rest. @param pairs the nearest first. */
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

/** In the order of their times; of those with the same times, in some fixed order. */
function byTimes(a: FramePair, b: FramePair): number {
  return (
    a.askedMs - b.askedMs ||
    a.registeredMs - b.registeredMs ||
    a.orientation - b.orientation ||
    a.bits - b.bits ||
    Number(a.isPartial) - Number(b.isPartial)
  )
}
