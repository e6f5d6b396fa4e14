// An organisation's management of its webhooks.

import { randomBytes } from 'node:crypto'
import { uuidV7 } from '../../../packages/core/src/ids.js'
import type { Caller } from '../../domain/organisations/access.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import {
  type DeliveryState,
  MAX_PER_SECOND,
  MAX_WEBHOOK_SECRETS,
  OLD_SECRET_VALID_MS,
  WEBHOOK_SECRET_BYTES,
  WEBHOOK_SECRET_PREFIX,
  type WebhookEvent,
} from '../../domain/organisations/webhook.js'
import { Problem } from '../../domain/problem.js'
import { OUTGOING_FAILURES } from '../../net/outgoing.js'
import { outgoingUrl, type TrustedOrigins } from '../../net/outgoing-url.js'
import type { Deliveries, DeliveriesAsk, Delivery, DeliveryPage } from '../../store/webhooks/deliveries.js'
import type { EndpointHealth } from '../../store/webhooks/endpoint-states.js'
import type { Webhook, Webhooks } from '../../store/webhooks/webhooks.js'

/** A webhook without its secrets, with the health of its endpoint. */
export interface WebhookView extends Omit<Webhook, 'secrets' | 'orgId'>, EndpointHealth {
  /** Until when messages are also signed with the previous secret; `undefined` when only the current one is used. */
  readonly oldSecretUntilMs: number | undefined
}

/** State and outcome of one message. */
export type DeliveryReport = Omit<Delivery, 'body' | 'imageId'>

/** Why an attempt failed. `answer`: the endpoint answered with an error status. */
export const DELIVERY_FAILURES: readonly string[] = ['answer', ...Object.keys(OUTGOING_FAILURES)]

export interface NewWebhook {
  readonly url: string
  readonly events: readonly WebhookEvent[]
  readonly maxPerSecond: number | undefined
}

export type WebhookChange = Partial<Pick<Webhook, 'url' | 'events' | 'isEnabled' | 'maxPerSecond'>>

export interface WebhookService {
  /** Adds a webhook. The secret is returned only here. @throws {Problem} webhook-url-refused, webhooks-full */
  add(caller: Caller, webhook: NewWebhook): Promise<WebhookView & { readonly secret: string }>
  /** All webhooks of the caller's organisation. */
  list(caller: Caller): Promise<WebhookView[]>
  /** Here and below, another organisation's webhook is unknown. @throws {Problem} webhook-unknown */
  get(caller: Caller, webhookId: string): Promise<WebhookView>
  /** @throws {Problem} webhook-unknown, webhook-url-refused */
  change(caller: Caller, webhookId: string, change: WebhookChange): Promise<WebhookView>
  /** Removes a webhook with its waiting messages. @throws {Problem} webhook-unknown */
  remove(caller: Caller, webhookId: string): Promise<void>
  /** Replaces the secret. For a day messages are also signed with up to three previous ones. @throws {Problem} webhook-unknown */
  rotate(caller: Caller, webhookId: string): Promise<WebhookView & { readonly secret: string }>
  /** Queues a test message. @throws {Problem} webhook-unknown */
  ping(caller: Caller, webhookId: string): Promise<void>
  /** A page of messages, newest first. @throws {Problem} webhook-unknown */
  deliveries(
    caller: Caller,
    webhookId: string,
    states: readonly DeliveryState[],
    ask: DeliveriesAsk,
  ): Promise<{ readonly deliveries: readonly DeliveryReport[]; readonly next: DeliveryPage['next'] }>
  /** Queues a message for sending again, with the same id. @throws {Problem} webhook-unknown, delivery-unknown */
  replay(caller: Caller, webhookId: string, deliveryId: string): Promise<DeliveryReport>
}

export interface WebhookServiceParts {
  readonly webhooks: Webhooks
  readonly deliveries: Deliveries
  readonly trusted: TrustedOrigins
  readonly now: () => number
}

export function createWebhooks(parts: WebhookServiceParts): WebhookService {
  return { ...managedWebhooks(parts), ...deliveriesOf(parts) }
}

/** @throws {Problem} webhook-unknown, also for another organisation's. */
async function ownWebhook({ webhooks }: WebhookServiceParts, { orgId }: Caller, webhookId: string): Promise<Webhook> {
  const webhook = await webhooks.get(webhookId)
  if (webhook === undefined || webhook.orgId !== orgId) throw new Problem('webhook-unknown')
  return webhook
}

type Managed = Pick<WebhookService, 'add' | 'list' | 'get' | 'change' | 'remove' | 'rotate'>

function managedWebhooks(parts: WebhookServiceParts): Managed {
  const { webhooks, trusted, now } = parts
  const viewOf = (webhook: Webhook) => viewIn(parts, webhook)
  const checked = (url: string) => {
    const parsed = outgoingUrl(url, trusted)
    if (parsed === undefined) throw new Problem('webhook-url-refused')
    return parsed.href
  }
  const changed = async (
    caller: Caller,
    webhookId: string,
    act: 'webhook.changed' | 'webhook.secret-rotated',
    change: (webhook: Webhook) => Webhook,
  ) => {
    await ownWebhook(parts, caller, webhookId)
    const entry = { act, by: byOf(caller), about: { webhookId }, atMs: now() }
    const after = await webhooks.change(webhookId, change, entry)
    if (after === undefined) throw new Problem('webhook-unknown')
    return after
  }

  return {
    async add(caller, { url, events, maxPerSecond = MAX_PER_SECOND }) {
      const { orgId } = caller
      const secret = newSecret()
      const webhookId = uuidV7(now(), randomBytes(10))
      const webhook = {
        webhookId,
        orgId,
        url: checked(url),
        events,
        isEnabled: true,
        maxPerSecond,
        secrets: [{ secret, untilMs: undefined }],
        createdAtMs: now(),
      }
      const entry = { act: 'webhook.added', by: byOf(caller), about: { webhookId, orgId }, atMs: now() } as const
      if (!(await webhooks.add(webhook, entry))) throw new Problem('webhooks-full')
      return { ...(await viewOf(webhook)), secret }
    },
    list: async ({ orgId }) => await Promise.all((await webhooks.ofOrg(orgId)).map(viewOf)),
    get: async (caller, webhookId) => await viewOf(await ownWebhook(parts, caller, webhookId)),
    async change(caller, webhookId, change) {
      const url = change.url === undefined ? {} : { url: checked(change.url) }
      return await viewOf(
        await changed(caller, webhookId, 'webhook.changed', (before) => ({ ...before, ...change, ...url })),
      )
    },
    async remove(caller, webhookId) {
      const entry = { act: 'webhook.removed', by: byOf(caller), about: { webhookId }, atMs: now() } as const
      await webhooks.remove(await ownWebhook(parts, caller, webhookId), entry)
    },
    async rotate(caller, webhookId) {
      const secret = newSecret()
      const after = await changed(caller, webhookId, 'webhook.secret-rotated', ({ secrets, ...rest }) => ({
        ...rest,
        secrets: rotated(secrets, secret, now()),
      }))
      return { ...(await viewOf(after)), secret }
    },
  }
}

function deliveriesOf(parts: WebhookServiceParts): Pick<WebhookService, 'ping' | 'deliveries' | 'replay'> {
  const { webhooks, deliveries, now } = parts
  return {
    async ping(caller, webhookId) {
      await ownWebhook(parts, caller, webhookId)
      if (!(await webhooks.ping(webhookId))) throw new Problem('webhook-unknown')
    },
    async deliveries(caller, webhookId, states, ask) {
      await ownWebhook(parts, caller, webhookId)
      return await deliveries.list(webhookId, states, ask, now())
    },
    async replay(caller, webhookId, deliveryId) {
      await ownWebhook(parts, caller, webhookId)
      const isThere = await deliveries.replay(webhookId, deliveryId, now())
      const delivery = isThere ? await deliveries.get(webhookId, deliveryId) : undefined
      if (delivery === undefined) throw new Problem('delivery-unknown')
      return delivery
    },
  }
}

async function viewIn(
  { deliveries, now }: WebhookServiceParts,
  { secrets, orgId: _, ...rest }: Webhook,
): Promise<WebhookView> {
  return {
    ...rest,
    ...(await deliveries.health(rest.webhookId)),
    oldSecretUntilMs: secrets.find(({ untilMs }) => untilMs !== undefined && untilMs > now())?.untilMs,
  }
}

/** The new secret, then the current one for a day, then older ones that are still valid; at most `MAX_WEBHOOK_SECRETS`. */
function rotated([current, ...older]: Webhook['secrets'], secret: string, nowMs: number): Webhook['secrets'] {
  return [
    { secret, untilMs: undefined },
    ...(current === undefined ? [] : [{ ...current, untilMs: nowMs + OLD_SECRET_VALID_MS }]),
    // The receiver may know only an older secret, if the answers with later ones were lost.
    ...older.filter((each) => each.untilMs !== undefined && each.untilMs > nowMs),
  ].slice(0, MAX_WEBHOOK_SECRETS)
}

function byOf({ keyId }: Caller): AuditActor {
  return `key:${keyId}`
}

function newSecret(): string {
  return WEBHOOK_SECRET_PREFIX + randomBytes(WEBHOOK_SECRET_BYTES).toString('base64')
}
