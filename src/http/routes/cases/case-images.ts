// Pictures of a case, submitted as files.

import { createHash, type Hash } from 'node:crypto'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { HashedImage } from '../../../../packages/core/src/matching/hashed-image.js'
import { Problem, type ProblemCode } from '../../../domain/problem.js'
import type { Hashing } from '../../../services/intake/hashing.js'
import type { Registration } from '../../../services/intake/registration.js'
import { digestOf, finishing, type Idempotency } from '../../../services/load/idempotency.js'
import { ownCaseOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CaseNumberParam, IdempotencyKey } from '../../schemas.js'
import { eachImage, holdingNone, type InFlight, type UploadLimits } from '../../upload.js'
import type { ZodApp } from '../../zod-app.js'
import {
  FOR_IMAGES,
  RegisteredImages,
  registered,
  registerUsable,
  signalsOfFrames,
  type UsableImage,
} from './registered-images.js'

const UPLOADED_TIMEOUT_MS = 500

export interface CaseImageRouteOptions {
  readonly hashing: Hashing
  readonly registration: Registration
  readonly idempotency: Idempotency
  readonly uploadLimits: UploadLimits
  readonly inFlight: InFlight
}

export const caseImageRoutes: FastifyPluginAsyncZod<CaseImageRouteOptions> = async (app, options) => {
  addImagesRoute(app, options)
}

function addImagesRoute(
  app: ZodApp,
  { hashing, registration, idempotency, uploadLimits, inFlight }: CaseImageRouteOptions,
): void {
  app.post(
    '/cases/:caseNumber/images',
    {
      config: { scope: 'case', multipart: true },
      schema: {
        operationId: 'addImages',
        summary: 'Add pictures to a case',
        description:
          'Pictures are hashed and then discarded, never stored. The answer is sent when the hashes are durable and match.',
        tags: ['cases'],
        params: CaseNumberParam,
        headers: IdempotencyKey,
        response: {
          201: RegisteredImages,
          ...mayForUploads('request-invalid', 'image-too-simple', 'token-missing', 'case-unknown', ...FOR_IMAGES),
        },
      },
    },
    async (request, reply) => {
      const own = ownCaseOf(request)
      const key = request.headers['idempotency-key']
      const details = registration.takesDetails(own) ? 'also' : 'none'
      const images: Hash[] = []
      /** Of all images that arrived: another try may take some that this one refuses, such as for lack of room. */
      const digest = () => digestOf(images.map((image) => image.digest()))
      const listeners = key === undefined ? {} : { onImage: () => intoDigest(images) }
      const upload = async <T>(limits: UploadLimits, use: (image: readonly Buffer[]) => Promise<T>) => {
        const outcomes = await eachImage(request, limits, inFlight, use, listeners)
        await request.reauthorize(UPLOADED_TIMEOUT_MS) // pictures may arrive slowly
        return outcomes
      }
      const register = async () => {
        const outcomes = await upload(uploadLimits, async (image) =>
          toNewImage(await hashing.hash(image, 'submission', details, request.hashingFor(reply))),
        )
        return { digest: digest(), answer: { images: await registerUsable(registration, own, outcomes) } }
      }
      if (key === undefined) return reply.code(201).send((await register()).answer)
      const tried = await idempotency.attempt(['images', own.caseId], key, RegisteredImages)
      if (tried.isFirst) return reply.code(201).send(await finishing(tried, register))
      await upload(holdingNone(uploadLimits), async () => {}) // only compared with the first request
      return reply.code(201).send(await tried.answer(digest()))
    },
  )
}

function intoDigest(images: Hash[]): (chunk: Buffer) => void {
  const image = createHash('sha256')
  images.push(image)
  return (chunk) => void image.update(chunk)
}

/** @returns the responses of a route that takes uploads: its own problems and those of every upload. */
export function mayForUploads(...own: readonly ProblemCode[]): ReturnType<typeof may> {
  return may(
    'minor-declared',
    'upload-incomplete',
    'image-missing',
    'media-unsupported',
    'too-many-images',
    'image-empty',
    'image-too-large',
    'image-too-many-pixels',
    'image-undecodable',
    'quality-too-low',
    'hashing-unavailable',
    'overloaded',
    ...own,
  )
}

/** @throws {Problem} image-too-simple */
function toNewImage({ quality, signals, details, isSimple, animation }: HashedImage): UsableImage {
  if (isSimple) throw new Problem('image-too-simple')
  return {
    quality,
    ...(details !== undefined && { details }),
    category: undefined,
    signals: [...registered(signals), ...signalsOfFrames(animation?.frames ?? [])],
    ...(animation !== undefined && {
      protectedShare: animation.protectedShare,
      ...(animation.frames.length > 0 && {
        video: {
          isAnimation: true,
          durationMs: animation.durationMs,
          framesAtMs: animation.frames.map(({ atMs }) => atMs),
        },
      }),
    }),
  }
}
