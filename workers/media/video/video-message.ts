// Parses the messages of the child that hashes a video, as JSON: first the facts of the video, then its hashes or the code of a problem.

import { z } from 'zod'
import type { HashedVideo } from '../../../packages/core/src/matching/hashed-image.js'
import { MAX_VIDEO_MS } from '../../../packages/hash/src/video-frames.js'
import { MAX_FRAME_SIDE_PX } from '../../../src/domain/media/video-frame-size.js'
import { VIDEO_CODECS } from '../../../src/domain/media/video-limits.js'
import { EXACTLY, hashedFramesMessage } from '../../../src/handoff/frame-message.js'
import type { VideoPurpose } from '../../../src/jobs/hash-video-job.js'
import { VIDEO_PROBLEMS, type VideoProblem } from './video-answer.js'
import { ROTATIONS, type VideoFacts } from './video-facts.js'

export type VideoMessage =
  | { readonly facts: VideoFacts }
  | { readonly video: HashedVideo }
  | { readonly problem: VideoProblem }

/** Enough for 8,000 signals of a query with up to eight hashes of 64 digits each. */
export const MAX_VIDEO_MESSAGE_BYTES = 1 << 24

const Facts = z.strictObject({
  codec: z.enum(VIDEO_CODECS),
  durationMs: z.int().min(0).max(MAX_VIDEO_MS),
  width: z.int().min(1).max(MAX_FRAME_SIDE_PX),
  height: z.int().min(1).max(MAX_FRAME_SIDE_PX),
  rotation: z.literal(ROTATIONS),
  isFlipped: z.boolean(),
  isLate: z.boolean(),
})

const Message = z.union([
  z.strictObject({ facts: Facts }),
  z.strictObject({ problem: z.enum(VIDEO_PROBLEMS) }),
  z.strictObject({ video: hashedFramesMessage(EXACTLY) }),
])

/**
 * @throws {Error} when the text is not a message, or not what `purpose` asked for. Then a file has taken control of the child: never log the text.
 */
export function parseVideoMessage(text: string, purpose: VideoPurpose): VideoMessage {
  const message = Message.parse(JSON.parse(text))
  if (!('video' in message)) return message
  const isRegistered = purpose === 'submission'
  const isWanted = message.video.frames.every(
    ({ signals, isForm }) =>
      !(isForm && purpose !== 'query') &&
      signals.every(
        ({ type, hashes }) => type !== 'pdq-area' || (purpose !== 'vpdq' && (hashes.length === 1) === isRegistered),
      ),
  )
  if (!isWanted) throw new Error('the answer contains what was not asked for')
  return message
}
