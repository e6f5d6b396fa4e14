// The options and results of the matcher.

import type { Agreement, Region } from '../../../packages/core/src/matching/agreement.js'
import { type DistanceBand, GRADES, type Grade } from '../../../packages/core/src/matching/grade.js'
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

export interface MatchOptions {
  /** The calling organisation. Match ids differ by organisation. */
  readonly orgId: string
  /** Bank names; undefined for all banks that the organisation may know of. */
  readonly banks: readonly string[] | undefined
  /** Labels of the places where the organisation saw the pictures, by picture. */
  readonly contexts?: readonly (string | undefined)[]
  /** Replaces the banks' thresholds, up to the maximum of each type. */
  readonly thresholdBits: number | undefined
  /** What the grades promise; `per-pair` when left out. */
  readonly grading?: Grading | undefined
  /** Views of a picture for a match by details, by its index; called when that picture is processed. */
  readonly viewsOf?: (picture: number) => readonly AskedView[] | undefined
  /** What the picture with this index looks like. When left out, no picture is a form or an object. */
  readonly looksOf?: (picture: number) => Looks | undefined
  /** Whether the caller sees distances, not only distance bands. */
  readonly knowsDistance?: boolean
  readonly depth?: Depth
  /** Whether to search by details for mirror images, too. True by default. */
  readonly mirrors?: boolean
  /**
   * Called with the matches of a picture as soon as they are known, so that the answer can be written while others are
   * searched. Called a second time if a match was withdrawn before all pictures were done.
   */
  readonly onMatched?: (picture: number, matches: readonly Match[]) => void
  /** Awaited after all pictures were searched, because other parts of the answer may take seconds. Images withdrawn by then are left out. */
  readonly beforeAnswer?: () => Promise<void>
  /** Called before `onMatched` for a picture with more matches than the answer holds. */
  readonly onTruncated?: (picture: number) => void
  /** Search only for this image; for all when left out. */
  readonly imageId?: string
}

/** Nearest first; the better grade first of equally near ones. */
export function inOrder(a: Match, b: Match): number {
  return (
    a.distanceBits - b.distanceBits || GRADES.indexOf(a.grade) - GRADES.indexOf(b.grade) || (a.matchId < b.matchId ? -1 : 1)
  )
}
