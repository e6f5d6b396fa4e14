// The hashing job of a video: fetches it from the hand-off, has it hashed in the sandbox, sends the hashes back. Nothing of it stays here.

import { createHash } from 'node:crypto'
import { hashFromBytes } from '../packages/hash/src/hash256.js'
import { MAX_COST_MS } from '../src/handoff/video-answers.js'
import type { HandoffVisit } from '../src/handoff/visit.js'
import { HashVideoJob } from '../src/jobs/hash-video-job.js'
import type { HashImageOutcome } from './hash-image-job.js'
import type { VideoSandbox } from './video-sandbox.js'

export interface HashVideoParts {
  readonly visit: Pick<HandoffVisit, 'takeVideo' | 'answerVideo'>
  readonly sandbox: Pick<VideoSandbox, 'hash'>
}

/** Safe to run twice: the second time the ticket is used. @throws {Error} when the hand-off is unreachable. */
export function hashVideoHandler({ visit, sandbox }: HashVideoParts) {
  return async (data: unknown): Promise<HashImageOutcome> => {
    const { handoffUrl, ticket, purpose } = HashVideoJob.parse(data)
    // Computed here, so that a decoder that was taken over cannot register or query a file that it was not given.
    const [sha256, md5] = [createHash('sha256'), createHash('md5')]
    const taken = await visit.takeVideo(handoffUrl, ticket, (chunk) => {
      sha256.update(chunk)
      md5.update(chunk)
    })
    if (taken === undefined) return 'abandoned'
    try {
      const answer = await sandbox.hash(taken.pieces, purpose, taken.disconnected)
      if (taken.disconnected.aborted) return 'abandoned'
      const file = () => ({ sha256: hashFromBytes(sha256.digest().reverse()), md5: md5.digest('hex') })
      const costMs = Math.min(answer.costMs ?? 0, MAX_COST_MS)
      const whole = 'problem' in answer ? { ...answer, costMs } : { video: { ...answer.video, file: file() }, costMs }
      return (await visit.answerVideo(handoffUrl, ticket, whole)) ? 'answered' : 'abandoned'
    } finally {
      for (const piece of taken.pieces) piece.fill(0)
      taken.release()
    }
  }
}
