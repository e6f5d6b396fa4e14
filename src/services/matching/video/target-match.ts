// Builds the answer to a query video about one registered picture or video.

import { EDGE_BITS, type Edge, isNearEdge, isSurplusClose } from '../../../../packages/core/src/matching/edges.js'
import { isPartial } from '../../../../packages/core/src/matching/evidence.js'
import { betterGrade, type FramePair } from '../../../../packages/core/src/matching/frame-pair.js'
import { BAND_EDGES_BITS, distanceBandOf, type Grade } from '../../../../packages/core/src/matching/grade.js'
import type { Segment, Span } from '../../../../packages/core/src/matching/segments.js'
import { toSecond } from '../../../../packages/core/src/matching/timed-signals.js'
import { type Evidence, evidenceOf, isEvidence, NO_EVIDENCE } from '../../../../packages/core/src/matching/video-evidence.js'
import type { Hash256 } from '../../../../packages/hash/src/hash256.js'
import type { Searcher } from '../../index/searcher.js'
import type { Answer } from '../answer.js'
import { describe, transformName } from '../graded.js'
import { exactBits, isCopyAt, narrowBits } from '../hit-distance.js'
import type { Match, MatchedSegment } from '../match.js'
import { marksOf, mostRevealing, type Observation } from '../observing.js'
import type { AskedFrame, NearFrame, Target } from './near-frames.js'

/** A match of one query frame, compared as a picture. */
export interface FrameMatch {
  readonly frame: AskedFrame
  /** Its `ordinal` is that of the registered picture or frame. */
  readonly found: Answer[number]
  /** What the match reveals about the target. */
  readonly observation: Observation | undefined
}

export interface AskedTarget extends Target {
  /** Matches of query frames that were compared in full, the best first. */
  readonly frameMatches: readonly FrameMatch[]
  /** What comparing frames revealed, also frames without a match. */
  readonly observations: readonly Observation[]
}

export interface TargetAnswer {
  readonly match: Match | undefined
  /** `undefined` if nothing is revealed. */
  readonly observation: Observation | undefined
  /** As in `Answer`. */
  readonly isCopy: boolean
  /** Whether it matches even if the image is narrowed. */
  readonly isNarrowCopy: boolean
  /**
   * For the flood guard: the whole hash of the query frame, and the ordinal of the registered picture or frame that found it; `undefined` if neither
   * several frames nor several views of one agree.
   */
  readonly seen: { readonly hash: Hash256; readonly ordinal: number } | undefined
}

export interface TargetOptions {
  readonly searcher: Pick<Searcher, 'frameOf' | 'viewsOf'>
  readonly matchIdOf: (imageId: string) => string
  readonly thresholdBits: number | undefined
  /** As in `Strictness`. */
  readonly trustsLines: boolean
  /** Whether observations are needed. */
  readonly isObserving: boolean
}

/** Pauses whenever it may yield. Cost: at most that of three times `evidenceOf`. */
export function* answerOf(target: AskedTarget, options: TargetOptions): Generator<void, TargetAnswer, void> {
  const pairs = pairsOf(target, options.searcher, 0)
  const evidence = pairs.length === 0 ? NO_EVIDENCE : yield* evidenceOf(pairs)
  const [best] = target.frameMatches
  const isPicture = best !== undefined && best.found.match.grade !== 'review'
  const reported = isPicture ? undefined : nearestOf(target.near, evidence)
  const match = matchOf(target, { evidence, pairs, reported }, options)
  const areSeveral = evidence.segments.length > 0 || best?.found.areSeveral === true
  const seen = areSeveral ? seenOf(target, reported) : undefined
  const told = {
    ...{ match, seen },
    isCopy: reported === undefined ? best?.found.isCopy === true : isCopyAt(reported, exactBits),
    // A frame that matches as a picture was found although the image is narrowed.
    isNarrowCopy: reported === undefined || isCopyAt(reported, narrowBits),
  }
  if (!options.isObserving) return { ...told, observation: undefined }
  const atEdge = evidence.segments.length === 0 ? [] : yield* atEdgeOf(target, options.searcher)
  return { ...told, observation: observationOf(target, evidence, reported, atEdge, options) }
}

function seenOf({ frameMatches: [best] }: AskedTarget, reported: NearFrame | undefined): TargetAnswer['seen'] {
  const hash = pdqOf(reported?.frame ?? best?.frame)
  const ordinal = reported?.hit.image ?? best?.found.ordinal
  return hash === undefined || ordinal === undefined ? undefined : { hash, ordinal }
}

interface Found {
  readonly evidence: Evidence
  readonly pairs: readonly FramePair[]
  readonly reported: NearFrame | undefined
}

function matchOf(
  { image, frameMatches: [best] }: AskedTarget,
  { evidence: { segments }, pairs, reported }: Found,
  { matchIdOf, thresholdBits, trustsLines }: TargetOptions,
): Match | undefined {
  const gradeAlone = reported && (trustsLines || decidesAlone(reported)) ? 'near' : 'review'
  const described = reported && describe({ ...reported, image }, gradeAlone, matchIdOf(image.id), undefined)
  const match = described ?? best?.found.match
  const atMs = reported?.frame.atMs ?? best?.frame.atMs
  if (match === undefined || atMs === undefined) return undefined
  if (segments.length === 0) return { ...match, queryMs: toSecond(atMs) }
  const { atMs: _, ...rest } = match
  // Without trust in lines, only pairs that match by themselves decide the grade.
  const graded: readonly { readonly grade?: Grade | undefined }[] = trustsLines ? segments : pairs
  const grade = graded.reduce((best, { grade = 'review' }) => betterGrade(best, grade), match.grade)
  // A frame that is reported for review, such as to the bank that has it, stays one with its segments.
  if (grade === 'review' && thresholdBits === undefined && best === undefined) return undefined
  return { ...rest, grade, segments: segments.map(shown) }
}

function shown({ query, registered, speed, frames, orientation, bits }: Segment): MatchedSegment {
  const transform = transformName(orientation)
  return {
    query: toSeconds(query),
    registered: toSeconds(registered),
    speed,
    transform,
    frames,
    distanceBand: distanceBandOf(bits),
  }
}

function toSeconds({ fromMs, toMs }: Span): Span {
  return { fromMs: toSecond(fromMs), toMs: toSecond(toMs + 999) }
}

/** The frame that is reported if no frame matches as a picture: the nearest of the segments; without segments, the nearest that decides alone. */
function nearestOf(near: readonly NearFrame[], { segments }: Evidence): NearFrame | undefined {
  const [nearest] = [...segments].sort((a, b) => a.bits - b.bits)
  if (nearest === undefined) return near.filter(decidesAlone).sort((a, b) => b.surplusBits - a.surplusBits)[0]
  const isIn = ({ fromMs, toMs }: Span, ms: number) => ms >= fromMs && ms <= toMs
  return near.find(
    ({ hit, frame, orientation }) =>
      hit.distanceBits === nearest.bits && orientation === nearest.orientation && isIn(nearest.query, frame.atMs),
  )
}

function decidesAlone({ surplusBits }: NearFrame): boolean {
  return surplusBits >= 0
}

/**
 * The pairs of frames. None for a registered picture, which has no moments.
 * @param byBits added to each distance, to test whether slightly different distances would change the answer.
 */
function pairsOf({ near, frameMatches }: AskedTarget, searcher: TargetOptions['searcher'], byBits: number): FramePair[] {
  const registeredPdq = new Map<number, Hash256 | undefined>()
  const pdqOfRow = (ordinal: number) => {
    if (!registeredPdq.has(ordinal)) {
      const views = searcher.viewsOf(ordinal, 'pdq')
      registeredPdq.set(ordinal, views.find(({ view }) => view === 'whole')?.hash)
    }
    return registeredPdq.get(ordinal)
  }
  const matched = new Map(frameMatches.map(({ frame, found }) => [`${frame.atMs} ${found.ordinal}`, found.match.grade]))
  return near.flatMap((one): FramePair[] => {
    const moment = searcher.frameOf(one.hit.image)
    if (moment === undefined) return []
    const { frame, hit, views, orientation, hash, tighterBits, surplusBits } = one
    const own = matched.get(`${frame.atMs} ${hit.image}`)
    const grade = own !== undefined && own !== 'review' ? own : surplusBits >= byBits ? 'near' : undefined
    return [
      {
        ...{
          askedMs: frame.atMs,
          registeredMs: moment.atMs,
          bits: hit.distanceBits + byBits,
          tighterBits,
          orientation,
          grade,
        },
        ...{ isPartial: isPartial(views), content: views.content, rotated: views.rotated, askedView: hash },
        ...{ asked: pdqOf(frame), registered: pdqOfRow(hit.image), isForm: frame.isForm === true },
      },
    ]
  })
}

export function pdqOf(frame: AskedFrame | undefined): Hash256 | undefined {
  return frame?.signals.find(({ type, view }) => type === 'pdq' && view === 'whole')?.hashes[0]
}

/** @returns the ordinals of frames whose pairs would change the segments of the answer if they were a few bits nearer or farther. */
function* atEdgeOf(target: AskedTarget, searcher: TargetOptions['searcher']): Generator<void, number[], void> {
  const reported: string[] = []
  const pairs = [-EDGE_BITS, EDGE_BITS].map((byBits) => pairsOf(target, searcher, byBits))
  for (const some of pairs) {
    const { segments } = yield* evidenceOf(some)
    reported.push(JSON.stringify(segments.map(({ query, registered }) => [toSeconds(query), toSeconds(registered)])))
  }
  if (reported[0] === reported[1]) return []
  const [nearer = [], farther = []] = pairs
  const framed = target.near.filter(({ hit }) => searcher.frameOf(hit.image) !== undefined)
  const isAtEdge = (i: number) => [nearer[i], farther[i]].filter((pair) => pair && isEvidence(pair)).length === 1
  const atEdge = framed.filter((_, i) => isAtEdge(i))
  return (atEdge.length === 0 ? framed : atEdge).map(({ hit }) => hit.image)
}

/** What the answer reveals about a target's hashes: for a match of pictures, what its best frame reveals; for a line, how near it is to its edge. */
function observationOf(
  { image, near, frameMatches: [best], observations }: AskedTarget,
  { surplusBits }: Evidence,
  reported: NearFrame | undefined,
  atEdge: readonly number[],
  { thresholdBits }: TargetOptions,
): Observation | undefined {
  const ofFrames = mostRevealing(observations)
  const inner = (edge: Edge) => (edge === 'none' && atEdge.length > 0 ? 'inner' : edge)
  if (reported === undefined && best?.observation !== undefined)
    return {
      ...best.observation,
      edge: inner(best.observation.edge),
      ordinals: [...(best.observation.ordinals ?? []), ...atEdge],
    }
  const aloneBits = near.reduce((most, one) => Math.max(most, one.surplusBits), Number.NEGATIVE_INFINITY)
  const isSolid = Math.max(surplusBits, aloneBits) >= EDGE_BITS
  const isClose = !isSolid && (isSurplusClose(surplusBits) || isSurplusClose(aloneBits))
  const [nearest = reported] = [reported, ...near].filter((one) => one !== undefined)
  if (nearest === undefined || (reported === undefined && !isClose)) return ofFrames
  const distanceBits = reported?.hit.distanceBits
  const isAtBand = distanceBits !== undefined && BAND_EDGES_BITS.some((bits) => isNearEdge(distanceBits, bits))
  const isOuter = isClose || (!isSolid && ofFrames?.edge === 'outer')
  return {
    imageId: image.id,
    edge: isOuter ? 'outer' : inner(isAtBand ? 'inner' : 'none'),
    distanceBits,
    marks: marksOf(near, thresholdBits),
    plain: { view: nearest.views.registered, orientation: nearest.orientation },
    ordinals: [nearest.hit.image, ...atEdge],
  }
}
