// What a platform's upload gate does with a file, from the matches of the file.

import { TIERS, type Tier } from '../../../packages/core/src/matching/signal.js'
import type { Match } from './match.js'

/** block: refuse the upload. hold: a person looks at it first. pass: publish it. */
export const UPLOAD_VERDICTS = ['pass', 'hold', 'block'] as const
export type UploadVerdict = (typeof UPLOAD_VERDICTS)[number]

export interface MatchVerdict {
  readonly verdict: UploadVerdict
  /** The match that decided; absent if none did. */
  readonly match?: Match
}

/**
 * Blocks only where an error is rare and somebody vouched for the registration: one `exact` or `strong` match that nobody disputes, of `lowestTier` or
 * above. Anybody can register any picture, so a lower tier only holds the upload, and so does `near`. A `review` or disputed match never stops it.
 * @param matches in the order of the answer; the first that decides is returned.
 */
export function verdictOn(matches: readonly Match[], lowestTier: Tier): MatchVerdict {
  const counted = matches.filter(({ disputed, grade }) => !disputed && grade !== 'review')
  const blocking = counted.find(({ grade, tier }) => grade !== 'near' && TIERS[tier] >= TIERS[lowestTier])
  if (blocking !== undefined) return { verdict: 'block', match: blocking }
  const [holding] = counted
  return holding === undefined ? { verdict: 'pass' } : { verdict: 'hold', match: holding }
}
