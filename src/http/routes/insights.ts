// What a platform learns from its own queries, and nobody else's.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Insights } from '../../services/trust/insights.js'
import { callerOf } from '../plugins/authentication.js'
import { may } from '../problems.js'
import { Instant, instant } from '../schemas.js'
import { Context } from './match-schemas.js'

const Limit = z.object({ limit: z.coerce.number().int().min(1).max(1000).default(100) })

const ContextView = z
  .object({
    context: z.string().meta({ description: 'The context as you sent it.' }),
    images24h: z
      .int()
      .meta({ description: 'Number of different registered images in the last 24 hours, accurate to about 1 %.' }),
    images30d: z.int().meta({ description: 'The same in the last 30 days.' }),
    lastSeenAt: Instant,
  })
  .meta({ id: 'ContextInsight' })

export const insightRoutes: FastifyPluginAsyncZod<{ readonly insights: Insights }> = async (app, { insights }) => {
  app.get(
    '/insights/contexts',
    {
      config: { scope: 'match', queries: 'none' },
      schema: {
        operationId: 'listContexts',
        summary: 'List contexts in which your users share such pictures',
        description:
          'The contexts of your queries, sorted by the number of different registered images that matched in each, highest first. No other organisation and no operator sees them. Forgotten 30 days after the last match.',
        tags: ['match'],
        querystring: Limit,
        response: {
          200: z.object({ contexts: z.array(ContextView) }),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable'),
        },
      },
    },
    async (request) => {
      const contexts = await insights.contexts(callerOf(request).orgId, request.query.limit)
      return {
        contexts: contexts.map(({ lastSeenAtMs, ...rest }) => ({
          ...rest,
          lastSeenAt: instant(lastSeenAtMs),
        })),
      }
    },
  )

  app.delete(
    '/insights/contexts/:context',
    {
      config: { scope: 'match', queries: 'none' },
      schema: {
        operationId: 'deleteContext',
        summary: 'Delete a context',
        description:
          'Deletes a context that you gave, and its counts. Safe to repeat: the answer is the same for a context that is not there. A match of the last seconds may still be counted afterwards; then repeat it.',
        tags: ['match'],
        params: z.object({ context: Context }),
        response: {
          200: z.object({ deleted: z.literal(true) }),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable'),
        },
      },
    },
    async (request) => {
      await insights.deleteContext(callerOf(request).orgId, request.params.context)
      return { deleted: true as const }
    },
  )
}
