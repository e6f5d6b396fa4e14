// For whoever runs Tabir: is it alive, may it be asked, how is it doing.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Problem } from '../../domain/problem.js'
import { type Health, WITHDRAWAL_NOTING } from '../../services/ops/health.js'
import { may } from '../problems.js'
import { IndexReport } from '../schemas.js'

export interface HealthRouteOptions {
  readonly health: Health
  /** The metrics in Prometheus's text format. */
  readonly metrics: () => Promise<string>
  /** Who sees counts, here and in the metrics. Where anybody may come, they would tell an outsider when something is registered or withdrawn. */
  readonly countsFor: 'public' | 'admin'
}

const Ready = z.object({
  ready: z.literal(true),
  revision: z.int().optional(),
  images: z.int().optional(),
  rows: z.record(z.string(), z.int()).optional(),
  durability: z.enum(['fsync', 'unknown', 'none']).meta({
    description:
      'fsync: what was answered with 2xx is on disk. unknown: the Redis server is too old to say. none: its log is off, and a crash loses everything.',
  }),
  withdrawals: z.enum(WITHDRAWAL_NOTING).optional().meta({
    description:
      'noted: each withdrawal is on disk in the log for restores. behind: some cannot be noted, and a restore would bring them back. off: no log is kept.',
  }),
})

export const healthRoutes: FastifyPluginAsyncZod<HealthRouteOptions> = async (app, { health, metrics, countsFor }) => {
  app.get(
    '/health/live',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'live',
        summary: 'Is the process alive?',
        tags: ['operation'],
        response: { 200: z.object({ live: z.literal(true) }), ...may() },
      },
    },
    async () => ({ live: true as const }),
  )

  const ready = async () => {
    const report = health.report()
    if (report instanceof Problem) throw report
    // Probes have no key, and need no numbers.
    return countsFor === 'public'
      ? { ready: true as const, ...report }
      : { ready: true as const, durability: report.durability }
  }
  app.get(
    '/health/ready',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'ready',
        summary: 'May it be asked?',
        description:
          '503 until the index is loaded, and whenever the store has not been heard from for a second; `reason` says why. Where anybody may reach the service, it gives no numbers: a key with `admin` reads them at `/health/index`.',
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
        description: 'For who looks here first, as many load balancers do.',
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
        summary: 'What does the index consist of?',
        description:
          'For operators: rows, memory, and how a search goes about each part. Numbers only. Requires `admin` where anybody may reach the service (`TABIR_EXPOSURE=public`).',
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
