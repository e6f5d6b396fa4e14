// Has a picture hashed by a worker. The picture waits in this process's memory; the queue holds only where to get it.

import type { HashedImage } from '../../../packages/core/src/matching/hashed-image.js'
import { SIGNAL_TYPES } from '../../../packages/core/src/matching/signal-types.js'
import { isTooCostly, type PictureCost, pictureCost, UNKNOWN_COST } from '../../domain/media/picture-cost.js'
import { Problem } from '../../domain/problem.js'
import type { PendingImages } from '../../handoff/pending-images.js'
import { type DetailsWanted, type HashImageJob, JOB_PRIORITY, type JobPurpose } from '../../jobs/hash-image-job.js'
import { createPictureShares, type PictureSender } from './picture-shares.js'

export interface Hashing {
  /**
   * Hashes an image, given in the pieces in which it arrived. Takes ownership of the pieces, and overwrites them in any case.
   * @throws {Problem} why the picture is refused (image-undecodable, quality-too-low …); hashing-unavailable, store-unavailable; as `charge`.
   */
  hash(image: readonly Buffer[], purpose: JobPurpose, details?: DetailsWanted, from?: HashingFor): Promise<HashedImage>
}

export interface HashingFor extends PictureSender {
  /** Whether videos of this group are hashed one at a time, because what one cost decides whether the next is accepted. */
  readonly waitsForCost: boolean
  /** Called with the cost of a picture before it is hashed. The cost counts even if hashing fails. @throws {Problem} rate-limited */
  readonly charge: (units: number) => void
  /**
   * As `charge`, for a video, whose cost is known only afterwards.
   * @param least what the video costs at least.
   * @throws {Problem} rate-limited, also after earlier videos that cost too much
   */
  readonly chargeVideo: (units: number, least: number) => void
  /** Counts what a video cost beyond what was charged. */
  readonly settleVideo: (units: number) => void
}

export const FREE = {
  waitsForCost: false,
  charge: () => {},
  chargeVideo: () => {},
  settleVideo: () => {},
} satisfies Partial<HashingFor>
/** For pictures without a known sender. */
const NOBODY: HashingFor = { group: '', member: '', ...FREE }

const MIN_QUALITY: Readonly<Record<JobPurpose, number>> = {
  submission: SIGNAL_TYPES.pdq.minQuality,
  query: SIGNAL_TYPES.pdq.minAskedQuality,
}

export interface HashingParts {
  readonly pendingImages: PendingImages
  readonly handoffUrl: string
  /** @throws {Problem} store-unavailable */
  readonly enqueue: (job: HashImageJob, priority: number) => Promise<void>
}

/** The cost of a picture is read from this many of its first bytes. They include the header of a photograph. */
const HEAD_BYTES = 1 << 18
/** Processor time per unit of cost. A small photograph costs one unit. */
export const UNIT_MS = 50
/** Extra cost of finding details, which takes several times as long as hashing. */
const DETAILS_UNITS = 4
/** Maximum penalty on a job's priority. All senders beyond it have the same priority. */
const MAX_BEHIND = 100_000

/** Orders pictures fairly: a picture waits behind those of its own sender, but not behind all pictures of others. */
export function createHashing({ pendingImages, handoffUrl, enqueue }: HashingParts): Hashing {
  const shares = createPictureShares()
  return {
    async hash(image, purpose, details = 'none', from = NOBODY) {
      const units = unitsOf(image) + (details === 'also' ? DETAILS_UNITS : 0)
      try {
        from.charge(units)
      } catch (error) {
        for (const piece of image) piece.fill(0)
        throw error
      }
      const { behind, leave } = shares.enter(from, units)
      const priority = JOB_PRIORITY[purpose] + Math.min(behind, MAX_BEHIND)
      // Queries are refused if their expected wait is too long. A submission queued behind all queries does not count towards that wait, so one
      // sender with many submissions does not get the queries of others refused.
      const isAhead = purpose === 'query' || priority <= JOB_PRIORITY.query
      const left = pendingImages.put(image, priority, isAhead)
      try {
        await enqueue({ handoffUrl, ticket: left.ticket, purpose, details }, priority).catch((error) => {
          left.cancel()
          throw error
        })
        const answer = await left.answer
        if ('problem' in answer) throw new Problem(answer.problem)
        if (answer.image.quality < MIN_QUALITY[purpose]) throw new Problem('quality-too-low')
        return answer.image
      } finally {
        leave()
      }
    },
  }
}

/**
 * Cost of a picture, at least 1. A picture that is too costly costs 1, because it is refused without decoding. If the first bytes do not show the
 * cost, reads the whole file.
 */
function unitsOf(image: readonly Buffer[]): number {
  const sizeBytes = image.reduce((sum, { length }) => sum + length, 0)
  const ofHead = costOf(image, sizeBytes, Math.min(HEAD_BYTES, sizeBytes))
  const cost = ofHead === UNKNOWN_COST && sizeBytes > HEAD_BYTES ? costOf(image, sizeBytes) : ofHead
  return isTooCostly(cost, sizeBytes) ? 1 : Math.max(1, Math.round((cost.timeMs + (cost.windowsMs ?? 0)) / UNIT_MS))
}

function costOf(image: readonly Buffer[], sizeBytes: number, bytes = sizeBytes): PictureCost {
  const copy = Buffer.concat(image, bytes)
  const cost = pictureCost(copy, sizeBytes)
  copy.fill(0)
  return cost
}
