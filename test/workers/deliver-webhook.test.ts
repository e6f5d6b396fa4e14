// Every event is delivered, however long something it needs cannot be read: a messenger that lacks a seal key loses nothing.

import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { createOutgoing } from '../../src/net/outgoing.js'
import { createMatchIds } from '../../src/services/matching/match-ids.js'
import { createPseudonyms } from '../../src/services/trust/pseudonyms.js'
import { webhookPlans } from '../../src/services/webhooks/webhook-plan.js'
import { webhookSending } from '../../src/services/webhooks/webhook-sending.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { createDeadlineStore } from '../../src/store/cases/deadlines.js'
import { createImageStore } from '../../src/store/images/images.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { createBankStore } from '../../src/store/organisations/banks.js'
import { connectForFollowing, connectForWaiting, openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { keyringFrom } from '../../src/store/sealing/seal.js'
import { missingKeys, noteActive } from '../../src/store/sealing/seal-ring.js'
import { createDeliveryStore } from '../../src/store/webhooks/deliveries.js'
import { createWaitingEventStore } from '../../src/store/webhooks/waiting-events.js'
import { createWebhookStore, type Webhook } from '../../src/store/webhooks/webhooks.js'
import { deliverWebhooks } from '../../workers/deliver-webhook.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { until } from '../helpers/service.js'
import { startEndpoint } from '../helpers/webhooks.js'

const OLD = { label: 'k1', secret: Buffer.alloc(32, 1) }
const NEW = { label: 'k2', secret: Buffer.alloc(32, 2) }
const SECRET = Buffer.alloc(32, 9)

/** A store in which two keys are in use, and messengers that have only the old one until they are given the new one. */
async function world(t: Test) {
  const redis = await startRedis(t)
  const target = storeAt(redis.socket)
  const store = await openStore(target)
  t.teardown(() => store.close())
  const endpoint = await startEndpoint(t)
  const before = keyringFrom(() => [OLD])
  const after = keyringFrom(() => [NEW, OLD])
  await noteActive(store, before)
  await noteActive(store, after)
  let ring = [OLD]
  const lines: string[] = []

  function startMessenger() {
    let clockMs = 0
    const keyring = keyringFrom(
      () => ring,
      () => (clockMs += 2000), // a key ring that lacks a key is read again each time
    )
    const webhooks = createWebhookStore(store, keyring)
    const deliveries = createDeliveryStore(store)
    const isSubscribed = async () => true
    const connection = connectForWaiting(target)
    const delivering = deliverWebhooks({
      connection,
      follower: connectForFollowing(target),
      deliveries,
      waitingEvents: createWaitingEventStore(store),
      webhooks,
      missingKeys: async () => (await missingKeys(store, keyring)).map(({ label }) => label),
      planOf: webhookPlans({
        webhooks,
        images: createImageStore(store, keyring),
        cases: createCaseStore(store),
        banks: createBankStore(store),
        apiKeys: createApiKeyStore(store),
        deadlines: createDeadlineStore(store),
        matchIds: createMatchIds(SECRET),
        pseudonymOf: createPseudonyms(SECRET),
        isSubscribed,
        now: Date.now,
      }),
      sendTo: webhookSending({
        webhooks,
        deliveries,
        send: createOutgoing({ trusted: new Set([endpoint.origin]) }),
        isSubscribed,
        stillMatching: async () => true,
        mayLearn: async () => true,
        now: Date.now,
        random: () => 0,
        onError: ({ message }) => void lines.push(message),
      }),
      now: Date.now,
      warn: (line) => void lines.push(line),
    })
    return {
      async close() {
        await delivering.close()
        connection.disconnect()
      },
    }
  }

  async function addWebhook(keyring: typeof before): Promise<Webhook> {
    const webhook: Webhook = {
      webhookId: uuidV7(Date.now(), randomBytes(10)),
      orgId: uuidV7(Date.now(), randomBytes(10)),
      url: `${endpoint.url}/${randomBytes(4).toString('hex')}`,
      events: ['case.updated', 'signal.disputed'],
      isEnabled: true,
      maxPerSecond: 50,
      secrets: [{ secret: `whsec_${randomBytes(32).toString('base64')}`, untilMs: undefined }],
      createdAtMs: Date.now(),
    }
    await createWebhookStore(store, keyring).add(webhook)
    return webhook
  }

  const note = (...fields: (string | Buffer)[]) => store.ask((client) => client.xadd(keys.webhookOutbox, '*', ...fields))
  return {
    store,
    before,
    after,
    lines,
    startMessenger,
    addWebhook,
    note,
    waiting: createWaitingEventStore(store),
    giveKey() {
      ring = [NEW, OLD]
    },
    /** A case of an organisation; the event carries its own number as its number of pictures. */
    caseEvent: ({ orgId }: Webhook, caseId: string, count: number) =>
      note('kind', 'case.updated', 'org', orgId, 'case', caseId, 'event', 'registered', 'count', String(count), 'atMs', '1'),
    told: (caseId: string) =>
      endpoint.received.filter(({ body }) => body.data['caseId'] === caseId).map(({ body }) => body.data['images']),
    received: endpoint.received,
  }
}

t.test('events for a webhook under a missing key wait in order, and all others pass them', async (t) => {
  const { addWebhook, before, after, caseEvent, note, told, startMessenger, waiting, lines, giveKey, received } =
    await world(t)
  const readable = await addWebhook(before)
  const sealed = await addWebhook(after)
  await note('kind', 'webhook.ping', 'endpoint', sealed.webhookId)
  for (let i = 1; i <= 10; i++) await caseEvent(sealed, 'hers', i)
  await note('kind', 'webhook.ping', 'endpoint', sealed.webhookId)
  for (let i = 1; i <= 3; i++) await caseEvent(readable, 'others', i)

  const first = startMessenger()
  await until(() => told('others').length === 3)
  await until(async () => (await waiting.count()) === 12)
  t.same(told('others'), [1, 2, 3])
  t.same(told('hers'), [])
  t.same(lines.filter((line) => line.includes('k2')).length, 1, 'the operator is told once which key is missing')
  await first.close()

  // Another process takes over. New events queue behind the waiting ones, and the change of process reorders nothing.
  const second = startMessenger()
  for (let i = 11; i <= 13; i++) await caseEvent(sealed, 'hers', i)
  await caseEvent(readable, 'others', 4)
  await until(() => told('others').length === 4)
  await until(async () => (await waiting.count()) === 15)
  giveKey()
  await until(() => told('hers').length === 13)
  await until(async () => (await waiting.count()) === 0)
  t.same(
    told('hers'),
    Array.from({ length: 13 }, (_, i) => i + 1),
  )
  t.equal(received.filter(({ body }) => body.type === 'webhook.ping').length, 2)
  await until(() => lines.includes('All waiting events could be turned into deliveries again.'))
  await second.close()
})

t.test('an event about an image under a missing key waits, for each of its webhooks', async (t) => {
  const { addWebhook, before, after, store, note, startMessenger, waiting, giveKey, received, caseEvent, told } =
    await world(t)
  const webhook = await addWebhook(before)
  const id = '00000000-0000-8000-8000-000000000001'
  const hash = hashFromBytes(Buffer.alloc(32, 5))
  const image = { bank: 'b', tier: 'ngo-attested', category: undefined, ref: undefined, createdAtMs: 1 } as const
  await createImageStore(store, after).put([
    { id, image: { ...image, signals: [{ type: 'pdq', view: 'whole', quality: 1, hash }] } },
  ])
  const pseudonym = createPseudonyms(SECRET)(webhook.orgId, id)
  const idBytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  for (const atMs of ['1', '2'])
    await note('kind', 'signal.disputed', 'image', idBytes, 'pseudonyms', pseudonym, 'atMs', atMs)
  await note('kind', 'not.known.yet', 'org', webhook.orgId)
  await caseEvent(webhook, 'a', 1)

  const messenger = startMessenger()
  await until(() => told('a').length === 1)
  await until(async () => (await waiting.count()) === 3)
  giveKey()
  await until(() => received.filter(({ body }) => body.type === 'signal.disputed').length === 2)
  t.same(
    received.flatMap(({ body }) => (body.type === 'signal.disputed' ? [Date.parse(body.timestamp)] : [])),
    [1, 2],
  )
  t.equal(await waiting.count(), 1, 'an event of a newer version waits for a newer messenger')
  await messenger.close()
})
