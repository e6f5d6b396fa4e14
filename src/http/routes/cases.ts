// Cases: what the submitter opens, fills, follows and takes back.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { PIN_PATTERN } from '../../domain/case.js'
import type { HashedImage } from '../../domain/hashed-image.js'
import { Problem, type ProblemCode } from '../../domain/problem.js'
import type { Signal } from '../../domain/signal.js'
import { SIGNAL_TYPES } from '../../domain/signal-types.js'
import { parseHash } from '../../hash/hash256.js'
import type { CaseView as CaseFacts, Cases, OwnCase } from '../../services/cases.js'
import type { Hashing } from '../../services/hashing.js'
import type { NewImage, Registration } from '../../services/registration.js'
import { ownCaseOf } from '../plugins/door.js'
import { may, problemBody } from '../problems.js'
import { CaseView, CategoryName, GivenSignal, Instant, PartProblem, Quality, RegisteredState } from '../schemas.js'
import { eachImage, type InFlight, type UploadLimits } from '../upload.js'

const MAX_IMAGES_OF_HASHES = 1000
const MAX_SIGNALS_PER_IMAGE = 32

const NumberParam = z.object({ caseNumber: z.string().max(64) })

const NewCase = z.strictObject({
  adult: z.boolean().meta({ description: 'Is the person in the pictures 18 or older now, and was so in every picture?' }),
  category: CategoryName.optional(),
})
const OpenedCase = z.object({ caseNumber: z.string(), pin: z.string(), token: z.string(), expiresAt: Instant })

const GivenImages = z.strictObject({
  images: z
    .array(
      z.strictObject({ signals: z.array(GivenSignal).min(1).max(MAX_SIGNALS_PER_IMAGE), category: CategoryName.optional() }),
    )
    .min(1)
    .max(MAX_IMAGES_OF_HASHES),
})
const RegisteredImages = z.object({
  images: z.array(
    z.object({ imageId: z.uuid().optional(), quality: Quality.optional(), state: RegisteredState, problem: PartProblem }),
  ),
})

export interface CaseRouteOptions {
  readonly cases: Cases
  readonly hashing: Hashing
  readonly registration: Registration
  readonly uploadLimits: UploadLimits
  readonly inFlight: InFlight
}

export const caseRoutes: FastifyPluginAsyncZod<CaseRouteOptions> = async (
  app,
  { cases, hashing, registration, uploadLimits, inFlight },
) => {
  app.post(
    '/cases',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'openCase',
        summary: 'Open a case',
        description: 'The number and the PIN are shown once and cannot be recovered.',
        tags: ['cases'],
        body: NewCase,
        response: { 201: OpenedCase, ...may('request-invalid', 'media-unsupported', 'minor-declared', 'store-away') },
      },
    },
    async ({ body }, reply) => {
      if (!body.adult) throw new Problem('minor-declared')
      const { expiresAtMs, ...opened } = await cases.open(body.category)
      return reply.code(201).send({ ...opened, expiresAt: instant(expiresAtMs) })
    },
  )

  app.post(
    '/cases/:caseNumber/tokens',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'openCaseByPin',
        summary: 'Get a token for a case with its PIN',
        description:
          'A wrong PIN and a case that does not exist have the same answer. After ten tries the number is locked for an hour.',
        tags: ['cases'],
        params: NumberParam,
        body: z.strictObject({ pin: z.string().regex(PIN_PATTERN, 'must be six digits') }),
        response: {
          201: z.object({ token: z.string() }),
          ...may('request-invalid', 'case-unknown', 'pin-locked', 'store-away'),
        },
      },
    },
    async ({ params, body }, reply) => reply.code(201).send({ token: await cases.token(params.caseNumber, body.pin) }),
  )

  app.get(
    '/cases/:caseNumber',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'getCase',
        summary: 'Follow a case',
        tags: ['cases'],
        params: NumberParam,
        response: { 200: CaseView, ...may('token-missing', 'case-unknown', 'store-away') },
      },
    },
    async (request) => present(await cases.view(ownCaseOf(request))),
  )

  app.delete(
    '/cases/:caseNumber',
    {
      config: { scope: 'case' },
      schema: {
        operationId: 'withdrawCase',
        summary: 'Withdraw a case',
        description: 'From the answer on nothing of it matches here, and within a second nowhere. Its hashes are erased.',
        tags: ['cases'],
        params: NumberParam,
        response: {
          200: z.object({ caseNumber: z.string(), state: z.literal('withdrawn'), withdrawnAt: Instant, images: z.int() }),
          ...may('token-missing', 'case-unknown', 'store-away'),
        },
      },
    },
    async (request) => {
      const own = ownCaseOf(request)
      const { withdrawnAtMs, images } = await cases.withdraw(own)
      return { caseNumber: own.caseNumber, state: 'withdrawn' as const, withdrawnAt: instant(withdrawnAtMs), images }
    },
  )

  app.post(
    '/cases/:caseNumber/images',
    {
      config: { scope: 'case', multipart: true },
      schema: {
        operationId: 'addImages',
        summary: 'Add pictures to a case',
        description:
          'They are hashed and forgotten; nothing of them is stored. Answered when their hashes are durable and matchable.',
        tags: ['cases'],
        params: NumberParam,
        response: { 201: RegisteredImages, ...mayForUploads('token-missing', 'case-unknown', 'case-withdrawn') },
      },
    },
    async (request, reply) => {
      const own = ownCaseOf(request)
      const outcomes = await eachImage(request, uploadLimits, inFlight, async (image) =>
        toNewImage(await hashing.hash(image, 'submission')),
      )
      return reply.code(201).send({ images: await registerUsable(own, outcomes) })
    },
  )

  app.post(
    '/cases/:caseNumber/hashes',
    {
      config: { scope: 'case' },
      bodyLimit: 8 << 20,
      schema: {
        operationId: 'addHashes',
        summary: 'Add pictures by the hashes that were computed on the own device',
        tags: ['cases'],
        params: NumberParam,
        body: GivenImages,
        response: {
          201: RegisteredImages,
          ...may(
            'request-invalid',
            'quality-too-low',
            'body-too-large',
            'token-missing',
            'case-unknown',
            'case-withdrawn',
            'store-away',
          ),
        },
      },
    },
    async (request, reply) => {
      const outcomes = request.body.images.map(toGivenImage)
      return reply.code(201).send({ images: await registerUsable(ownCaseOf(request), outcomes) })
    },
  )

  /** Registers those that can be; when none can, the first refusal is the answer. */
  async function registerUsable(
    own: OwnCase,
    outcomes: readonly (UsableImage | Problem)[],
  ): Promise<z.infer<typeof RegisteredImages>['images']> {
    const usable = outcomes.flatMap((outcome) => (outcome instanceof Problem ? [] : [outcome]))
    const refusal = outcomes.find((outcome) => outcome instanceof Problem)
    if (usable.length === 0 && refusal !== undefined) throw refusal
    const ids = (await registration.forCase(own, usable)).values()
    return outcomes.map((outcome) =>
      outcome instanceof Problem
        ? { state: 'refused', problem: problemBody(outcome) }
        : { imageId: ids.next().value, quality: outcome.quality, state: 'registered' },
    )
  }
}

type UsableImage = NewImage & { readonly quality: number }

/** What an upload of images may be answered with, besides what is the route's own. */
export function mayForUploads(...own: readonly ProblemCode[]): ReturnType<typeof may> {
  return may(
    'upload-incomplete',
    'image-missing',
    'media-unsupported',
    'too-many-images',
    'image-undecodable',
    'overloaded',
    ...own,
  )
}

function toNewImage({ quality, signals }: HashedImage): UsableImage {
  return {
    quality,
    category: undefined,
    signals: signals.flatMap(({ hashes: [hash], ...rest }) => (hash === undefined ? [] : [{ ...rest, hash }])),
  }
}

function toGivenImage({ signals: given, category }: z.infer<typeof GivenImages>['images'][number]): UsableImage | Problem {
  const signals: Signal[] = []
  for (const { type, view, quality, hash: text } of given) {
    const hash = parseHash(text)
    if (hash === undefined) return new Problem('request-invalid')
    if (quality < SIGNAL_TYPES[type].minQuality) return new Problem('quality-too-low')
    signals.push({ type, view: view ?? 'whole', quality, hash })
  }
  const quality = Math.max(...signals.map((signal) => signal.quality))
  return { signals, category, quality }
}

function present({ category, createdAtMs, expiresAtMs, withdrawnAtMs, ...rest }: CaseFacts): z.infer<typeof CaseView> {
  return {
    ...rest,
    category: category ?? null,
    createdAt: instant(createdAtMs),
    expiresAt: instant(expiresAtMs),
    withdrawnAt: withdrawnAtMs === undefined ? null : instant(withdrawnAtMs),
  }
}

function instant(ms: number): string {
  return new Date(ms).toISOString()
}
