// A service, and the webhook deliveries that a messenger would make of its events.

import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import { WEBHOOK_EVENT_NAMES } from '../../src/domain/organisations/webhook.js'
import { createMatchIds } from '../../src/services/matching/match-ids.js'
import { createPseudonyms } from '../../src/services/trust/pseudonyms.js'
import { WEBHOOK_PAYLOADS } from '../../src/services/webhooks/webhook-payloads.js'
import { type PlanOf, webhookPlans } from '../../src/services/webhooks/webhook-plan.js'
import { createLearnerCheck, createSubscriberCheck } from '../../src/services/webhooks/webhook-subscribers.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { createDeadlineStore } from '../../src/store/cases/deadlines.js'
import { createImageStore } from '../../src/store/images/images.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { createBankStore } from '../../src/store/organisations/banks.js'
import { connectForFollowing, openStore, type Store } from '../../src/store/redis/client.js'
import { type Keyring, makeKeyring } from '../../src/store/sealing/seal.js'
import { loadSecrets, type Secrets } from '../../src/store/sealing/secrets.js'
import { createDeliveryStore, type Deliveries, type NewDelivery } from '../../src/store/webhooks/deliveries.js'
import { readOutbox } from '../../src/store/webhooks/outbox.js'
import { createWebhookStore } from '../../src/store/webhooks/webhooks.js'
import { storeAt } from './redis.js'
import { del, post } from './requests.js'
import { keyFor, startService } from './service.js'

/** Plans as a messenger makes them, at this clock. */
export function plansIn(store: Store, keyring: Keyring, secrets: Secrets, now: () => number): PlanOf {
  const apiKeys = createApiKeyStore(store)
  return webhookPlans({
    webhooks: createWebhookStore(store, keyring),
    images: createImageStore(store, keyring),
    cases: createCaseStore(store),
    banks: createBankStore(store),
    apiKeys,
    deadlines: createDeadlineStore(store),
    matchIds: createMatchIds(secrets.matchId),
    pseudonymOf: createPseudonyms(secrets.pseudonym),
    isSubscribed: createSubscriberCheck({ apiKeys, now, knownForMs: 0 }),
    now,
  })
}

/** Turns all that happened into deliveries, as one messenger would. @returns those that are meant to be made. */
export async function planAll(follower: Redis, deliveries: Deliveries, planOf: PlanOf): Promise<NewDelivery[]> {
  const made: NewDelivery[] = []
  await deliveries.hold('test', 60_000)
  for (;;) {
    const entries = await readOutbox(follower, await deliveries.eventCursor(), 1)
    if (entries.length === 0) return made
    for (const entry of entries) {
      const plan = await planOf(entry)
      await deliveries.make('test', entry, plan.deliveries)
      made.push(...plan.deliveries)
    }
  }
}

export async function startWebhookPlans(t: Test, options: Parameters<typeof startService>[1] = {}) {
  const service = await startService(t, options)
  const { app, services } = service
  const target = storeAt(service.redis.socket)
  const store = await openStore(target)
  const follower = connectForFollowing(target)
  t.teardown(async () => {
    follower.disconnect()
    await store.close()
  })
  const keyring = makeKeyring([Buffer.alloc(32, 7)])
  const secrets = await loadSecrets(store, keyring)
  const webhooks = createWebhookStore(store, keyring)
  const deliveries = createDeliveryStore(store)
  const deadlines = createDeadlineStore(store)
  const planOf = plansIn(store, keyring, secrets, Date.now)

  /** An organisation with a key for everything, and a webhook for everything. */
  async function organisation(t: Test, kind: 'platform' | 'ngo') {
    const org = randomBytes(6).toString('hex')
    const made = await keyFor(service, org, undefined, kind)
    const { webhookId } = (
      await post(app, '/v1/webhooks', { url: 'https://hooks.example/', events: WEBHOOK_EVENT_NAMES }, made.headers)
    ).json<{ webhookId: string }>()
    t.teardown(() => del(app, `/v1/webhooks/${webhookId}`, made.headers))
    return { ...made, org, webhookId }
  }

  /** Types of events whose deliveries agreed with their description. */
  const sent = new Set<string>()

  /** All deliveries that are due now, as one messenger would make them. */
  async function told(): Promise<(NewDelivery & { readonly data: Record<string, unknown> })[]> {
    await services.settled()
    const made = await planAll(follower, deliveries, planOf)
    for (const { type, body } of made) {
      const described = WEBHOOK_PAYLOADS.find((payload) => payload.type === type)
      described?.body.parse(JSON.parse(body))
      if (described !== undefined) sent.add(type)
    }
    return made.map((one) => ({ ...one, data: JSON.parse(one.body).data }))
  }

  const hash = (text: string) => ({ type: 'pdq', hash: text, quality: 100 })
  const match = async (text: string, { headers }: { headers: Record<string, string> }) => {
    const answer = await post(app, '/v1/match', { queries: [{ signals: [{ type: 'pdq', hash: text }] }] }, headers)
    return answer.json<{ results: [{ matches: { matchId: string }[] }] }>().results[0].matches
  }

  const images = createImageStore(store, keyring)
  /** Whether a delivery would be sent now, as far as its case is concerned. */
  const mayLearn = createLearnerCheck({ cases: createCaseStore(store), deadlines })
  const imageOf = createMatchIds(secrets.matchId).imageOf
  return { service, store, webhooks, deadlines, images, imageOf, mayLearn, organisation, sent, told, hash, match }
}
