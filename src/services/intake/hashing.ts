// Has a picture hashed by a worker. The picture waits at the hand-off; the queue learns only where.

import type { HashedImage } from '../../domain/matching/hashed-image.js'
import { SIGNAL_TYPES } from '../../domain/matching/signal-types.js'
import { Problem } from '../../domain/problem.js'
import type { PendingImages } from '../../handoff/pending-images.js'
import { isTooCostly, type PictureCost, pictureCost, UNKNOWN_COST } from '../../handoff/picture-cost.js'
import { type DetailsWanted, type HashImageJob, JOB_PRIORITY, type JobPurpose } from '../../jobs/hash-image.js'
import { createPictureShares, type PictureSender } from './picture-shares.js'

export interface Hashing {
  /**
   * Takes over an image, in the pieces it arrived in: its bytes are overwritten whatever happens.
   * @throws {Problem} a refusal of the picture (image-undecodable, quality-too-low …), or hashing-unavailable, or store-unavailable.
   */
  hash(image: readonly Buffer[], purpose: JobPurpose, details?: DetailsWanted, from?: HashingFor): Promise<HashedImage>
}

export interface HashingFor extends PictureSender {
  /** Is told what a picture costs before it is hashed, whatever comes of it. @throws {Problem} rate-limited */
  readonly charge: (units: number) => void
}

/** Of pictures whose sender nobody told. */
const NOBODY: HashingFor = { group: '', member: '', charge: () => {} }

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

/** What is looked at to tell what a picture costs: photographs have their size in it. */
const HEAD_BYTES = 1 << 18
/** A small photograph costs one. */
const UNIT_MS = 50
/** Finding details takes some times as long as hashing. */
const DETAILS_UNITS = 4
/** Beyond it nobody is told apart: far behind everybody else. */
const MAX_BEHIND = 100_000

/** Each picture waits behind those of the same sender, and not behind all that anybody sent. */
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
      // Programs are told to come again when they would wait: behind those that go before them, and not behind what somebody else sent too much of.
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

/** What is too costly is refused unread, and costs no more than any other. Who hides the header far behind is charged by all of the file. */
function unitsOf(image: readonly Buffer[]): number {
  const sizeBytes = image.reduce((sum, { length }) => sum + length, 0)
  const ofHead = costOf(image, Math.min(HEAD_BYTES, sizeBytes))
  const cost = ofHead === UNKNOWN_COST && sizeBytes > HEAD_BYTES ? costOf(image, sizeBytes) : ofHead
  return isTooCostly(cost, sizeBytes) ? 1 : Math.max(1, Math.round(cost.timeMs / UNIT_MS))
}

function costOf(image: readonly Buffer[], bytes: number): PictureCost {
  const copy = Buffer.concat(image, bytes)
  const cost = pictureCost(copy)
  copy.fill(0)
  return cost
}
