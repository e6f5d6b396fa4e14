// The section `webhooks` of the description: every message that a webhook is sent, with the headers that prove who sent it.

import { z } from 'zod'
import { WEBHOOK_PAYLOADS } from '../../services/webhooks/webhook-payloads.js'

const HEADERS = {
  'webhook-id': 'The same in every try: whoever has had it has nothing to do.',
  'webhook-timestamp': 'When this try was signed, in seconds since 1970. Refuse what is minutes old.',
  'webhook-signature':
    'By the Standard Webhooks specification: `v1,` and the HMAC-SHA-256 of `id.timestamp.body` in base64. Several with spaces between while a secret is being replaced; one of them has to fit.',
} as const

export function webhooksDescribed(): Record<string, unknown> {
  return Object.fromEntries(
    WEBHOOK_PAYLOADS.map(({ type, about, body }) => [
      type,
      {
        post: {
          operationId: type.replaceAll(/[._](\w)/g, (_, letter: string) => letter.toUpperCase()),
          summary: about.split(/[:.] /)[0],
          description: about,
          tags: ['webhooks'],
          security: [],
          parameters: Object.entries(HEADERS).map(([name, description]) => ({
            name,
            in: 'header',
            required: true,
            description,
            schema: { type: 'string' },
          })),
          requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body) } } },
          responses: {
            '2XX': { description: 'Accepted.' },
            '410': { description: 'The endpoint no longer exists: the webhook is disabled.' },
            default: {
              description:
                'Not accepted; no answer within 15 s counts as this. Retried for three days, and not before the time in Retry-After.',
            },
          },
        },
      },
    ]),
  )
}

function schemaOf(body: z.ZodType): unknown {
  const { $schema: _, ...schema } = z.toJSONSchema(body)
  return schema
}
