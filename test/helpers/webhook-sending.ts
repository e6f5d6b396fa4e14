// Webhooks and their endpoints in a Redis of their own. The clock is the test's, so three days pass in a second.

import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import type { DeliveryLimits } from '../../src/domain/organisations/webhook.js'
import { createOutgoing } from '../../src/net/outgoing.js'
import { webhookSending } from '../../src/services/webhooks/webhook-sending.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring, SealError } from '../../src/store/sealing/seal.js'
import { createDeliveryStore, type NewDelivery } from '../../src/store/webhooks/deliveries.js'
import { createWebhookStore, type Webhook } from '../../src/store/webhooks/webhooks.js'
import { startRedis, storeAt } from './redis.js'
import { startEndpoint } from './webhooks.js'

const HOLDER = 'this test'
export const DAY_MS = 86_400_000
export const START_MS = 1_800_000_000_000

/** Endpoints of tests answer within this time, on any machine. */
export const LONG_MS = 60_000

/** One Redis for a test file. `world` adds a webhook and starts its endpoint. */
export async function startWebhookSending(t: Test, limits?: DeliveryLimits) {
  const redis = await startRedis(t)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const webhooks = createWebhookStore(store, makeKeyring([Buffer.alloc(32, 7)]))
  const deliveries = createDeliveryStore(store, limits)
  return { store, webhooks, deliveries, world }

  async function world(t: Test, more: Partial<Webhook> = {}) {
    const endpoint = await startEndpoint(t)
    let nowMs = START_MS
    let beforeChange: (() => Promise<void>) | undefined
    let timeoutMs = LONG_MS
    const webhook: Webhook = {
      webhookId: uuidV7(START_MS, randomBytes(10)),
      orgId: uuidV7(START_MS, randomBytes(10)),
      url: endpoint.url,
      events: ['case.updated'],
      isEnabled: true,
      maxPerSecond: 50,
      secrets: [{ secret: `whsec_${randomBytes(32).toString('base64')}`, untilMs: undefined }],
      createdAtMs: START_MS,
      ...more,
    }
    await webhooks.add(webhook)
    const { webhookId } = webhook
    const gone = new Set<string>()
    const broken = new Set<string>()
    const deaf = new Set<string>()
    const closed = new Set<string>()
    const troubles: string[] = []
    const send = webhookSending({
      webhooks: {
        ...webhooks,
        async change(...args) {
          await beforeChange?.()
          return await webhooks.change(...args)
        },
      },
      deliveries,
      send: createOutgoing({ trusted: new Set([endpoint.origin]) }),
      async stillMatching(imageId) {
        if (broken.has(imageId)) throw new SealError('a record that does not open')
        return !gone.has(imageId)
      },
      mayLearn: async (_, caseId) => !closed.has(caseId),
      isSubscribed: async (orgId) => !deaf.has(orgId),
      now: () => nowMs,
      onError: (error) => troubles.push(error.message),
      random: () => 0,
      get timeoutMs() {
        return timeoutMs
      },
    })
    let entries = 0
    const make = async (...made: Partial<NewDelivery>[]) => {
      await deliveries.hold(HOLDER, 60_000)
      const all = made.map((one, i) => ({
        webhookId,
        id: `${entries}-${i}`,
        subject: 'one',
        type: 'webhook.ping',
        body: JSON.stringify({ type: 'webhook.ping', data: {} }),
        dueAtMs: nowMs,
        imageId: undefined,
        caseId: undefined,
        ...one,
      }))
      entries++
      const entry = { source: 'outbox', id: `1-${entries}`, fields: new Map() } as const
      return await deliveries.make(HOLDER, entry, all)
    }
    const stateOf = async (id: string) => await deliveries.get(webhookId, id)
    return {
      ...endpoint,
      webhook,
      webhookId,
      gone,
      broken,
      deaf,
      closed,
      troubles,
      make,
      send: () => send(webhookId),
      stateOf,
      pass: (ms: number) => {
        nowMs += ms
      },
      now: () => nowMs,
      /** Runs once, before the sender changes a webhook. */
      beforeNextChange: (action: () => Promise<void>) => {
        beforeChange = async () => {
          beforeChange = undefined
          await action()
        }
      },
      /** The time limit of endpoints from now on. */
      allow: (ms: number) => {
        timeoutMs = ms
      },
    }
  }
}
