// A video of a case, submitted as a file.

import { createHash } from 'node:crypto'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { fileSignals } from '../../../../packages/core/src/matching/file-signals.js'
import type { HashedVideoFile } from '../../../../packages/core/src/matching/hashed-image.js'
import { VIDEO_FORMATS } from '../../../domain/media/video-limits.js'
import type { ProblemCode } from '../../../domain/problem.js'
import type { Registration } from '../../../services/intake/registration.js'
import type { ReceivedVideo, VideoHashing } from '../../../services/intake/video-hashing.js'
import { finishing, type Idempotency } from '../../../services/load/idempotency.js'
import { HashedVideoFacts, hashedVideoFacts } from '../../given-videos.js'
import { ownCaseOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CaseNumberParam, IdempotencyKey, Quality, RegisteredState } from '../../schemas.js'
import { withVideo } from '../../video-upload.js'
import { FOR_IMAGES, registerUsable, signalsOfFrames, type UsableImage } from './registered-images.js'

const NEVER = new AbortController().signal

export interface CaseVideoRouteOptions {
  readonly videoHashing: VideoHashing
  readonly registration: Registration
  readonly idempotency: Idempotency
}

const RegisteredVideo = z.object({
  video: z.object({
    imageId: z.uuid().meta({ description: 'A video is protected as an image is.' }),
    quality: Quality,
    state: RegisteredState,
    ...HashedVideoFacts,
  }),
})

export const caseVideoRoutes: FastifyPluginAsyncZod<CaseVideoRouteOptions> = async (
  app,
  { videoHashing, registration, idempotency },
) => {
  app.post(
    '/cases/:caseNumber/videos',
    {
      config: { scope: 'case', videoFile: true },
      schema: {
        operationId: 'addVideo',
        summary: 'Add a video to a case',
        description: `One part named \`video\`, with a Content-Length: ${VIDEO_FORMATS}; up to 200 MiB and ten minutes. The video is held in memory for at most 20 minutes, hashed and then discarded, never stored. The answer is sent when the hashes are durable and match, which takes some seconds for each minute of video; if the caller disconnects before that, hashing ends and nothing is kept; with an Idempotency-Key it goes on, and a repeat gets the answer.`,
        tags: ['cases'],
        params: CaseNumberParam,
        headers: IdempotencyKey,
        response: { 201: RegisteredVideo, ...mayForVideos('token-missing', 'case-unknown', ...FOR_IMAGES) },
      },
    },
    async (request, reply) => {
      const own = ownCaseOf(request)
      const key = request.headers['idempotency-key']
      const digest = createHash('sha256')
      const register = async (video: ReceivedVideo, disconnected: AbortSignal) => {
        const hashed = await video.hash('submission', disconnected)
        await request.reauthorize() // it may have taken minutes
        return { video: await registerOne(hashed) }
      }
      const registerOne = async (hashed: HashedVideoFile) => {
        const image = toNewImage(hashed)
        const [outcome] = await registerUsable(registration, own, [image])
        if (outcome?.imageId === undefined) throw new Error('a video that is not refused has an id')
        const { imageId, state } = outcome
        return { imageId, quality: image.quality, state, ...hashedVideoFacts(hashed) }
      }
      const answer = await withVideo(request, reply, {
        videoHashing,
        onChunk: (chunk) => {
          if (key !== undefined) digest.update(chunk)
        },
        async use(video, disconnected) {
          if (key === undefined) return register(video, disconnected)
          const tried = await idempotency.attempt(['videos', own.caseId], key, RegisteredVideo)
          const whole = digest.digest()
          if (!tried.isFirst) {
            video.release() // its room is not needed to wait for the first answer
            return tried.answer(whole)
          }
          // A proxy may wait for less time than this takes. Each repeat would start again and be cut again.
          return finishing(tried, async () => ({ digest: whole, answer: await register(video, NEVER) }))
        },
      })
      return reply.code(201).send(answer)
    },
  )
}

/** @returns the responses of a route that takes a video: its own problems and those of every such upload. */
export function mayForVideos(...own: readonly ProblemCode[]): ReturnType<typeof may> {
  return may(
    'request-invalid',
    'minor-declared',
    'upload-incomplete',
    'length-missing',
    'video-missing',
    'video-file-too-large',
    'too-many-images',
    'media-unsupported',
    'video-undecodable',
    'video-too-long',
    'video-too-large',
    'quality-too-low',
    'video-unavailable',
    'hashing-unavailable',
    'overloaded',
    'store-unavailable',
    ...own,
  )
}

function toNewImage({ durationMs, frames, file }: HashedVideoFile): UsableImage {
  const ofFrames = signalsOfFrames(frames)
  const quality = ofFrames.reduce((best, signal) => Math.max(best, signal.quality), 0)
  const signals = [...fileSignals(file), ...ofFrames]
  const video = { durationMs, framesAtMs: frames.map(({ atMs }) => atMs) }
  return { signals, category: undefined, quality, video, isFromFile: true }
}
