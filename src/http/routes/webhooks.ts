// Webhooks: the addresses to which an organisation gets notifications.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  MAX_PER_SECOND,
  MAX_WEBHOOKS_PER_ORG,
  WEBHOOK_EVENT_NAMES,
  WEBHOOK_EVENTS,
} from '../../domain/organisations/webhook.js'
import type { Idempotency } from '../../services/load/idempotency.js'
import type { WebhookService, WebhookView } from '../../services/webhooks/webhooks.js'
import { callerOf } from '../plugins/authentication.js'
import { may } from '../problems.js'
import { IdempotencyKey, instant, instantOrNull } from '../schemas.js'
import type { ZodApp } from '../zod-app.js'
import { listWebhookDeliveriesRoute, replayWebhookDeliveryRoute } from './webhook-deliveries.js'
import { Shape, WEBHOOK_CONFIG, WEBHOOK_PROBLEMS, WebhookParam } from './webhook-schemas.js'

const Url = z
  .string()
  .max(2048)
  .meta({ description: 'An https address on the public internet. Redirects are not followed.' })
const Events = z
  .array(z.enum(WEBHOOK_EVENT_NAMES))
  .min(1)
  .max(WEBHOOK_EVENT_NAMES.length)
  .meta({ description: WEBHOOK_EVENT_NAMES.map((name) => `${name}: ${WEBHOOK_EVENTS[name]}`).join(' ') })
const PerSecond = z.int().min(1).max(MAX_PER_SECOND).meta({ description: 'Maximum number of messages a second.' })

const NewWebhook = z.strictObject({ url: Url, events: Events, maxPerSecond: PerSecond.optional() })
const WebhookChange = z.strictObject({ url: Url, events: Events, enabled: z.boolean(), maxPerSecond: PerSecond }).partial()

const Secret = z.string().meta({
  description: 'Shown only once. Signs messages as in the Standard Webhooks specification (v1, HMAC-SHA256).',
})
const Webhook = Shape.meta({ id: 'Webhook' })
const WebhookWithSecret = Shape.extend({ secret: Secret })

export interface WebhookRouteOptions {
  readonly webhooks: WebhookService
  readonly idempotency: Idempotency
}

const tags = ['webhooks']
const repeated = ['idempotency-key-reused', 'idempotency-key-busy'] as const

export const webhookRoutes: FastifyPluginAsyncZod<WebhookRouteOptions> = async (app, options) => {
  addWebhookRoute(app, options)
  listWebhooksRoute(app, options)
  getWebhookRoute(app, options)
  changeWebhookRoute(app, options)
  removeWebhookRoute(app, options)
  rotateWebhookSecretRoute(app, options)
  pingWebhookRoute(app, options)
  listWebhookDeliveriesRoute(app, options)
  replayWebhookDeliveryRoute(app, options)
}

function addWebhookRoute(app: ZodApp, { webhooks, idempotency }: WebhookRouteOptions): void {
  app.post(
    '/webhooks',
    {
      config: WEBHOOK_CONFIG,
      schema: {
        operationId: 'addWebhook',
        summary: 'Create a webhook',
        description: `Messages are signed and carry ids, never hashes. Delivery is at least once, with the same \`webhook-id\` in every attempt, and in order for one subject. Retried for 3 days, and at least 10 times; what cannot wait for an endpoint that is down is told in one message, \`webhook.events-missed\`. At most ${MAX_WEBHOOKS_PER_ORG} webhooks for an organisation.`,
        tags,
        headers: IdempotencyKey,
        body: NewWebhook,
        response: {
          201: WebhookWithSecret,
          ...may('request-invalid', 'webhook-url-refused', 'webhooks-full', ...repeated, ...WEBHOOK_PROBLEMS),
        },
      },
    },
    async (request, reply) => {
      const { maxPerSecond, ...rest } = request.body
      const caller = callerOf(request)
      const key = request.headers['idempotency-key']
      const scope = ['add-webhook', caller.orgId] as const
      const added = await idempotency.once(scope, key, request.body, WebhookWithSecret, async () => {
        const { secret, ...view } = await webhooks.add(caller, { ...rest, maxPerSecond })
        return { ...shapeOf(view), secret }
      })
      return reply.code(201).send(added)
    },
  )
}

function listWebhooksRoute(app: ZodApp, { webhooks }: WebhookRouteOptions): void {
  app.get(
    '/webhooks',
    {
      config: WEBHOOK_CONFIG,
      schema: {
        operationId: 'listWebhooks',
        summary: 'List your webhooks',
        tags,
        response: { 200: z.object({ webhooks: z.array(Webhook) }), ...may(...WEBHOOK_PROBLEMS) },
      },
    },
    async (request) => ({ webhooks: (await webhooks.list(callerOf(request))).map(shapeOf) }),
  )
}

function getWebhookRoute(app: ZodApp, { webhooks }: WebhookRouteOptions): void {
  app.get(
    '/webhooks/:webhookId',
    {
      config: WEBHOOK_CONFIG,
      schema: {
        operationId: 'getWebhook',
        summary: 'Get a webhook and its state',
        tags,
        params: WebhookParam,
        response: { 200: Webhook, ...may('webhook-unknown', ...WEBHOOK_PROBLEMS) },
      },
    },
    async (request) => shapeOf(await webhooks.get(callerOf(request), request.params.webhookId)),
  )
}

function changeWebhookRoute(app: ZodApp, { webhooks }: WebhookRouteOptions): void {
  app.patch(
    '/webhooks/:webhookId',
    {
      config: WEBHOOK_CONFIG,
      schema: {
        operationId: 'changeWebhook',
        summary: 'Change, disable or enable a webhook',
        description: 'While it is disabled, new events are not recorded for it, and waiting messages stay waiting.',
        tags,
        params: WebhookParam,
        body: WebhookChange,
        response: { 200: Webhook, ...may('request-invalid', 'webhook-url-refused', 'webhook-unknown', ...WEBHOOK_PROBLEMS) },
      },
    },
    async (request) => {
      const { url, events, enabled, maxPerSecond } = request.body
      const change = {
        ...(url !== undefined && { url }),
        ...(events !== undefined && { events }),
        ...(enabled !== undefined && { isEnabled: enabled }),
        ...(maxPerSecond !== undefined && { maxPerSecond }),
      }
      return shapeOf(await webhooks.change(callerOf(request), request.params.webhookId, change))
    },
  )
}

function removeWebhookRoute(app: ZodApp, { webhooks }: WebhookRouteOptions): void {
  app.delete(
    '/webhooks/:webhookId',
    {
      config: WEBHOOK_CONFIG,
      schema: {
        operationId: 'removeWebhook',
        summary: 'Remove a webhook and its waiting messages',
        tags,
        params: WebhookParam,
        response: { 204: z.null(), ...may('webhook-unknown', ...WEBHOOK_PROBLEMS) },
      },
    },
    async (request, reply) => {
      await webhooks.remove(callerOf(request), request.params.webhookId)
      return reply.code(204).send(null)
    },
  )
}

function rotateWebhookSecretRoute(app: ZodApp, { webhooks, idempotency }: WebhookRouteOptions): void {
  app.post(
    '/webhooks/:webhookId/secret',
    {
      config: WEBHOOK_CONFIG,
      schema: {
        operationId: 'rotateWebhookSecret',
        summary: 'Rotate the secret of a webhook',
        description:
          'For 24 hours messages carry two signatures, by the new secret and by the previous one (up to three previous ones if you rotate several times). So a lost answer breaks nothing: repeat the request, preferably with the same Idempotency-Key.',
        tags,
        params: WebhookParam,
        headers: IdempotencyKey,
        response: { 201: WebhookWithSecret, ...may('request-invalid', 'webhook-unknown', ...repeated, ...WEBHOOK_PROBLEMS) },
      },
    },
    async (request, reply) => {
      const { webhookId } = request.params
      const caller = callerOf(request)
      const key = request.headers['idempotency-key']
      const scope = ['rotate-webhook-secret', `${caller.orgId} ${webhookId}`] as const
      const given = await idempotency.once(scope, key, undefined, WebhookWithSecret, async () => {
        const { secret, ...view } = await webhooks.rotate(caller, webhookId)
        return { ...shapeOf(view), secret }
      })
      return reply.code(201).send(given)
    },
  )
}

function pingWebhookRoute(app: ZodApp, { webhooks }: WebhookRouteOptions): void {
  app.post(
    '/webhooks/:webhookId/ping',
    {
      config: WEBHOOK_CONFIG,
      schema: {
        operationId: 'pingWebhook',
        summary: 'Send a test message',
        description: 'Sends `webhook.ping`, whatever events the webhook subscribes to. It appears among the deliveries.',
        tags,
        params: WebhookParam,
        response: { 202: z.null(), ...may('webhook-unknown', ...WEBHOOK_PROBLEMS) },
      },
    },
    async (request, reply) => {
      await webhooks.ping(callerOf(request), request.params.webhookId)
      // Send no body at all: `null` would be sent as four letters of JSON.
      const nothing: { send(payload?: unknown): unknown } = reply.code(202)
      nothing.send()
      return reply
    },
  )
}

function shapeOf({ isEnabled, createdAtMs, failingSinceMs, missedSinceMs, oldSecretUntilMs, events, ...rest }: WebhookView) {
  return {
    ...rest,
    events: [...events],
    enabled: isEnabled,
    createdAt: instant(createdAtMs),
    failingSince: instantOrNull(failingSinceMs),
    missedSince: instantOrNull(missedSinceMs),
    oldSecretUntil: instantOrNull(oldSecretUntilMs),
  }
}
