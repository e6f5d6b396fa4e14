// The hashes of a case, given back to the person who registered them, to keep or to register elsewhere.

import { Readable } from 'node:stream'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { formatSignalHash } from '../../../../packages/core/src/matching/hash-text.js'
import { type Signal, signalsByFrame } from '../../../../packages/core/src/matching/signal.js'
import { parseHash } from '../../../../packages/hash/src/hash256.js'
import type { CaseHashes, HeldImage } from '../../../services/cases/case-hashes.js'
import { MAX_FOUND } from '../../../services/cases/which-image.js'
import { fetchableIn } from '../../../services/interop/fetched-hashes.js'
import { GivenAnimation, GivenVideo } from '../../given-videos.js'
import { ownCaseOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { CaseNumberParam, CategoryName, GivenDetails, GivenImageSignals, HashText } from '../../schemas.js'
import { hashRecord, STOPNCII_NAMES } from '../stopncii.js'

const FORMS = ['own', 'stopncii'] as const

/** As `POST …/hashes` takes them. */
const OwnForm = z.object({
  images: z.array(
    z.object({
      signals: GivenImageSignals,
      animation: GivenAnimation.optional(),
      details: GivenDetails.optional(),
      category: CategoryName.optional(),
    }),
  ),
  videos: z.array(GivenVideo),
})
const StopNciiForm = z.object({
  hashRecords: z.array(z.object({ signalType: z.enum(Object.values(STOPNCII_NAMES)), hashValue: z.string() })),
})

const ASKED_AGAIN_MS = 250
const MAX_ASKED = 16
/** [hashes] A large case may ask, too, if not often. */
const MAX_CHARGED = 10_000

export interface HeldHashRouteOptions {
  readonly caseHashes: CaseHashes
}

export const heldHashRoutes: FastifyPluginAsyncZod<HeldHashRouteOptions> = async (app, { caseHashes }) => {
  app.get(
    '/cases/:caseNumber/hashes',
    {
      config: { scope: 'case', queries: 'counted', writtenAnswer: true },
      schema: {
        operationId: 'getHashes',
        summary: 'Get the hashes of a case',
        description:
          'Needs a token that was obtained with the recovery code: a picture can be partly reconstructed from them, and a stolen PIN must not reveal them. own: as `POST …/hashes` takes them; in several requests if there are more than it takes in one. stopncii: `hashRecords` as StopNCII has them, the PDQ of whole pictures and the MD5 of videos alone. Empty after the end of the case. An answer that breaks off is no complete JSON: ask again.',
        tags: ['cases'],
        params: CaseNumberParam,
        querystring: z.strictObject({ form: z.enum(FORMS).default('own') }),
        response: {
          200: z.union([OwnForm.or(StopNciiForm), z.custom<Readable>((value) => value instanceof Readable)]),
          ...may('request-invalid', 'token-missing', 'case-unknown', 'recovery-code-needed', 'store-unavailable'),
        },
      },
    },
    async (request, reply) => {
      const own = ownCaseOf(request)
      request.consumeQuota(reply, 1)
      const pieces = async function* () {
        for await (const piece of caseHashes.of(own)) {
          await request.reauthorize(ASKED_AGAIN_MS)
          request.chargeQuota(piece.reduce((sum, { signals }) => sum + signals.length, 0))
          yield piece
        }
      }
      const text = request.query.form === 'own' ? inOwnForm(pieces) : inStopNciiForm(pieces)
      // The first part is written before the answer begins: until then a refusal or a failure has its own answer.
      const { value: first = '' } = await text.next()
      const whole = async function* () {
        yield first
        yield* text
      }
      return reply.type('application/json').send(Readable.from(whole(), { objectMode: false }))
    },
  )
  app.post(
    '/cases/:caseNumber/which',
    {
      config: { scope: 'case', queries: 'counted' },
      schema: {
        operationId: 'findInCase',
        summary: 'Find which image of a case a file is',
        description:
          'For a person who is asked about one of several images and knows them by number and date only. Images of her case whose whole picture, or a frame, is at most 31 bits from one of the hashes; the nearest first.',
        tags: ['cases'],
        params: CaseNumberParam,
        body: z.strictObject({
          hashes: z
            .array(HashText)
            .min(1)
            .max(MAX_ASKED)
            .meta({ description: 'PDQ of the whole picture; of a video, of some frames.' }),
        }),
        response: {
          200: z.object({ imageIds: z.array(z.uuid()).max(MAX_FOUND) }),
          ...may('request-invalid', 'token-missing', 'case-unknown', 'store-unavailable'),
        },
      },
    },
    async (request, reply) => {
      const own = ownCaseOf(request)
      request.consumeQuota(reply, Math.min(1 + own.record.hashes, MAX_CHARGED)) // all of them are read
      const hashes = request.body.hashes.flatMap((text) => parseHash(text) ?? [])
      return { imageIds: await caseHashes.which(own, hashes) }
    },
  )
}

type Pieces = () => AsyncGenerator<readonly HeldImage[]>

/** Reads the case twice if it has videos: they come after the pictures, and all of them may not fit into memory. */
async function* inOwnForm(pieces: Pieces): AsyncGenerator<string> {
  let hasVideos = false
  const pictures = listed(pieces, (image) => {
    if (!isVideo(image)) return [pictureOf(image)]
    hasVideos = true
    return []
  })
  yield* begun('{"images":[', pictures)
  yield '],"videos":['
  if (hasVideos) yield* listed(pieces, (image) => (isVideo(image) ? [videoOf(image)] : []))
  yield ']}'
}

async function* inStopNciiForm(pieces: Pieces): AsyncGenerator<string> {
  yield* begun(
    '{"hashRecords":[',
    listed(pieces, ({ signals }) => fetchableIn(signals).map(hashRecord)),
  )
  yield ']}'
}

/** The head with the first part, so that it is sent only once there is one. */
async function* begun(head: string, parts: AsyncGenerator<string>): AsyncGenerator<string> {
  const { value: first = '' } = await parts.next()
  yield head + first
  yield* parts
}

/** The entries of a JSON list, without its brackets, a text for each piece that has some. */
async function* listed(pieces: Pieces, entriesOf: (image: HeldImage) => readonly object[]): AsyncGenerator<string> {
  let isFirst = true
  for await (const piece of pieces()) {
    const text = piece
      .flatMap(entriesOf)
      .map((entry) => JSON.stringify(entry))
      .join()
    if (text === '') continue
    yield isFirst ? text : `,${text}`
    isFirst = false
  }
}

function isVideo({ video }: HeldImage): boolean {
  return video !== undefined && video.isAnimation !== true
}

function pictureOf(image: HeldImage): z.infer<typeof OwnForm>['images'][number] {
  const { category, details, video } = image
  const [ofFile = []] = signalsByFrame(image)
  return {
    signals: ofFile.map((signal) => ({ type: signal.type, ...written(signal) })),
    ...(video !== undefined && { animation: { durationMs: Math.max(1, video.durationMs), frames: framesOf(image) } }),
    ...(details !== undefined && { details: Buffer.from(details).toString('base64') }),
    ...(category !== undefined && { category }),
  }
}

function videoOf(image: HeldImage): z.infer<typeof GivenVideo> {
  const { category, video } = image
  const [ofFile = []] = signalsByFrame(image)
  const hashOf = (wanted: Signal['type']) => ofFile.filter(({ type }) => type === wanted).map(written)[0]?.hash
  const [sha256, md5] = [hashOf('sha256'), hashOf('video_md5')]
  return {
    durationMs: Math.max(1, video?.durationMs ?? 0),
    frames: framesOf(image),
    ...(sha256 !== undefined && { sha256 }),
    ...(md5 !== undefined && { md5 }),
    ...(category !== undefined && { category }),
  }
}

function framesOf(image: HeldImage): z.infer<typeof GivenVideo>['frames'] {
  const [, ...ofFrames] = signalsByFrame(image)
  return ofFrames.flatMap((own, frame) => {
    const signals = own.flatMap((signal) =>
      signal.type === 'pdq' || signal.type === 'pdq-area' ? [{ type: signal.type, ...written(signal) }] : [],
    )
    return signals.length === 0 ? [] : [{ atMs: image.video?.framesAtMs[frame] ?? 0, signals }]
  })
}

function written({ type, view, quality, hash }: Signal) {
  return { view, quality, hash: formatSignalHash(type, hash) }
}
