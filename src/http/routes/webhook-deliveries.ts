// Deliveries of a webhook: their state, and sending one again.

import { z } from 'zod'
import { DELIVERY_STATES } from '../../domain/organisations/webhook.js'
import type { DeliveryReport, WebhookService } from '../../services/webhooks/webhooks.js'
import { Next, nextOf } from '../pages.js'
import { callerOf } from '../plugins/authentication.js'
import { may } from '../problems.js'
import { instant, instantOrNull } from '../schemas.js'
import type { ZodApp } from '../zod-app.js'
import { DeliveriesQuery, DeliveryView, WEBHOOK_CONFIG, WEBHOOK_PROBLEMS, WebhookParam } from './webhook-schemas.js'

const DeliveryParam = WebhookParam.extend({ deliveryId: z.string().max(64) })

export interface WebhookDeliveryOptions {
  readonly webhooks: WebhookService
}

export function listWebhookDeliveriesRoute(app: ZodApp, { webhooks }: WebhookDeliveryOptions): void {
  app.get(
    '/webhooks/:webhookId/deliveries',
    {
      config: WEBHOOK_CONFIG,
      schema: {
        operationId: 'listWebhookDeliveries',
        summary: 'List deliveries of a webhook',
        description: 'Newest first. Delivered messages are kept for 3 days, dead ones for 30.',
        tags: ['webhooks'],
        params: WebhookParam,
        querystring: DeliveriesQuery,
        response: {
          200: z.object({ deliveries: z.array(DeliveryView), next: Next }),
          ...may('request-invalid', 'webhook-unknown', ...WEBHOOK_PROBLEMS),
        },
      },
    },
    async (request) => {
      const { state, after, limit } = request.query
      const states = state === undefined ? DELIVERY_STATES : [state]
      const page = await webhooks.deliveries(callerOf(request), request.params.webhookId, states, { after, limit })
      return { deliveries: page.deliveries.map(deliveryShapeOf), next: nextOf(page.next) }
    },
  )
}

export function replayWebhookDeliveryRoute(app: ZodApp, { webhooks }: WebhookDeliveryOptions): void {
  app.post(
    '/webhooks/:webhookId/deliveries/:deliveryId/replay',
    {
      config: WEBHOOK_CONFIG,
      schema: {
        operationId: 'replayWebhookDelivery',
        summary: 'Send a message again',
        description:
          'Keeps its id, and queues behind waiting messages about the same subject. A message that already waits is unchanged.',
        tags: ['webhooks'],
        params: DeliveryParam,
        response: { 202: DeliveryView, ...may('webhook-unknown', 'delivery-unknown', ...WEBHOOK_PROBLEMS) },
      },
    },
    async (request, reply) => {
      const { webhookId, deliveryId } = request.params
      return reply.code(202).send(deliveryShapeOf(await webhooks.replay(callerOf(request), webhookId, deliveryId)))
    },
  )
}

function deliveryShapeOf({
  id,
  type,
  state,
  createdAtMs,
  attempts,
  lastAttemptAtMs,
  nextAttemptAtMs,
  status,
  failure,
}: DeliveryReport) {
  return {
    deliveryId: id,
    type,
    state,
    createdAt: instant(createdAtMs),
    attempts,
    lastAttemptAt: instantOrNull(lastAttemptAtMs),
    nextAttemptAt: instantOrNull(nextAttemptAtMs),
    status: status ?? null,
    failure: failure ?? null,
  }
}
