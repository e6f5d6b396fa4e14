// Schemas of webhooks and their deliveries.

import { z } from 'zod'
import { DELIVERY_STATES, WEBHOOK_EVENT_NAMES } from '../../domain/organisations/webhook.js'
import { DELIVERY_FAILURES } from '../../services/webhooks/webhooks.js'
import { After } from '../pages.js'
import { Instant } from '../schemas.js'

export const WEBHOOK_CONFIG = { scope: 'webhooks' } as const

/** Problems of every webhook route. */
export const WEBHOOK_PROBLEMS = ['key-missing', 'scope-missing', 'store-unavailable'] as const

export const WebhookParam = z.object({ webhookId: z.string().max(64) })

export const Shape = z.object({
  webhookId: z.uuid(),
  url: z.string(),
  events: z.array(z.enum(WEBHOOK_EVENT_NAMES)),
  enabled: z.boolean().meta({ description: 'false: disabled, by you or because the endpoint answered 410.' }),
  maxPerSecond: z.int(),
  createdAt: Instant,
  failures: z.int().meta({ description: 'Number of consecutive failed attempts.' }),
  failingSince: Instant.nullable(),
  missedSince: Instant.nullable().meta({
    description:
      'Since when events could not wait. They are told in one message, webhook.events-missed, once the endpoint answers.',
  }),
  oldSecretUntil: Instant.nullable().meta({
    description: 'Until when messages are also signed with the previous secret.',
  }),
})

export const DeliveryView = z
  .object({
    deliveryId: z.string().meta({ description: 'The value of the header webhook-id in every attempt.' }),
    type: z.string(),
    state: z.enum(DELIVERY_STATES).meta({
      description:
        'waiting: for its first or next attempt. dead: given up after 3 days and 10 attempts. void: superseded, not sent.',
    }),
    createdAt: Instant,
    attempts: z.int(),
    lastAttemptAt: Instant.nullable(),
    nextAttemptAt: Instant.nullable(),
    status: z.int().nullable().meta({ description: 'HTTP status of the last attempt.' }),
    failure: z
      .string()
      .nullable()
      .meta({ description: `Failure of the last attempt: ${DELIVERY_FAILURES.join(', ')}.` }),
  })
  .meta({ id: 'WebhookDelivery' })

export const DeliveriesQuery = z.object({
  state: z.enum(DELIVERY_STATES).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  after: After.optional(),
})
