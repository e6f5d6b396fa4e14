// For operators: exchanges, their progress, and pulling one now.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { RECORD_REJECTIONS } from '../../domain/organisations/bank-import.js'
import { EXCHANGE_APIS, PULL_FAILURES, PULL_STATES } from '../../domain/organisations/exchange.js'
import { RECONCILE_FAILURES, RECONCILE_STATES } from '../../domain/organisations/reconciler.js'
import type { ExchangeReport, Exchanges } from '../../services/interop/exchanges.js'
import type { ReconcilerReport, Reconcilers } from '../../services/interop/reconcilers.js'
import type { Audit } from '../../services/records/audit.js'
import { callerOf } from '../plugins/authentication.js'
import { may } from '../problems.js'
import { Instant, instantOrNull } from '../schemas.js'

const ExchangeView = z
  .object({
    name: z.string(),
    api: z.enum(EXCHANGE_APIS),
    bank: z.string(),
    intervalS: z.int(),
    state: z.enum(PULL_STATES).nullable().meta({ description: 'null before the first pull.' }),
    failure: z
      .enum(PULL_FAILURES)
      .nullable()
      .meta({ description: 'Why the last pull stopped early. The next pull continues.' }),
    startedAt: Instant.nullable(),
    updatedAt: Instant.nullable(),
    caughtUpAt: Instant.nullable().meta({ description: 'When the feed was last read to its end.' }),
    pages: z.int(),
    accepted: z.int(),
    removed: z.int(),
    refused: z.int(),
    rejectedFor: z.partialRecord(z.enum(RECORD_REJECTIONS), z.int()),
  })
  .meta({ id: 'Exchange' })

const ReconcilerView = z
  .object({
    name: z.string(),
    hmaBanks: z
      .array(z.string())
      .meta({ description: 'Its banks that an exchange of StopNCII’s kind fills, as the last run found them.' }),
    intervalS: z.int(),
    state: z.enum(RECONCILE_STATES).nullable().meta({ description: 'null before the first run.' }),
    failure: z.enum(RECONCILE_FAILURES).nullable().meta({ description: 'Why the last run stopped early.' }),
    startedAt: Instant.nullable(),
    updatedAt: Instant.nullable(),
    caughtUpAt: Instant.nullable().meta({
      description: 'Everything withdrawn before this time has been removed from its banks.',
    }),
    checked: z.int().meta({ description: 'Number of contents checked.' }),
    removed: z.int().meta({ description: 'Number of contents removed.' }),
  })
  .meta({ id: 'Reconciler' })

const Name = z.object({ name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be the name of an exchange') })

export interface ExchangeRouteOptions {
  readonly exchanges: Exchanges
  readonly reconcilers: Reconcilers
  readonly pullSoon: (name: string) => Promise<void>
  readonly audit: Pick<Audit, 'record'>
}

export const exchangeRoutes: FastifyPluginAsyncZod<ExchangeRouteOptions> = async (app, options) => {
  const { exchanges, reconcilers, pullSoon, audit } = options
  app.get(
    '/exchanges',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'listExchanges',
        summary: 'List exchanges and their progress',
        tags: ['operation'],
        response: {
          200: z.object({
            exchanges: z.array(ExchangeView),
            reconcilers: z
              .array(ReconcilerView)
              .meta({ description: 'HMA instances that pull from here, from which withdrawn signals are removed.' }),
          }),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable'),
        },
      },
    },
    async () => ({
      exchanges: (await exchanges.list()).map(viewOf),
      reconcilers: (await reconcilers.list()).map(reconcilerViewOf),
    }),
  )

  app.post(
    '/exchanges/:name/pulls',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'pullExchange',
        summary: 'Pull a feed now',
        description: 'Starts soon; see `GET /v1/exchanges` for progress.',
        tags: ['operation'],
        params: Name,
        response: {
          202: ExchangeView,
          ...may('request-invalid', 'key-missing', 'scope-missing', 'exchange-unknown', 'store-unavailable'),
        },
      },
    },
    async (request, reply) => {
      const { name } = request.params
      const report = await exchanges.report(name)
      await audit.record('exchange.pull-asked', `key:${callerOf(request).keyId}`, { exchange: name })
      await pullSoon(name)
      return reply.code(202).send(viewOf(report))
    },
  )
}

function reconcilerViewOf({ progress, hmaBanks, ...reconciler }: ReconcilerReport): z.infer<typeof ReconcilerView> {
  return {
    ...reconciler,
    hmaBanks: [...hmaBanks],
    state: progress?.state ?? null,
    failure: progress?.failure ?? null,
    startedAt: instantOrNull(progress?.startedAtMs),
    updatedAt: instantOrNull(progress?.updatedAtMs),
    caughtUpAt: instantOrNull(progress?.caughtUpAtMs),
    checked: progress?.checked ?? 0,
    removed: progress?.removed ?? 0,
  }
}

function viewOf({ progress, ...exchange }: ExchangeReport): z.infer<typeof ExchangeView> {
  return {
    ...exchange,
    state: progress?.state ?? null,
    failure: progress?.failure ?? null,
    startedAt: instantOrNull(progress?.startedAtMs),
    updatedAt: instantOrNull(progress?.updatedAtMs),
    caughtUpAt: instantOrNull(progress?.caughtUpAtMs),
    pages: progress?.pages ?? 0,
    accepted: progress?.accepted ?? 0,
    removed: progress?.removed ?? 0,
    refused: progress?.refused ?? 0,
    rejectedFor: { ...progress?.rejectedFor },
  }
}
