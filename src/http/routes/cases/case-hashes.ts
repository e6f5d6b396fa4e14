// Pictures and videos of a case, submitted as hashes.

import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { type FastifyPluginAsyncZod, validatorCompiler } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Signal } from '../../../../packages/core/src/matching/signal.js'
import { readRegistered } from '../../../../packages/hash/src/details/written.js'
import { Problem, type ProblemCode } from '../../../domain/problem.js'
import type { Registration } from '../../../services/intake/registration.js'
import type { EventLoopScheduler } from '../../../services/load/event-loop-scheduler.js'
import { finishing, type Idempotency } from '../../../services/load/idempotency.js'
import { Declared } from '../../declared-age.js'
import { GivenAnimation, GivenVideo, isPicture, NO_PICTURE, pictureSignals, videoSignals } from '../../given-videos.js'
import { isStream } from '../../ndjson.js'
import { ownCaseOf } from '../../plugins/authentication.js'
import { may, problemBody } from '../../problems.js'
import { CaseNumberParam, CategoryName, GivenDetails, GivenImageSignals, IdempotencyKey } from '../../schemas.js'
import { FOR_IMAGES, RegisteredImages, registerUsable, type UsableImage } from './registered-images.js'
import { MAX_LINES_BYTES, MAX_VIDEOS, VideoLine, videosIn } from './video-lines.js'

const MAX_IMAGES_OF_HASHES = 1000
const NDJSON = 'application/x-ndjson'

const GivenHashes = z
  .strictObject({
    ...Declared,
    images: z
      .array(
        z
          .strictObject({
            ...Declared,
            signals: GivenImageSignals,
            animation: GivenAnimation.optional(),
            details: GivenDetails.optional(),
            category: CategoryName.optional(),
          })
          .refine(isPicture, NO_PICTURE),
      )
      .max(MAX_IMAGES_OF_HASHES)
      .default([]),
    videos: z.array(GivenVideo).max(MAX_VIDEOS).default([]),
  })
  .refine(({ images, videos }) => images.length + videos.length > 0, 'must have at least one image or video')

const RegisteredHashes = RegisteredImages.extend({
  videos: z
    .array(
      RegisteredImages.shape.images.element.extend({
        line: z.int().optional().meta({ description: 'Of NDJSON: its last line, or the one for which it was refused.' }),
      }),
    )
    .optional()
    .meta({ description: 'In the order of the videos; absent without any.' }),
})
type RegisteredHashes = z.infer<typeof RegisteredHashes>

export interface CaseHashRouteOptions {
  readonly registration: Registration
  readonly idempotency: Idempotency
  readonly scheduler: Pick<EventLoopScheduler, 'yielder'>
}

export const caseHashRoutes: FastifyPluginAsyncZod<CaseHashRouteOptions> = async (app, options) => {
  const { registration, idempotency, scheduler } = options
  app.addContentTypeParser(NDJSON, (_request, payload, done) => done(null, payload))
  app.setValidatorCompiler<z.ZodType>((route) => {
    const validate = validatorCompiler(route)
    return (data) => (isStream(data) ? { value: data } : validate(data)) // lines are checked as they arrive
  })
  app.post(
    '/cases/:caseNumber/hashes',
    {
      config: { scope: 'case', queries: 'counted', ndjsonBody: VideoLine },
      bodyLimit: 8 << 20,
      schema: {
        operationId: 'addHashes',
        summary: 'Add pictures and videos by hashes computed on the own device',
        description:
          'A video is protected as an image is: it has an `imageId`, and it is withdrawn, disputed and counted like one. Long videos can be sent as application/x-ndjson, in lines as `tabir export` writes them: up to 100 videos and 32 MiB. Each video is registered once all of its lines are there, or refused as a whole, with the line; the others are registered. A body that breaks off can be sent again.',
        tags: ['cases'],
        params: CaseNumberParam,
        headers: IdempotencyKey,
        body: GivenHashes,
        response: {
          201: RegisteredHashes,
          ...may(
            'request-invalid',
            'quality-too-low',
            'hash-improbable',
            'minor-declared',
            'extended-protection-off',
            'upload-incomplete',
            'body-too-large',
            'too-many-images',
            'media-unsupported',
            'token-missing',
            'case-unknown',
            ...FOR_IMAGES,
            'store-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      const { body, headers } = request
      const own = ownCaseOf(request)
      const key = headers['idempotency-key']
      const charge = (hashes: number) => request.consumeQuota(reply, hashes)
      charge(isStream(body) ? 0 : hashesIn(body))
      if (isStream(body)) {
        // What still arrives after a refusal, or beyond what is taken, is not read.
        const close = () => void reply.header('connection', 'close')
        const answer = await registerLines(request, { ...options, body, key, close, charge })
        return reply.code(201).send(answer)
      }
      const register = async () => {
        const yieldIfNeeded = scheduler.yielder()
        const takesDetails = registration.takesDetails(own)
        const given: (UsableImage | Problem)[] = []
        for (const each of [...body.images, ...body.videos]) {
          const pause = yieldIfNeeded()
          if (pause !== undefined) await pause
          given.push('frames' in each ? toGivenVideo(each) : toGivenImage(each, takesDetails))
        }
        const outcomes = await registerUsable(registration, own, given)
        const videos = outcomes.splice(body.images.length)
        return { images: outcomes, ...(videos.length > 0 && { videos }) }
      }
      return reply.code(201).send(await idempotency.once(['hashes', own.caseId], key, body, RegisteredHashes, register))
    },
  )
}

/** Refusals of one video alone. Any other refusal applies to the remaining videos as well, and ends the request. */
const OF_ONE_VIDEO: readonly ProblemCode[] = [
  'request-invalid',
  'quality-too-low',
  'hash-improbable',
  'known-harmless',
  'case-full',
  'too-many-images',
]

interface LinesOptions extends CaseHashRouteOptions {
  readonly body: AsyncIterable<unknown>
  readonly key: string | undefined
  readonly close: () => void
  /** Counts hashes. @throws {Problem} rate-limited */
  readonly charge: (hashes: number) => void
}

function hashesIn({ images, videos }: z.infer<typeof GivenHashes>): number {
  const frames = [...videos, ...images.flatMap(({ animation = [] }) => animation)].flatMap((video) => video.frames)
  return [...images, ...frames].reduce((sum, { signals }) => sum + signals.length, 0)
}

/** Of two requests with one idempotency key, the later one only compares its body with that of the first and gets its answer. */
async function registerLines(request: FastifyRequest, options: LinesOptions): Promise<RegisteredHashes> {
  const { idempotency, body, key } = options
  if (Number(request.headers['content-length'] ?? 0) > MAX_LINES_BYTES) throw new Problem('body-too-large')
  if (key === undefined) return registerEach(request, options)
  const digest = createHash('sha256')
  const onLine = (text: string | undefined) => void digest.update(`${text?.length ?? 'long'}:`).update(text ?? '')
  const tried = await idempotency.attempt(['hashes', ownCaseOf(request).caseId], key, RegisteredHashes)
  if (tried.isFirst)
    return finishing(tried, async () => {
      const answer = await registerEach(request, options, onLine)
      return { digest: digest.digest(), answer }
    })
  let videos = 0
  for await (const _ of videosIn(body, options.scheduler.yielder(), onLine)) if (isBeyond(++videos, options)) break
  return tried.answer(digest.digest())
}

/** Whether the rest of the body is not read. */
function isBeyond(videos: number, { close }: Pick<LinesOptions, 'close'>): boolean {
  if (videos <= MAX_VIDEOS) return false
  close()
  return true
}

/** @throws {Problem} the first refusal, if no video was registered */
async function registerEach(
  request: FastifyRequest,
  options: LinesOptions,
  onLine?: (text: string | undefined) => void,
): Promise<RegisteredHashes> {
  const { registration, scheduler, body, charge } = options
  const videos: NonNullable<RegisteredHashes['videos']> = []
  let refusal: Problem | undefined
  for await (const { line, video } of videosIn(body, scheduler.yielder(), onLine)) {
    await request.reauthorize() // lines may arrive for long
    const given = videos.length === MAX_VIDEOS ? new Problem('too-many-images') : video
    try {
      if (!(given instanceof Problem)) charge(hashesIn({ images: [], videos: [given] }))
      const usable = given instanceof Problem ? given : toGivenVideo(given)
      videos.push(...(await registerUsable(registration, ownCaseOf(request), [usable])).map((one) => ({ ...one, line })))
    } catch (error) {
      if (!(error instanceof Problem) || !OF_ONE_VIDEO.includes(error.code)) throw error
      refusal ??= error
      videos.push({ line, state: 'refused', problem: problemBody(error) })
    }
    if (isBeyond(videos.length, options)) break
  }
  if (videos.every(({ state }) => state === 'refused')) throw refusal ?? new Problem('request-invalid')
  return { images: [], videos }
}

function toGivenImage(
  { category, details: text, ...given }: z.infer<typeof GivenHashes>['images'][number],
  takesDetails: boolean,
): UsableImage | Problem {
  if (text !== undefined && !takesDetails) return new Problem('extended-protection-off')
  const details = text === undefined ? undefined : readRegistered(Buffer.from(text, 'base64'))
  if (text !== undefined && details === undefined) return new Problem('request-invalid')
  const picture = pictureSignals(given)
  if (picture instanceof Problem) return picture
  const quality = bestQuality(picture.signals.filter((signal) => !isOfFrame(signal)))
  return { ...picture, category, quality, isByHashes: true, ...(details !== undefined && { details }) }
}

function toGivenVideo(given: z.infer<typeof GivenVideo>): UsableImage | Problem {
  const video = videoSignals(given)
  if (video instanceof Problem) return video
  const quality = bestQuality(video.signals.filter(isOfFrame))
  return { ...video, category: given.category, quality, isByHashes: true }
}

function isOfFrame({ frame }: Signal): boolean {
  return frame !== undefined
}

function bestQuality(signals: readonly Signal[]): number {
  return signals.reduce((best, { quality }) => Math.max(best, quality), 0)
}
