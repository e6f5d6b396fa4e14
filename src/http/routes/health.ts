// Health for operators: whether the process is alive, ready, and in what condition.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Problem } from '../../domain/problem.js'
import { HASHING_STATES, type Health, WITHDRAWAL_NOTING } from '../../services/ops/health.js'
import { may } from '../problems.js'
import { IndexReport } from '../schemas.js'

export interface HealthRouteOptions {
  readonly health: Health
  /** Metrics in Prometheus' text format. */
  readonly metrics: () => Promise<string>
  /** Who sees counts here and in the metrics. From public counts, an outsider could see when something is registered or withdrawn. */
  readonly countsFor: 'public' | 'admin'
}

const Ready = z.object({
  ready: z.literal(true),
  revision: z.int().optional(),
  images: z.int().optional(),
  rows: z.record(z.string(), z.int()).optional(),
  durability: z.enum(['fsync', 'unknown', 'none']).meta({
    description:
      'fsync: everything answered with 2xx is on disk. unknown: the Redis server is too old to report it. none: its log is off, and a crash loses data.',
  }),
  hashing: z.enum(HASHING_STATES).optional().meta({
    description: 'unavailable: no worker takes pictures and videos, which get 503. Hashes are still matched.',
  }),
  withdrawals: z.enum(WITHDRAWAL_NOTING).optional().meta({
    description:
      'noted: every withdrawal is on disk in the log for restores. behind: some could not be written, and a restore would bring them back. off: no log is kept.',
  }),
})

export const healthRoutes: FastifyPluginAsyncZod<HealthRouteOptions> = async (app, { health, metrics, countsFor }) => {
  app.get(
    '/health/live',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'live',
        summary: 'Liveness of the process',
        tags: ['operation'],
        response: { 200: z.object({ live: z.literal(true) }), ...may() },
      },
    },
    async () => ({ live: true as const }),
  )

  const ready = async () => {
    const report = health.report()
    if (report instanceof Problem) throw report
    const hashing = await health.hashing()
    // Probes have no key and need no counts.
    const shown = countsFor === 'public' ? report : { durability: report.durability }
    return { ready: true as const, ...shown, ...(hashing !== undefined && { hashing }) }
  }
  app.get(
    '/health/ready',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'ready',
        summary: 'Readiness of the process',
        description:
          '503 until the index is loaded, and while its replica is more than one second stale; `reason` says why. On a public service it has no numbers: read them with an `admin` key at `/health/index`.',
        tags: ['operation'],
        response: { 200: Ready, ...may('index-loading', 'store-unavailable') },
      },
    },
    ready,
  )

  app.get(
    '/health',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'health',
        summary: 'The same as /health/ready',
        description: 'An alias that many load balancers expect.',
        tags: ['operation'],
        response: { 200: Ready, ...may('index-loading', 'store-unavailable') },
      },
    },
    ready,
  )

  app.get(
    '/health/index',
    {
      config: { scope: countsFor },
      schema: {
        operationId: 'index',
        summary: 'Structure of the index',
        description:
          'For operators: rows, memory and the search plan of each part. Numbers only. Requires `admin` on a public service (`TABIR_EXPOSURE=public`).',
        tags: ['operation'],
        response: {
          200: IndexReport,
          ...may('key-missing', 'key-invalid', 'scope-missing', 'index-loading', 'store-unavailable'),
        },
      },
    },
    async () => ({ ...health.index(), behind: await health.behind() }),
  )

  app.get('/metrics', { config: { scope: countsFor }, schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/plain; version=0.0.4').send(await metrics()),
  )
}
