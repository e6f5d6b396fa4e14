// Watches: a platform stores hashes of uploads, and is notified if one of those pictures or videos is registered later.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { fileSignals } from '../../../packages/core/src/matching/file-signals.js'
import { parseSignalHash } from '../../../packages/core/src/matching/hash-text.js'
import type { Signal } from '../../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPES } from '../../../packages/core/src/matching/signal-types.js'
import {
  LONGEST_WATCH_DAYS,
  MAX_REFERENCE_CHARS,
  MAX_SIGNALS_PER_WATCH,
  USUAL_WATCH_DAYS,
} from '../../domain/organisations/watch.js'
import { Problem } from '../../domain/problem.js'
import type { Idempotency } from '../../services/load/idempotency.js'
import type { NewWatch, WatchService, WatchView } from '../../services/watch/watch-service.js'
import { AskedFrames, DurationMs, FileHashes } from '../given-videos.js'
import { After, Next, nextOf } from '../pages.js'
import { callerOf } from '../plugins/authentication.js'
import { may, problemBody } from '../problems.js'
import { IdempotencyKey, Instant, instant, PartProblem } from '../schemas.js'
import type { ZodApp } from '../zod-app.js'
import { AskedSignal, countedAs, MAX_SIGNALS, signalsIn } from './match-schemas.js'

const MAX_AT_ONCE = 1000

const NewWatches = z.strictObject({
  days: z
    .int()
    .min(1)
    .max(LONGEST_WATCH_DAYS)
    .default(USUAL_WATCH_DAYS)
    .meta({ description: 'How many days to watch. Then the hashes are erased.' }),
  watches: z
    .array(
      z
        .strictObject({
          reference: z
            .string()
            .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII')
            .max(MAX_REFERENCE_CHARS)
            .optional()
            .meta({ description: 'Your own opaque reference. It is returned in the list of watches, and in no event.' }),
          signals: z
            .array(AskedSignal)
            .min(1)
            .max(MAX_SIGNALS_PER_WATCH)
            .optional()
            .meta({ description: 'Hashes of one picture, as for a match.' }),
          video: z
            .strictObject({ durationMs: DurationMs.optional(), frames: AskedFrames, ...FileHashes })
            .refine((video) => signalsIn([{ video }]) <= MAX_SIGNALS, `must have at most ${MAX_SIGNALS} signals`)
            .optional()
            .meta({
              description: `A video in place of \`signals\`, as for a match, with at most ${MAX_SIGNALS} signals. Counts as one watch for each ${MAX_SIGNALS_PER_WATCH} signals, so you may leave out views other than \`whole\`. Frames that are forms are not watched.`,
            }),
        })
        .refine(
          ({ signals, video }) => (signals === undefined) !== (video === undefined),
          'must have either signals or a video',
        ),
    )
    .min(1)
    .max(MAX_AT_ONCE),
})

const Watch = z
  .object({
    watchId: z.uuid(),
    reference: z.string().nullable(),
    until: Instant,
  })
  .meta({ id: 'Watch' })

const LeftWatches = z.object({
  watches: z
    .array(z.union([Watch, z.object({ problem: PartProblem })]))
    .meta({ description: 'In the order of the request; a refused one has a problem instead.' }),
})

export interface WatchRouteOptions {
  readonly watches: WatchService
  readonly idempotency: Idempotency
}

const config = { scope: 'match', queries: 'none' } as const
const tags = ['watch']

export const watchRoutes: FastifyPluginAsyncZod<WatchRouteOptions> = async (app, options) => {
  watchRoute(app, options)
  listWatchesRoute(app, options)
  removeWatchRoute(app, options)
}

function watchRoute(app: ZodApp, { watches, idempotency }: WatchRouteOptions): void {
  app.post(
    '/watch',
    {
      config: { scope: 'match', queries: 'counted' },
      bodyLimit: 4 << 20,
      schema: {
        operationId: 'watch',
        summary: 'Watch for pictures and videos that are registered later',
        description:
          'Create the watches before you match the pictures, so that no registration in between is missed. Every picture or video that is registered, or matches again, is compared with them by the rules of a match. A webhook with the event `match.found` receives the ids of the watch and of the match, once for each registered picture or video, even if several watches match it. Each watch counts as a query, a video as one for each 32 signals. No one else can see that a watch exists. Watches are encrypted, and erased when they expire, when they are removed, and when the organisation has no key left.',
        tags,
        headers: IdempotencyKey,
        body: NewWatches,
        response: {
          201: LeftWatches,
          ...may(
            'request-invalid',
            'key-missing',
            'scope-missing',
            'body-too-large',
            'idempotency-key-reused',
            'idempotency-key-busy',
            'watches-full',
            'store-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      const { body, headers } = request
      request.consumeQuota(
        reply,
        body.watches.reduce((sum, watch) => sum + countedAs(watch), 0),
      )
      const caller = callerOf(request)
      const left = await idempotency.once(
        ['watch', caller.orgId],
        headers['idempotency-key'],
        body,
        LeftWatches,
        async () => {
          const given = body.watches.map(toWatch)
          const usable = given.filter((watch): watch is NewWatch => !(watch instanceof Problem))
          const added = (await watches.add(caller, usable, body.days)).map(shapeOf).values()
          return {
            watches: given.map((watch) =>
              watch instanceof Problem ? { problem: problemBody(watch) } : (added.next().value ?? {}),
            ),
          }
        },
      )
      return reply.code(201).send(left)
    },
  )
}

function listWatchesRoute(app: ZodApp, { watches }: WatchRouteOptions): void {
  app.get(
    '/watch',
    {
      config,
      schema: {
        operationId: 'listWatches',
        summary: 'List your watches',
        description:
          'Sorted by expiry, soonest first, without hashes; expired watches are left out. Follow `next` to the end: it is a position, and stays valid even if the watch at that position has expired or was removed.',
        tags,
        querystring: z.object({
          after: After.optional(),
          limit: z.coerce.number().int().min(1).max(1000).default(100),
        }),
        response: {
          200: z.object({ watches: z.array(Watch), next: Next }),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable'),
        },
      },
    },
    async (request) => {
      const { after, limit } = request.query
      const page = await watches.list(callerOf(request), after, limit)
      return { watches: page.watches.map(shapeOf), next: nextOf(page.next) }
    },
  )
}

function removeWatchRoute(app: ZodApp, { watches }: WatchRouteOptions): void {
  app.delete(
    '/watch/:watchId',
    {
      config,
      schema: {
        operationId: 'removeWatch',
        summary: 'Remove a watch',
        description: 'Its hashes are erased.',
        tags,
        params: z.object({ watchId: z.string().max(64) }),
        response: { 204: z.null(), ...may('key-missing', 'scope-missing', 'watch-unknown', 'store-unavailable') },
      },
    },
    async (request, reply) => {
      await watches.remove(callerOf(request), request.params.watchId)
      return reply.code(204).send(null)
    },
  )
}

type GivenWatch = z.infer<typeof NewWatches>['watches'][number]
type GivenVideo = NonNullable<GivenWatch['video']>

function toWatch({ reference, signals = [], video }: GivenWatch): NewWatch | Problem {
  const watched = video === undefined ? pictureWatch(signals) : watchedVideo(video)
  return watched instanceof Problem ? watched : { reference, ...watched }
}

function pictureWatch(given: NonNullable<GivenWatch['signals']>): Omit<NewWatch, 'reference'> | Problem {
  const signals = parsed(given, 'minQuality')
  return signals instanceof Problem ? signals : { signals }
}

/** Leaves out frames that are forms: a watch does not store that they have to be nearer. */
function watchedVideo({ durationMs, frames, sha256, md5 }: GivenVideo): Omit<NewWatch, 'reference'> | Problem {
  const watched = frames.filter(({ isForm }) => isForm !== true)
  const signals: Signal[] = []
  for (const [frame, given] of watched.entries()) {
    const own = parsed(given.signals, 'minAskedQuality')
    if (own instanceof Problem) return own
    for (const signal of own) signals.push({ ...signal, frame })
  }
  signals.push(...fileSignals({ sha256: sha256 === undefined ? undefined : parseSignalHash('sha256', sha256), md5 }))
  if (signals.length === 0) return new Problem('quality-too-low')
  const framesAtMs = watched.map(({ atMs }) => atMs)
  return { signals, video: { durationMs: durationMs ?? Math.max(1, framesAtMs.at(-1) ?? 0), framesAtMs } }
}

function parsed(given: NonNullable<GivenWatch['signals']>, least: 'minQuality' | 'minAskedQuality'): Signal[] | Problem {
  const signals: Signal[] = []
  for (const { type, view, quality, hash: text } of given) {
    const hash = parseSignalHash(type, text)
    if (hash === undefined) return new Problem('request-invalid')
    if (quality !== undefined && quality < SIGNAL_TYPES[type][least]) return new Problem('quality-too-low')
    signals.push({ type, view: view ?? 'whole', quality: quality ?? 100, hash })
  }
  return signals
}

function shapeOf({ watchId, reference, untilMs }: WatchView) {
  return { watchId, reference: reference ?? null, until: instant(untilMs) }
}
