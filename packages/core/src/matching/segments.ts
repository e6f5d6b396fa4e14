// Segments: parts of a query video that are parts of a registered one.

import { betterGrade, type FramePair } from './frame-pair.js'
import type { Grade } from './grade.js'
import type { Line } from './line-sweep.js'

export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

export interface Segment {
  readonly query: Span
  readonly registered: Span
  /**
   * Registered time per query time: 0.5…2, or −1 for a part that is played backwards. 1 for a still, whose pairs all show one registered frame.
   */
  readonly speed: number
  /** Index of the orientation in `transforms`. */
  readonly orientation: number
  /** Number of query frames. */
  readonly frames: number
  /** Distance of the nearest pair. */
  readonly bits: number
  /** The best grade of its pairs; `near` if none of them is a match by itself. */
  readonly grade: Exclude<Grade, 'review'>
}

/** Parts at most this far apart in both videos become one segment, because query frames may be up to two seconds apart. */
const MERGED_MS = 2000
/** Maximum runs to merge, the longest ones. Bounds the cost. */
const MAX_RUNS = 64
export const MAX_SEGMENTS = 16

interface Part extends Omit<Segment, 'frames'> {
  readonly asked: ReadonlySet<number>
}

/**
 * Merges parts that are at most `MERGED_MS` apart in both videos.
 * @param parts lines, the best first, then runs.
 * @returns at most `MAX_SEGMENTS`, the longest first.
 * Cost: about 100,000 comparisons of parts at most.
 */
export function merged(parts: readonly Part[]): readonly Segment[] {
  let kept: readonly Part[] = parts
  for (let before = Number.POSITIVE_INFINITY; kept.length < before; ) {
    before = kept.length
    kept = mergedOnce(kept)
  }
  return kept
    .map(({ asked, ...segment }) => ({ ...segment, frames: asked.size }))
    .sort(inOrder)
    .slice(0, MAX_SEGMENTS)
}

function mergedOnce(parts: readonly Part[]): readonly Part[] {
  const kept: Part[] = []
  for (const part of parts) {
    const at = kept.findIndex((other) => areAdjacent(part, other))
    const other = kept[at]
    if (other === undefined) kept.push(part)
    else kept[at] = together(other, part)
  }
  return kept
}

function areAdjacent(one: Part, other: Part): boolean {
  return (
    one.orientation === other.orientation &&
    gapMs(one.query, other.query) <= MERGED_MS &&
    gapMs(one.registered, other.registered) <= MERGED_MS
  )
}

function gapMs(one: Span, other: Span): number {
  return Math.max(one.fromMs, other.fromMs) - Math.min(one.toMs, other.toMs)
}

/** Takes the speed of the first: the better line, or the line if the other is a run. */
function together(one: Part, other: Part): Part {
  return {
    query: hull(one.query, other.query),
    registered: hull(one.registered, other.registered),
    speed: one.speed,
    orientation: one.orientation,
    bits: Math.min(one.bits, other.bits),
    grade: betterGrade(one.grade, other.grade),
    asked: new Set([...one.asked, ...other.asked]),
  }
}

function hull(one: Span, other: Span): Span {
  return { fromMs: Math.min(one.fromMs, other.fromMs), toMs: Math.max(one.toMs, other.toMs) }
}

function inOrder(a: Segment, b: Segment): number {
  const lengthOf = ({ query }: Segment) => query.toMs - query.fromMs
  return (
    lengthOf(b) - lengthOf(a) ||
    b.frames - a.frames ||
    a.bits - b.bits ||
    a.query.fromMs - b.query.fromMs ||
    a.registered.fromMs - b.registered.fromMs ||
    a.orientation - b.orientation
  )
}

export function partOfLine({ speed, pairs: indexes }: Line, pairs: readonly FramePair[]): Part {
  return partOf(
    indexes.flatMap((index) => pairs[index] ?? []),
    speed,
  )
}

/** @param pairs of one orientation; at least one. */
function partOf(pairs: readonly FramePair[], speed: number): Part {
  const asked = new Set(pairs.map(({ askedMs }) => askedMs))
  let bits = Number.POSITIVE_INFINITY
  let grade: Segment['grade'] = 'near'
  for (const pair of pairs) {
    bits = Math.min(bits, pair.bits)
    if (pair.grade !== undefined) grade = betterGrade(grade, pair.grade)
  }
  const orientation = pairs[0]?.orientation ?? 0
  return {
    query: spanOf(asked),
    registered: spanOf(pairs.map(({ registeredMs }) => registeredMs)),
    speed,
    orientation,
    bits,
    grade,
    asked,
  }
}

function spanOf(moments: Iterable<number>): Span {
  let [fromMs, toMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const ms of moments) {
    fromMs = Math.min(fromMs, ms)
    toMs = Math.max(toMs, ms)
  }
  return { fromMs, toMs }
}

/**
 * Groups pairs that are matches by themselves into runs, as a still gives them: query frames at most `MERGED_MS` apart that are near the same
 * registered frame. Speed 1.
 * @returns at most `MAX_RUNS`, the longest first. Cost: a sort.
 */
export function runsOf(pairs: readonly FramePair[]): readonly Part[] {
  const ordered = pairs
    .filter(({ grade }) => grade !== undefined)
    .sort((a, b) => a.orientation - b.orientation || a.registeredMs - b.registeredMs || a.askedMs - b.askedMs)
  const runs: FramePair[][] = []
  for (const pair of ordered) {
    const run = runs.at(-1)
    const last = run?.at(-1)
    const isNext =
      last !== undefined &&
      last.orientation === pair.orientation &&
      last.registeredMs === pair.registeredMs &&
      pair.askedMs - last.askedMs <= MERGED_MS
    if (isNext) run?.push(pair)
    else runs.push([pair])
  }
  return runs
    .sort((a, b) => b.length - a.length || (a[0]?.askedMs ?? 0) - (b[0]?.askedMs ?? 0))
    .slice(0, MAX_RUNS)
    .map((run) => partOf(run, 1))
}
