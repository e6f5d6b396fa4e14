// For operators: the audit log, newest first.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Audit } from '../../services/records/audit.js'
import { may } from '../problems.js'
import { Instant, instant } from '../schemas.js'

const Query = z.object({
  before: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .meta({ description: 'The number of an entry: returns entries before it.' }),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})
const EntryView = z
  .object({
    number: z.int().meta({ description: 'Counted from 1, without gaps.' }),
    at: Instant,
    act: z.string(),
    by: z.string().meta({ description: 'operator, submitter, tabir, or `key:` or `org:` with an id.' }),
    about: z.record(z.string(), z.string()),
  })
  .meta({ id: 'AuditEntry', description: 'Ids and fixed words only, never hashes or personal data.' })

export const auditRoutes: FastifyPluginAsyncZod<{ readonly audit: Pick<Audit, 'latest'> }> = async (app, { audit }) => {
  app.get(
    '/audit',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'listAudit',
        summary: 'Read the audit log',
        description:
          'Newest first, with a delay of about one second. To check that the log is complete, run `tabir audit verify`: it does not trust this answer.',
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
