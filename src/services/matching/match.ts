// The options and results of the matcher.

import type { Agreement, Region } from '../../../packages/core/src/matching/agreement.js'
import { type DistanceBand, GRADES, type Grade } from '../../../packages/core/src/matching/grade.js'
import type { HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'
import type { Grading } from '../../../packages/core/src/matching/registry-size.js'
import type { Segment } from '../../../packages/core/src/matching/segments.js'
import type { Category, Tier, View } from '../../../packages/core/src/matching/signal.js'
import type { RowType } from '../../../packages/core/src/matching/signal-types.js'
import type { AskedView } from '../../../packages/hash/src/details/features.js'
import type { TransformName } from '../../../packages/hash/src/transforms.js'

export interface Match {
  /** Always the same for an image and an organisation; another organisation gets another id. */
  readonly matchId: string
  readonly grade: Grade
  /** For a match by details: the median of the details that agree. */
  readonly distanceBits: number
  readonly distanceBand: DistanceBand
  readonly signalType: RowType
  /** The part of the registered picture that was recognised. */
  readonly view: View | 'details'
  /** The transform from the query picture to the registered one. */
  readonly transform: TransformName
  readonly bank: string
  readonly tier: Tier
  readonly category: Category | undefined
  readonly disputed: boolean
  /** As of the image; callers are not told. Never set for a match by details. */
  readonly isUnvouched?: true
  /** Present only for a video: when the best matching frame is shown. */
  readonly atMs?: number
  /** Present only if a part of the query picture differs: the share that agrees, and where it is. */
  readonly agreement?: NonNullable<Agreement['partial']>
  /** Present only for a match by details. */
  readonly details?: MatchedDetails
  /** Present only if a video was queried and no segment is known: the time in it at which the picture was found [ms], to the second. */
  readonly queryMs?: number
  /** Present only for a video found in a video: the parts, the longest first, at most `MAX_SEGMENTS`. */
  readonly segments?: readonly MatchedSegment[]
}

/** A part of a query video that is a part of a registered one. Times are [ms], to the second. */
export interface MatchedSegment extends Pick<Segment, 'query' | 'registered' | 'speed' | 'frames'> {
  readonly transform: TransformName
  readonly distanceBand: DistanceBand
}

/** Additional fields of a match by details. */
export interface MatchedDetails {
  /** Number of details that agree: at least 8. */
  readonly inliers: number
  /** Number of agreeing details beyond the required number. */
  readonly surplus: number
  /** The part of the query picture that they cover, as shares of its sides, 0…1. */
  readonly region: Region
}

/** auto: by details only if hashes find nothing better than `review`. full: by details as well. hashes: never by details. */
export const DEPTHS = ['auto', 'full', 'hashes'] as const
export type Depth = (typeof DEPTHS)[number]

/** What a query looks like. A form or an object has to be nearer than other pictures, because others of its kind look alike. */
export interface Looks {
  /** Whether it is flat and has few colours, like a form. */
  readonly isForm?: boolean | undefined
  /** Whether it shows one object on a plain ground. */
  readonly isObject?: boolean | undefined
}

/** A picture that is queried. */
export interface QueryPicture extends Looks {
  readonly signals: readonly HashedSignal[]
  /** Views for a match by details; `undefined` to match by hashes alone. */
  readonly views?: readonly AskedView[] | undefined
  /** Label of the place where the organisation saw it. */
  readonly context?: string | undefined
}

export interface QueryResult {
  /** Nearest first, each registered image once. */
  readonly matches: readonly Match[]
  /** Were matches left out because there were too many? */
  readonly isTruncated: boolean
}

export const NO_RESULT: QueryResult = { matches: [], isTruncated: false }

export interface MatchOptions {
  /** The calling organisation. Match ids differ by organisation. */
  readonly orgId: string
  /** Bank names; undefined for all banks that the organisation may know of. */
  readonly banks: readonly string[] | undefined
  /** Replaces the banks' thresholds, up to the maximum of each type. */
  readonly thresholdBits: number | undefined
  /** What the grades promise; `per-pair` when left out. */
  readonly grading?: Grading | undefined
  /** Whether the caller sees distances, not only distance bands. */
  readonly knowsDistance?: boolean
  readonly depth?: Depth
  /** Whether to search by details for mirror images, too. True by default. */
  readonly mirrors?: boolean
  /** Awaited after all pictures were searched, because other parts of the answer may take seconds. Images withdrawn by then are left out. */
  readonly beforeAnswer?: () => Promise<void>
  /** Search only for this image; for all when left out. */
  readonly imageId?: string
}

/** Nearest first; the better grade first of equally near ones. */
export function inOrder(a: Match, b: Match): number {
  return (
    a.distanceBits - b.distanceBits || GRADES.indexOf(a.grade) - GRADES.indexOf(b.grade) || (a.matchId < b.matchId ? -1 : 1)
  )
}
