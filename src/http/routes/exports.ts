// Exports a bank of the caller's organisation as a file.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { AGE_RECIPIENT_PATTERN } from '../../exchange/age.js'
import { EXPORT_FORMATS, EXPORTS } from '../../exchange/signal-writer.js'
import type { Banks } from '../../services/banks/banks.js'
import type { Exports } from '../../services/banks/exports.js'
import { callerOf } from '../plugins/authentication.js'
import { may } from '../problems.js'
import { BankName } from '../schemas.js'

const ASKED_AGAIN_MS = 250

const Format = z.enum(EXPORT_FORMATS).meta({
  description: EXPORT_FORMATS.map((name) => `${name}: ${EXPORTS[name]}`).join(' '),
})
const Order = z.union([
  z.strictObject({
    format: Format,
    sealTo: z.string().regex(AGE_RECIPIENT_PATTERN, 'must be an age recipient').meta({
      description: 'An age recipient, `age1…`. Only the holder of its identity can decrypt the file.',
    }),
  }),
  z.strictObject({ format: Format, plain: z.literal(true).meta({ description: 'Must be true for an unencrypted file.' }) }),
])

export interface ExportRouteOptions {
  readonly banks: Banks
  readonly exports: Exports
}

export const exportRoutes: FastifyPluginAsyncZod<ExportRouteOptions> = async (app, { banks, exports }) => {
  app.post(
    '/banks/:bank/exports',
    {
      config: { scope: 'feed', queries: 'none', fileAnswer: true },
      schema: {
        operationId: 'exportBank',
        summary: 'Export a bank as a file',
        description:
          'Only your own banks. Choose between encrypted for a recipient and plain. Each export is recorded in the audit log before it starts.',
        tags: ['banks'],
        params: z.object({ bank: BankName }),
        body: Order,
        response: {
          200: z.custom<NodeJS.ReadableStream>(),
          ...may('request-invalid', 'key-missing', 'scope-missing', 'bank-unknown', 'store-unavailable'),
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const bank = await banks.writable(caller, request.params.bank)
      const { format } = request.body
      const form =
        'sealTo' in request.body
          ? ({ kind: 'sealed', recipient: request.body.sealTo } as const)
          : ({ kind: 'plain' } as const)
      const file = await exports.open(caller, bank, format, form, () => request.reauthorize(ASKED_AGAIN_MS))
      return reply.type('application/octet-stream').send(file)
    },
  )
}
