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
 * above. Anybody can register any picture, so a lower tier only holds the upload, and so does `near`. Hashes that nobody vouches for hold as well,
 * whatever platforms confirmed, unless the operator blocks every tier. A `review` or disputed match never stops it.
 * @param matches in the order of the answer; the first that decides is returned.
 */
export function verdictOn(matches: readonly Match[], lowestTier: Tier): MatchVerdict {
  // Somebody may have sent the hash of an innocent picture beside those of a picture that platforms then confirmed.
  const isBelieved = ({ isUnvouched }: Match) => isUnvouched !== true || lowestTier === 'self-reported'
  const counted = matches.filter(({ disputed, grade }) => !disputed && grade !== 'review')
  const blocking = counted.find(
    (match) => match.grade !== 'near' && TIERS[match.tier] >= TIERS[lowestTier] && isBelieved(match),
  )
  if (blocking !== undefined) return { verdict: 'block', match: blocking }
  const [holding] = counted
  return holding === undefined ? { verdict: 'pass' } : { verdict: 'hold', match: holding }
}
