// The section `webhooks` of the description: the payload of each event, and the headers that prove its sender.

import { z } from 'zod'
import { WEBHOOK_PAYLOADS } from '../../services/webhooks/webhook-payloads.js'

const HEADERS = {
  'webhook-id': 'The same in every attempt. Ignore a delivery whose id you have processed.',
  'webhook-timestamp': 'Unix time in seconds at which this attempt was signed. Reject deliveries that are minutes old.',
  'webhook-signature':
    'By the Standard Webhooks specification: `v1,` and the HMAC-SHA-256 of `id.timestamp.body` in base64. The key is the text of the secret after `whsec_`, decoded from base64. While a secret is being replaced there are several, separated by spaces; one of them must match.',
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
                'Not accepted. No response within 15 s counts as not accepted. Retried for three days, not before the time in Retry-After.',
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
