// For operators: events that need attention, and accounts whose reports were judged false.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { EVENT_ID_PATTERN, EVENT_KINDS } from '../../../domain/organisations/event.js'
import { isAccount } from '../../../domain/trust/strikes.js'
import type { Accounts } from '../../../services/trust/accounts.js'
import { LongPage, Next, nextOf } from '../../pages.js'
import { callerOf } from '../../plugins/authentication.js'
import { may } from '../../problems.js'
import { Instant, instant } from '../../schemas.js'

const EventsQuery = z.object({
  after: z.string().regex(EVENT_ID_PATTERN, 'must be the id of an event').optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})
const EventView = z
  .object({ id: z.string(), kind: z.enum(EVENT_KINDS), at: Instant, about: z.record(z.string(), z.string()) })
  .meta({ id: 'Event', description: 'Ids and fixed words only, never hashes or personal data.' })

const AccountView = z.object({
  account: z.string().meta({ description: 'case: or org: and an id.' }),
  strikes: z.int(),
  lastAt: Instant,
  suspended: z.boolean(),
})
const AccountParam = z.object({
  account: z.string().refine(isAccount, 'must be an account'),
})

export const accountRoutes: FastifyPluginAsyncZod<{ readonly accounts: Accounts }> = async (app, { accounts }) => {
  app.get(
    '/events',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'listEvents',
        summary: 'List events that need attention',
        description: 'Oldest first; about the last 10,000. `after` continues behind an event.',
        tags: ['signals'],
        querystring: EventsQuery,
        response: {
          200: z.object({ events: z.array(EventView) }),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable'),
        },
      },
    },
    async ({ query }) => ({
      events: (await accounts.events(query.after, query.limit)).map(({ atMs, about, ...rest }) => ({
        ...rest,
        at: instant(atMs),
        about: { ...about },
      })),
    }),
  )

  app.get(
    '/strikes',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'listStrikes',
        summary: 'List accounts whose reports were judged false',
        description: 'Most recent strike first.',
        tags: ['signals'],
        querystring: LongPage,
        response: {
          200: z.object({ accounts: z.array(AccountView), next: Next }),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable'),
        },
      },
    },
    async ({ query }) => {
      const page = await accounts.strikes(query.after, query.limit)
      const views = page.accounts.map(({ lastAtMs, ...rest }) => ({ ...rest, lastAt: instant(lastAtMs) }))
      return { accounts: views, next: nextOf(page.next) }
    },
  )

  app.delete(
    '/strikes/:account',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'clearStrikes',
        summary: 'Clear the strikes of an account',
        tags: ['signals'],
        params: AccountParam,
        response: { 204: z.null(), ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable') },
      },
    },
    async (request, reply) => {
      await accounts.forgive(request.params.account, `key:${callerOf(request).keyId}`)
      return reply.code(204).send(null)
    },
  )
}
