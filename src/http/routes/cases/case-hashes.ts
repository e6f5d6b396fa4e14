// Pictures and videos of a case, submitted as hashes.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { readRegistered } from '../../../../packages/hash/src/details/written.js'
import type { Signal } from '../../../domain/matching/signal.js'
import { Problem } from '../../../domain/problem.js'
import type { Registration } from '../../../services/intake/registration.js'
import type { Idempotency } from '../../../services/load/idempotency.js'
import { Declared } from '../../declared-age.js'
import { GivenVideo, toSignals, videoSignals } from '../../given-videos.js'
import { ownCaseOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CaseNumberParam, CategoryName, GivenDetails, GivenImageSignals, IdempotencyKey } from '../../schemas.js'
import { FOR_IMAGES, RegisteredImages, registerUsable, type UsableImage } from './registered-images.js'

const MAX_IMAGES_OF_HASHES = 1000
const MAX_VIDEOS_OF_HASHES = 100

const GivenHashes = z
  .strictObject({
    ...Declared,
    images: z
      .array(
        z.strictObject({
          ...Declared,
          signals: GivenImageSignals,
          details: GivenDetails.optional(),
          category: CategoryName.optional(),
        }),
      )
      .max(MAX_IMAGES_OF_HASHES)
      .default([]),
    videos: z.array(GivenVideo).max(MAX_VIDEOS_OF_HASHES).default([]),
  })
  .refine(({ images, videos }) => images.length + videos.length > 0, 'must have at least one image or video')

const RegisteredHashes = RegisteredImages.extend({
  videos: RegisteredImages.shape.images.optional().meta({ description: 'In the order of the videos; absent without any.' }),
})

export interface CaseHashRouteOptions {
  readonly registration: Registration
  readonly idempotency: Idempotency
}

export const caseHashRoutes: FastifyPluginAsyncZod<CaseHashRouteOptions> = async (app, { registration, idempotency }) => {
  app.post(
    '/cases/:caseNumber/hashes',
    {
      config: { scope: 'case' },
      bodyLimit: 8 << 20,
      schema: {
        operationId: 'addHashes',
        summary: 'Add pictures and videos by hashes computed on the own device',
        description:
          'A video is protected as an image is: it has an `imageId`, and it is withdrawn, disputed and counted like one.',
        tags: ['cases'],
        params: CaseNumberParam,
        headers: IdempotencyKey,
        body: GivenHashes,
        response: {
          201: RegisteredHashes,
          ...may(
            'request-invalid',
            'quality-too-low',
            'minor-declared',
            'extended-protection-off',
            'body-too-large',
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
      const register = async () => {
        const images = body.images.map((image) => toGivenImage(image, registration.takesDetails(own)))
        const outcomes = await registerUsable(registration, own, [...images, ...body.videos.map(toGivenVideo)])
        const videos = outcomes.splice(images.length)
        return { images: outcomes, ...(videos.length > 0 && { videos }) }
      }
      const key = headers['idempotency-key']
      return reply.code(201).send(await idempotency.once(['hashes', own.caseId], key, body, RegisteredHashes, register))
    },
  )
}

function toGivenImage(
  { signals: given, category, details: text }: z.infer<typeof GivenHashes>['images'][number],
  takesDetails: boolean,
): UsableImage | Problem {
  if (text !== undefined && !takesDetails) return new Problem('extended-protection-off')
  const details = text === undefined ? undefined : readRegistered(Buffer.from(text, 'base64'))
  if (text !== undefined && details === undefined) return new Problem('request-invalid')
  const signals = toSignals(given)
  if (signals instanceof Problem) return signals
  return { signals, category, quality: bestQuality(signals), ...(details !== undefined && { details }) }
}

function toGivenVideo(given: z.infer<typeof GivenVideo>): UsableImage | Problem {
  const video = videoSignals(given)
  if (video instanceof Problem) return video
  return { ...video, category: given.category, quality: bestQuality(video.signals.filter(isOfFrame)) }
}

function isOfFrame({ frame }: Signal): boolean {
  return frame !== undefined
}

function bestQuality(signals: readonly Signal[]): number {
  return signals.reduce((best, { quality }) => Math.max(best, quality), 0)
}
