// What is asked of the matcher, and what it answers.

import type { AskedView } from '../../../packages/hash/src/details/features.js'
import type { TransformName } from '../../../packages/hash/src/transforms.js'
import type { Agreement, Region } from '../../domain/matching/agreement.js'
import type { DistanceBand, Grade } from '../../domain/matching/grade.js'
import type { Category, Tier, View } from '../../domain/matching/signal.js'
import type { RowType } from '../../domain/matching/signal-types.js'

export interface Match {
  /** The same for the same image and tenant, and for no other tenant. */
  readonly matchId: string
  readonly grade: Grade
  /** Of a match by details the median over those that agree. */
  readonly distanceBits: number
  readonly distanceBand: DistanceBand
  readonly signalType: RowType
  /** Which part of the registered picture was recognised. */
  readonly view: View | 'details'
  /** What turns the picture that was asked about into the registered one. */
  readonly transform: TransformName
  readonly bank: string
  readonly tier: Tier
  readonly category: Category | undefined
  readonly disputed: boolean
  /** Only where a part of the picture that was asked about differs: the share that agrees, and where. */
  readonly agreement?: NonNullable<Agreement['partial']>
  /** Only of a match by details. */
  readonly details?: MatchedDetails
}

/** What a match by details says besides. */
export interface MatchedDetails {
  /** How many details agree: 8 at least, where chance agrees in 7 at most. */
  readonly inliers: number
  /** How many more agree than it takes. */
  readonly surplus: number
  /** What they cover of the picture that was asked about, in parts of its sides, 0…1. */
  readonly region: Region
}

/** auto: by details where hashes find nothing. full: by details as well. hashes: never by details. */
export const DEPTHS = ['auto', 'full', 'hashes'] as const
export type Depth = (typeof DEPTHS)[number]

export interface MatchOptions {
  /** The tenant that asks; match ids are its own. */
  readonly orgId: string
  /** Names; undefined for all that the tenant may know of. */
  readonly banks: readonly string[] | undefined
  /** Where the asking organisation saw the pictures, as it calls these places; in the order of the pictures. */
  readonly contexts?: readonly (string | undefined)[]
  /** In place of the banks' thresholds, as far as a type allows. */
  readonly thresholdBits: number | undefined
  /** Views of a picture, by its number, for a match by its details; asked when its turn comes. */
  readonly viewsOf?: (picture: number) => readonly AskedView[] | undefined
  /** Does a picture, by its number, look like a form? None does when left out. */
  readonly isFormOf?: (picture: number) => boolean
  /** Is the caller told distances, and not their bands alone? */
  readonly knowsDistance?: boolean
  readonly depth?: Depth
  /** Also find by details what a mirror shows? */
  readonly mirrors?: boolean
  /**
   * Told what a picture, by its number, is answered with as soon as that is known, so that an answer can be written while the next ones are
   * looked for; and once more if something of it was withdrawn before all were.
   */
  readonly onMatched?: (picture: number, matches: readonly Match[]) => void
  /** Told, before `onMatched`, of a picture to which more is near than it is answered with. */
  readonly onTruncated?: (picture: number) => void
  /** Only this one is asked about; all when left out. */
  readonly imageId?: string
}
