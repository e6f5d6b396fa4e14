// For operators: what was done, the last first.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Audit } from '../../services/records/audit.js'
import { may } from '../problems.js'
import { Instant, instant } from '../schemas.js'

const Query = z.object({
  before: z.coerce.number().int().min(1).optional().meta({ description: 'A number: what came before it.' }),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})
const EntryView = z
  .object({
    number: z.int().meta({ description: 'From 1, without a gap.' }),
    at: Instant,
    act: z.string(),
    by: z.string().meta({ description: 'operator, submitter, tabir, or key: or org: and an id.' }),
    about: z.record(z.string(), z.string()),
  })
  .meta({ id: 'AuditEntry', description: 'Ids and words of ours, never hashes or persons.' })

export const auditRoutes: FastifyPluginAsyncZod<{ readonly audit: Pick<Audit, 'latest'> }> = async (app, { audit }) => {
  app.get(
    '/audit',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'listAudit',
        summary: 'See what was done, and by whom',
        description:
          'The last act first; each is in here about a second after it was done. Whether the log is whole is for `tabir audit verify` to say, which does not trust whoever answers here.',
        tags: ['signals'],
        querystring: Query,
        response: {
          200: z.object({ entries: z.array(EntryView) }),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'store-unavailable'),
        },
      },
    },
    async ({ query }) => ({
      entries: (await audit.latest(query.before, query.limit)).map(({ atMs, about, ...rest }) => ({
        ...rest,
        at: instant(atMs),
        about: { ...about },
      })),
    }),
  )
}
