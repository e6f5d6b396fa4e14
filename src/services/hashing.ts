// Has a picture hashed by a worker. The picture waits at the hand-off; the queue learns only where.

import type { HashedImage } from '../domain/hashed-image.js'
import { Problem } from '../domain/problem.js'
import { SIGNAL_TYPES } from '../domain/signal-types.js'
import type { HandoffDesk } from '../handoff/desk.js'
import { type DetailsWanted, type HashImageJob, JOB_PRIORITY, type JobPurpose } from '../jobs/hash-image.js'

export interface Hashing {
  /**
   * Takes over an image, in the pieces it arrived in: its bytes are overwritten whatever happens.
   * @throws {Problem} a refusal of the picture (image-undecodable, quality-too-low …), or hashing-away, or store-away.
   */
  hash(image: readonly Buffer[], purpose: JobPurpose, details?: DetailsWanted): Promise<HashedImage>
}

const LEAST_QUALITY: Readonly<Record<JobPurpose, number>> = {
  submission: SIGNAL_TYPES.pdq.minQuality,
  query: SIGNAL_TYPES.pdq.minAskedQuality,
}

export interface HashingParts {
  readonly desk: HandoffDesk
  readonly handoffUrl: string
  /** @throws {Problem} store-away */
  readonly enqueue: (job: HashImageJob) => Promise<void>
}

export function hashingThrough({ desk, handoffUrl, enqueue }: HashingParts): Hashing {
  return {
    async hash(image, purpose, details = 'none') {
      const left = desk.leave(image, JOB_PRIORITY[purpose])
      try {
        await enqueue({ handoffUrl, ticket: left.ticket, purpose, details })
      } catch (error) {
        left.callOff()
        throw error
      }
      const answer = await left.answer
      if ('problem' in answer) throw new Problem(answer.problem)
      if (answer.image.quality < LEAST_QUALITY[purpose]) throw new Problem('quality-too-low')
      return answer.image
    },
  }
}
