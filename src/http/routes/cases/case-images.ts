// Images of a case, submitted as files or as hashes.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { readRegistered } from '../../../../packages/hash/src/details/written.js'
import { MAX_FRAMES, MAX_IMAGE_SIGNALS } from '../../../../packages/hash/src/file-frames.js'
import { parseHash } from '../../../../packages/hash/src/hash256.js'
import type { HashedImage } from '../../../domain/matching/hashed-image.js'
import type { Signal } from '../../../domain/matching/signal.js'
import { SIGNAL_TYPE_NAMES, SIGNAL_TYPES } from '../../../domain/matching/signal-types.js'
import { Problem, type ProblemCode } from '../../../domain/problem.js'
import type { OwnCase } from '../../../services/cases/case-access.js'
import type { Hashing } from '../../../services/intake/hashing.js'
import type { NewImage, Registration } from '../../../services/intake/registration.js'
import { digestOf, finishing, type Idempotency } from '../../../services/load/idempotency.js'
import { Declared } from '../../declared-age.js'
import { ownCaseOf } from '../../plugins/authentication.js'
import { may, problemBody } from '../../problems.js'
import {
  CaseNumberParam,
  CategoryName,
  GivenDetails,
  GivenSignal,
  IdempotencyKey,
  PartProblem,
  Quality,
  RegisteredState,
} from '../../schemas.js'
import { eachImage, type InFlight, type UploadLimits } from '../../upload.js'
import type { ZodApp } from '../../zod-app.js'

const MAX_IMAGES_OF_HASHES = 1000
const MAX_SIGNALS_PER_IMAGE = MAX_IMAGE_SIGNALS + 2
const UPLOADED_TIMEOUT_MS = 500

/** Problems of both routes that add images. */
const FOR_IMAGES = [
  'case-withdrawn',
  'case-expired',
  'case-full',
  'account-suspended',
  'known-harmless',
  'idempotency-key-reused',
  'idempotency-key-busy',
] as const

const GivenImages = z.strictObject({
  ...Declared,
  images: z
    .array(
      z.strictObject({
        ...Declared,
        signals: z
          .array(GivenSignal)
          .min(1)
          .max(MAX_SIGNALS_PER_IMAGE)
          .refine(hasFewWholes, `must have at most ${MAX_FRAMES} whole views of each type`),
        details: GivenDetails.optional(),
        category: CategoryName.optional(),
      }),
    )
    .min(1)
    .max(MAX_IMAGES_OF_HASHES),
})
/** Each image is one file: it has a whole view for each of its frames. */
function hasFewWholes(signals: readonly z.infer<typeof GivenSignal>[]): boolean {
  const types = signals.filter(({ view = 'whole' }) => view === 'whole').map(({ type }) => type)
  return SIGNAL_TYPE_NAMES.every((name) => types.filter((type) => type === name).length <= MAX_FRAMES)
}

const RegisteredImages = z.object({
  images: z.array(
    z.object({ imageId: z.uuid().optional(), quality: Quality.optional(), state: RegisteredState, problem: PartProblem }),
  ),
})

export interface CaseImageRouteOptions {
  readonly hashing: Hashing
  readonly registration: Registration
  readonly idempotency: Idempotency
  readonly uploadLimits: UploadLimits
  readonly inFlight: InFlight
}

export const caseImageRoutes: FastifyPluginAsyncZod<CaseImageRouteOptions> = async (app, options) => {
  addImagesRoute(app, options)
  addHashesRoute(app, options)
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
      const digests: Buffer[] = []
      const upload = async <T>(use: (image: readonly Buffer[]) => Promise<T>) => {
        const outcomes = await eachImage(request, uploadLimits, inFlight, (image) => {
          if (key !== undefined) digests.push(digestOf(image)) // before `use`, which overwrites the image
          return use(image)
        })
        await request.reauthorize(UPLOADED_TIMEOUT_MS) // pictures may arrive slowly
        return outcomes
      }
      const register = async () => {
        const outcomes = await upload(async (image) =>
          toNewImage(await hashing.hash(image, 'submission', details, request.hashingFor(reply))),
        )
        return { digest: digestOf(digests), answer: { images: await registerUsable(registration, own, outcomes) } }
      }
      if (key === undefined) return reply.code(201).send((await register()).answer)
      const tried = await idempotency.attempt(['images', own.caseId], key, RegisteredImages)
      if (tried.isFirst) return reply.code(201).send(await finishing(tried, register))
      // Read only to compare with the first request, then overwritten.
      await upload(async (image) => {
        for (const piece of image) piece.fill(0)
      })
      return reply.code(201).send(await tried.answer(digestOf(digests)))
    },
  )
}

function addHashesRoute(app: ZodApp, { registration, idempotency }: CaseImageRouteOptions): void {
  app.post(
    '/cases/:caseNumber/hashes',
    {
      config: { scope: 'case' },
      bodyLimit: 8 << 20,
      schema: {
        operationId: 'addHashes',
        summary: 'Add pictures by hashes computed on the own device',
        tags: ['cases'],
        params: CaseNumberParam,
        headers: IdempotencyKey,
        body: GivenImages,
        response: {
          201: RegisteredImages,
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
      const register = async () => ({
        images: await registerUsable(
          registration,
          own,
          body.images.map((image) => toGivenImage(image, registration.takesDetails(own))),
        ),
      })
      const key = headers['idempotency-key']
      return reply.code(201).send(await idempotency.once(['hashes', own.caseId], key, body, RegisteredImages, register))
    },
  )
}

/** @throws {Problem} the first refusal, if no image was registered */
async function registerUsable(
  registration: Registration,
  own: OwnCase,
  given: readonly (UsableImage | Problem)[],
): Promise<z.infer<typeof RegisteredImages>['images']> {
  const usable = given.filter((image): image is UsableImage => !(image instanceof Problem))
  const registered = (usable.length === 0 ? [] : await registration.forCase(own, usable)).values()
  const outcomes = given.map((image) => {
    if (image instanceof Problem) return image
    const id = registered.next().value
    if (id === undefined) throw new Error('each image that can be registered has an outcome')
    return id instanceof Problem ? id : { imageId: id, quality: image.quality }
  })
  const refusal = outcomes.find((outcome) => outcome instanceof Problem)
  if (refusal !== undefined && outcomes.every((outcome) => outcome instanceof Problem)) throw refusal
  return outcomes.map((outcome) =>
    outcome instanceof Problem
      ? { state: 'refused', problem: problemBody(outcome) }
      : { ...outcome, state: registration.isHeld(outcome.imageId) ? 'held' : 'registered' },
  )
}

type UsableImage = NewImage & { readonly quality: number }

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
function toNewImage({ quality, signals, details, isSimple }: HashedImage): UsableImage {
  if (isSimple) throw new Problem('image-too-simple')
  return {
    quality,
    ...(details !== undefined && { details }),
    category: undefined,
    signals: signals.flatMap(({ hashes: [hash], ...rest }) => (hash === undefined ? [] : [{ ...rest, hash }])),
  }
}

function toGivenImage(
  { signals: given, category, details: text }: z.infer<typeof GivenImages>['images'][number],
  takesDetails: boolean,
): UsableImage | Problem {
  if (text !== undefined && !takesDetails) return new Problem('extended-protection-off')
  const details = text === undefined ? undefined : readRegistered(Buffer.from(text, 'base64'))
  if (text !== undefined && details === undefined) return new Problem('request-invalid')
  const signals: Signal[] = []
  for (const { type, view, quality, hash: text } of given) {
    const hash = parseHash(text)
    if (hash === undefined) return new Problem('request-invalid')
    if (quality < SIGNAL_TYPES[type].minQuality) return new Problem('quality-too-low')
    signals.push({ type, view: view ?? 'whole', quality, hash })
  }
  const quality = Math.max(...signals.map((signal) => signal.quality))
  return { signals, category, quality, ...(details !== undefined && { details }) }
}
