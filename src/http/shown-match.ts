// The fields of a match that a caller may see: as an object, and directly as JSON for calls with a thousand queries.

import { z } from 'zod'
import { inlierBandOf } from '../../packages/core/src/matching/grade.js'
import { toSecond } from '../../packages/core/src/matching/timed-signals.js'
import type { Problem } from '../domain/problem.js'
import { MAX_MATCHES } from '../services/matching/fair-share.js'
import type { Match, MatchedDetails, MatchedSegment } from '../services/matching/match.js'
import { problemBody } from './problems.js'
import { MatchView, PartProblem } from './schemas.js'

export const Matches = z.array(MatchView).meta({
  description: `Nearest first, and of equally near ones the better grade first; at most one for each registered image and ${MAX_MATCHES.perCase} for each case; at most ${MAX_MATCHES.perPicture}, and fewer where a call has more than ${MAX_MATCHES.perCall / MAX_MATCHES.perPicture} queries, so that it is answered with at most ${MAX_MATCHES.perCall.toLocaleString('en')}.`,
})

export const Truncated = z.literal(true).optional().meta({
  description: '`matches` is incomplete: it has the nearest of each bank, and a few of each case.',
})

/** The result for one picture of a request. */
export const MatchResult = z.object({
  id: z.string().optional(),
  matches: Matches,
  truncated: Truncated,
  problem: PartProblem,
})

/** @param mayKnowDistance shows the distance in bits; otherwise only its band. */
export function shownMatch(
  { distanceBits, category, atMs, segments, details, isUnvouched: _, ...rest }: Match,
  mayKnowDistance: boolean,
): z.infer<typeof MatchView> {
  return {
    ...rest,
    ...(mayKnowDistance && { distanceBits }),
    category: category ?? null,
    ...(atMs !== undefined && { atMs: toSecond(atMs) }),
    ...(segments !== undefined && { segments: segments.map(shownSegment) }),
    ...(details !== undefined && { details: shownDetails(details, mayKnowDistance) }),
  }
}

export interface ResultParts {
  /** The id that the caller gave the picture. */
  readonly id: string | undefined
  readonly matches: readonly Match[]
  readonly isTruncated: boolean
  readonly problem: Problem | undefined
  readonly mayKnowDistance: boolean
}

/**
 * A result as JSON: byte for byte what serialising `MatchResult` gives, with only the fields of a match that are named here. Five times as fast as
 * building, validating and serialising an object.
 */
export function resultText({ id, matches, isTruncated, problem, mayKnowDistance }: ResultParts): string {
  const before = id === undefined ? '' : `"id":${JSON.stringify(id)},`
  const truncated = isTruncated ? ',"truncated":true' : ''
  const behind = truncated + (problem === undefined ? '' : `,"problem":${JSON.stringify(problemBody(problem))}`)
  if (matches.length === 0) return `{${before}"matches":[]${behind}}`
  return `{${before}"matches":[${matches.map((match) => matchText(match, mayKnowDistance)).join()}]${behind}}`
}

/** Escapes only the bank's name, which a user chose. All other texts are fixed words or base64url, which need no escapes. */
function matchText(match: Match, mayKnowDistance: boolean): string {
  const bits = mayKnowDistance ? `"distanceBits":${match.distanceBits},` : ''
  const category = match.category === undefined ? 'null' : `"${match.category}"`
  const atMs = match.atMs === undefined ? '' : `,"atMs":${toSecond(match.atMs)}`
  const queryMs = match.queryMs === undefined ? '' : `,"queryMs":${match.queryMs}`
  const segments = match.segments === undefined ? '' : `,"segments":${JSON.stringify(match.segments.map(shownSegment))}`
  const agreement = match.agreement === undefined ? '' : `,"agreement":${JSON.stringify(match.agreement)}`
  const details =
    match.details === undefined ? '' : `,"details":${JSON.stringify(shownDetails(match.details, mayKnowDistance))}`
  return (
    `{"matchId":"${match.matchId}","grade":"${match.grade}","distanceBand":"${match.distanceBand}",${bits}` +
    `"signalType":"${match.signalType}","view":"${match.view}","transform":"${match.transform}",` +
    `"bank":${JSON.stringify(match.bank)},"tier":"${match.tier}","category":${category},"disputed":${match.disputed}${queryMs}${segments}${atMs}${agreement}${details}}`
  )
}

function shownSegment({ query, registered, speed, transform, frames, distanceBand }: MatchedSegment) {
  return { query, registered, speed, transform, frames, distanceBand }
}

function shownDetails({ inliers, region }: MatchedDetails, mayKnowDistance: boolean) {
  return { inliersBand: inlierBandOf(inliers), ...(mayKnowDistance && { inliers }), region: roughly(region) }
}

/** Rounds to 32nds: finer regions would reveal the positions of stored details. */
function roughly({ left, top, right, bottom }: MatchedDetails['region']): MatchedDetails['region'] {
  const [down, up] = [(side: number) => Math.floor(side * 32) / 32, (side: number) => Math.ceil(side * 32) / 32]
  return { left: down(left), top: down(top), right: up(right), bottom: up(bottom) }
}
