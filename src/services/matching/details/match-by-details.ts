// Matches by details: if hashes find nothing to act on, or if the caller asks for the depth `full`.

import { createHash, randomInt } from 'node:crypto'
import type { Edge } from '../../../../packages/core/src/matching/edges.js'
import { distanceBandOf, type Grade } from '../../../../packages/core/src/matching/grade.js'
import type { AskedView } from '../../../../packages/hash/src/details/features.js'
import { DETAILS_VIEW } from '../../../domain/trust/flood.js'
import type { Match } from '../match.js'
import type { AskingByDetails, ByDetails, DetailsStep } from '../match-steps.js'
import type { Observation } from '../observing.js'
import type { DetailFinder, FoundByDetails } from './detail-finder.js'

export function createDetailsStep(finder: DetailFinder): DetailsStep {
  return {
    find: (views, asking) => matchesByDetails(finder, views, asking),
    accountOf: accountOfDetails,
    digestOf: digestOfDetails,
  }
}

async function matchesByDetails(
  finder: DetailFinder,
  views: readonly AskedView[],
  asking: AskingByDetails,
): Promise<ByDetails> {
  const { searcher, banks, vetoing, mirrors, except, isStopped, yieldIfNeeded, matchIdOf, gradeOf } = asking
  const role = (ordinal: number) => {
    const bank = searcher.factsOf(ordinal)?.bank ?? ''
    if (vetoing.has(bank)) return 'harmless'
    return banks.has(bank) && !except.has(ordinal) && !isStopped(ordinal) ? 'wanted' : undefined
  }
  const missed = new Set<string>()
  const onMissed = (imageId: string) => void missed.add(imageId)
  const found = await finder.find(views, { searcher, mirrors, role, yieldIfNeeded, onMissed })
  if (found.length === 0 && missed.size === 0) return NOTHING_FOUND
  const marks = marksOf(views)
  const observed = (imageId: string, edge: Edge, distanceBits: number | undefined): Observation => ({
    ...{ imageId: accountOfDetails(imageId), edge, distanceBits, marks, plain: undefined },
  })
  return {
    answer: found.map((each) => ({
      ordinal: each.ordinal,
      imageId: each.image.id,
      match: describe(each, gradeOf(each.image), matchIdOf(each.image.id)),
      view: DETAILS_VIEW,
    })),
    observations: [
      ...Array.from(missed, (imageId) => observed(imageId, 'alone', undefined)),
      ...found.map(({ image, isAtEdge, surplus }) => observed(image.id, isAtEdge ? 'alone' : 'inner', surplus)),
    ],
  }
}

const NOTHING_FOUND: ByDetails = { answer: [], observations: [] }

/**
 * The name of the probing account of an image's details. It is separate from the account of its hashes, so that queries with
 * crops do not use up the budget for hashes.
 */
export function accountOfDetails(imageId: string): string {
  return `details ${imageId}`
}

/** As `digestOf`, of details. */
export function digestOfDetails(views: readonly AskedView[]): Uint8Array {
  const digest = createHash('sha256')
  for (const { width, height, part, features } of views) {
    digest.update(`${width} ${height} ${Object.values(part).join(' ')} ${features.length} `)
    for (const { x, y, angle, level, hash, mirrored } of features) {
      digest.update(`${x} ${y} ${angle} ${level} `).update(hash)
      if (mirrored !== undefined) digest.update(mirrored)
    }
  }
  return digest.digest()
}

const SEEDS = [randomInt(2 ** 32), randomInt(2 ** 32)] as const

/** Two digests that are equal for equal details at equal positions (FNV-1a, 32 bits). */
function marksOf(views: readonly AskedView[]): readonly [number, number] {
  let [one, other]: [number, number] = [...SEEDS]
  const add = (value: number) => {
    one = Math.imul(one ^ value, 0x01000193)
    other = Math.imul(other ^ value, 0x01000193)
  }
  for (const { width, height, part, features } of views) {
    for (const value of [width, height, ...Object.values(part).map((side) => side * 65_536)]) add(value)
    for (const { x, y, angle, level, hash, mirrored } of features) {
      for (const value of [x * 16, y * 16, angle, level, ...hash, ...(mirrored ?? [])]) add(value)
    }
  }
  return [one, other]
}

/** The grade is never `strong`, because details were measured over fewer pairs than two agreeing algorithms. */
function describe(
  { image, inliers, surplus, distanceBits, region, isMirrored }: FoundByDetails,
  grade: Grade,
  matchId: string,
): Match {
  return {
    matchId,
    grade,
    distanceBits,
    distanceBand: distanceBandOf(distanceBits),
    signalType: 'detail',
    view: 'details',
    transform: isMirrored ? 'flipY' : 'original',
    bank: image.bank,
    tier: image.tier,
    category: image.category,
    disputed: image.disputed,
    details: { inliers, surplus, region },
  }
}
