// For whoever runs Tabir: is it alive, may it be asked, how is it doing.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Problem } from '../../domain/problem.js'
import { SIGNAL_TYPE_NAMES } from '../../domain/signal-types.js'
import type { Health } from '../../services/health.js'
import { may } from '../problems.js'

export interface HealthRouteOptions {
  readonly health: Health
  /** The metrics in Prometheus's text format. */
  readonly metrics: () => Promise<string>
}

const Ready = z.object({
  ready: z.literal(true),
  revision: z.int(),
  images: z.int(),
  rows: z.record(z.string(), z.int()),
  durability: z.enum(['fsync', 'unknown', 'none']).meta({
    description:
      'fsync: what was answered with 2xx is on disk. unknown: the Redis server is too old to say. none: its log is off, and a crash loses everything.',
  }),
})

const Part = z.object({
  kind: z.enum(['head', 'segment', 'raw']).meta({
    description: 'head: rows added last. segment: rows with tables. raw: loaded, and without tables as yet.',
  }),
  rows: z.int(),
  deadRows: z.int(),
  bytes: z.int(),
  radii: z.array(z.int()).optional().meta({
    description:
      'The plan: how many bits a band may differ in to be looked at; -1 for not at all. Absent where every row is read.',
  }),
  probes: z.int(),
  candidates: z.int(),
})

const IndexReport = z.object({
  revision: z.int(),
  behind: z.int().meta({ description: 'Changes that the store has and the index does not.' }),
  heardAgoMs: z.int(),
  images: z.int(),
  imageBytes: z.int(),
  indexes: z.array(
    z.object({
      type: z.enum(SIGNAL_TYPE_NAMES),
      rows: z.int(),
      liveRows: z.int(),
      bytes: z.int(),
      thresholdBits: z.int().meta({ description: 'What the plans are for.' }),
      parts: z.array(Part),
    }),
  ),
})

export const healthRoutes: FastifyPluginAsyncZod<HealthRouteOptions> = async (app, { health, metrics }) => {
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

  app.get(
    '/health/ready',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'ready',
        summary: 'May it be asked?',
        description: '503 until the index is loaded, and whenever the store has not been heard from for a second.',
        tags: ['operation'],
        response: { 200: Ready, ...may('index-cold', 'store-away') },
      },
    },
    async () => {
      const report = health.report()
      if (report instanceof Problem) throw report
      return { ready: true as const, ...report }
    },
  )

  app.get(
    '/health/index',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'index',
        summary: 'What does the index consist of?',
        description: 'For operators: rows, memory, and how a search goes about each part. Numbers only.',
        tags: ['operation'],
        response: { 200: IndexReport, ...may('index-cold', 'store-away') },
      },
    },
    async () => {
      const { indexes, ...report } = health.index()
      const rounded = indexes.map(({ parts, ...index }) => ({
        ...index,
        parts: parts.map(({ radii, candidates, ...part }) => ({
          ...part,
          candidates: Math.round(candidates),
          ...(radii !== undefined && { radii: [...radii] }),
        })),
      }))
      return { ...report, behind: await health.behind(), indexes: rounded }
    },
  )

  app.get('/metrics', { config: { scope: 'public' }, schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/plain; version=0.0.4').send(await metrics()),
  )
}
