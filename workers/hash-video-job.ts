// The hashing job of a video: fetches it from the hand-off, has it hashed in the sandbox, sends the hashes back. Nothing of it stays here.

import { createHash } from 'node:crypto'
import { hashFromBytes } from '../packages/hash/src/hash256.js'
import { LARGE_VIDEO_MS } from '../src/domain/media/video-limits.js'
import { MAX_COST_MS } from '../src/handoff/video-answers.js'
import type { HandoffVisit } from '../src/handoff/visit.js'
import { HashVideoJob } from '../src/jobs/hash-video-job.js'
import { NotNow } from '../src/jobs/known-jobs.js'
import type { HashImageOutcome } from './hash-image-job.js'
import type { VideoSandbox } from './video-sandbox.js'

/** Processor time of the decoder after which a video that was not announced as large is hashed by its key frames. A slow machine needs no more. */
const MAX_ORDINARY_MS = 2 * LARGE_VIDEO_MS

export interface HashVideoParts {
  readonly visit: Pick<HandoffVisit, 'takeVideo' | 'answerVideo'>
  readonly sandbox: Pick<VideoSandbox, 'hash'>
  readonly turns: VideoTurns
}

export interface VideoTurns {
  /** @returns a function to call at the end; `undefined` for a video that has to wait. */
  begin(cost: HashVideoJob['cost']): (() => void) | undefined
}

/**
 * Of several videos at a time, one is never large. Where there is one at a time, a large one that comes before others is followed by others for as long
 * as it took. Who pays: senders of large videos wait; an ordinary clip waits for one of them at most.
 * @param slots how many videos are hashed here at a time. @param now a clock that never goes back [ms].
 */
export function createVideoTurns(slots: number, now: () => number): VideoTurns {
  let large = 0
  let restUntilMs = Number.NEGATIVE_INFINITY
  return {
    begin(cost) {
      if (cost === undefined) return () => {}
      // One that is `large` alone is handed out only if no ordinary one waits.
      if (slots > 1 ? large >= slots - 1 : cost === 'waited' && now() < restUntilMs) return undefined
      const beganAtMs = now()
      large++
      return () => {
        large--
        restUntilMs = Math.max(restUntilMs, 2 * now() - beganAtMs)
      }
    },
  }
}

/** Safe to run twice: the second time the ticket is used. @throws {Error} when the hand-off is unreachable. */
export function hashVideoHandler({ visit, sandbox, turns }: HashVideoParts) {
  return async (data: unknown): Promise<HashImageOutcome> => {
    const { handoffUrl, ticket, purpose, cost } = HashVideoJob.parse(data)
    const end = turns.begin(cost)
    if (end === undefined) throw new NotNow()
    try {
      return await hashed({ handoffUrl, ticket, purpose, cost }, { visit, sandbox })
    } finally {
      end()
    }
  }
}

async function hashed(
  { handoffUrl, ticket, purpose, cost }: HashVideoJob,
  { visit, sandbox }: Omit<HashVideoParts, 'turns'>,
): Promise<HashImageOutcome> {
  // Computed here, so that a decoder that was taken over cannot register or query a file that it was not given.
  const [sha256, md5] = [createHash('sha256'), createHash('md5')]
  const taken = await visit.takeVideo(handoffUrl, ticket, (chunk) => {
    sha256.update(chunk)
    md5.update(chunk)
  })
  if (taken === undefined) return 'abandoned'
  try {
    const answer = await sandbox.hash(
      taken.pieces,
      purpose,
      taken.disconnected,
      cost === undefined ? MAX_ORDINARY_MS : undefined,
    )
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
