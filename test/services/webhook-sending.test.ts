// What becomes of messages when their endpoints do what endpoints do. The clock is the test's, so three days pass in a second.

import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { uuidV7 } from '../../src/domain/ids.js'
import { MAX_IN_FLIGHT, nextTryAtMs, pauseMs } from '../../src/domain/organisations/webhook.js'
import { createOutgoing } from '../../src/net/outgoing.js'
import { webhookSending } from '../../src/services/webhooks/webhook-sending.js'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { makeKeyring, SealError } from '../../src/store/sealing/seal.js'
import { createDeliveryStore, type NewDelivery } from '../../src/store/webhooks/deliveries.js'
import { createWebhookStore, type Webhook } from '../../src/store/webhooks/webhooks.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { startEndpoint, verified } from '../helpers/webhooks.js'

const redis = await startRedis(t)
const store = await openStore(storeAt(redis.socket))
t.teardown(() => store.close())
const webhooks = createWebhookStore(store, makeKeyring([Buffer.alloc(32, 7)]))
const deliveries = createDeliveryStore(store)
const HOLDER = 'this test'
const DAY_MS = 86_400_000
const START_MS = 1_800_000_000_000

/** Done once, before the sender changes a webhook. */
let beforeChange: (() => Promise<void>) | undefined

/** What is answered is answered by then, on whatever machine. */
const LONG_MS = 60_000

async function world(t: Test, more: Partial<Webhook> = {}) {
  const endpoint = await startEndpoint(t)
  let nowMs = START_MS
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
    troubles,
    make,
    send: () => send(webhookId),
    stateOf,
    pass: (ms: number) => {
      nowMs += ms
    },
    now: () => nowMs,
    /** How long an endpoint has from here on. */
    allow: (ms: number) => {
      timeoutMs = ms
    },
  }
}

t.test('a message is signed as the specification says, and its id stays the same from try to try', async (t) => {
  const { make, send, received, answer, webhook, stateOf, pass } = await world(t)
  answer(() => (received.length === 1 ? 500 : 200))
  await make({ id: 'a' })
  const againAtMs = await send()
  t.equal(againAtMs, START_MS + 5000)
  t.same(await deliveries.failing(), [{ webhookId: webhook.webhookId, failingSinceMs: START_MS }])
  t.match(await stateOf('a'), { state: 'waiting', tries: 1, status: 500, failure: 'answer' })
  pass(5000)
  t.equal(await send(), undefined)

  t.match(await stateOf('a'), { state: 'delivered', tries: 2, status: 200, failure: undefined })
  t.same(await deliveries.failing(), [])
  t.same(
    received.map(({ id }) => id),
    ['a', 'a'],
  )
  const [first] = received
  t.equal(first?.headers['content-type'], 'application/json')
  // The library's clock is the real one; the signature is of what was sent.
  if (first !== undefined) t.throws(() => verified(webhook.secrets[0]?.secret ?? '', first), /timestamp/)
})

t.test('a message cannot be forged, changed, sent again later or passed off as another', async (t) => {
  const { make, send, received, webhook, now } = await world(t)
  const other = await world(t)
  await make({ id: 'a' })
  await send()
  const [message] = received
  const secret = webhook.secrets[0]?.secret ?? ''
  if (message === undefined) throw new Error('a message arrived')
  /** As a receiver has it whose clock says `atMs`. */
  const isValid = (changed: Record<string, string> = {}, text = message.text, by = secret, atMs = now()) => {
    const real = Date.now
    Date.now = () => atMs
    try {
      verified(by, { ...message, text, headers: { ...message.headers, ...changed } })
      return true
    } catch {
      return false
    } finally {
      Date.now = real
    }
  }
  t.ok(isValid())
  const signature = String(message.headers['webhook-signature'])
  t.notOk(isValid({}, message.text.replace('{', '{ ')), 'a changed body')
  t.notOk(isValid({}, message.text.slice(0, -1)), 'one that is cut')
  t.notOk(isValid({ 'webhook-id': 'b' }), 'as another message')
  t.notOk(isValid({ 'webhook-timestamp': String(Math.floor(now() / 1000) + 60) }), 'as a later one')
  t.notOk(isValid({}, message.text, secret, now() + 600_000), 'again, ten minutes later')
  t.notOk(isValid({}, message.text, other.webhook.secrets[0]?.secret), 'to another webhook')
  for (const forged of [
    '',
    'v1,',
    signature.slice(0, -4),
    signature.replace('v1,', 'v1a,'),
    signature.replace('v1,', 'none,'),
  ])
    t.notOk(isValid({ 'webhook-signature': forged }), forged)
})

t.test('the same event becomes a delivery once, however often it is read; only its holder makes any', async (t) => {
  const { make, send, received, webhookId } = await world(t)
  t.equal(await make({ id: 'a' }), 1)
  t.equal(await make({ id: 'a' }), 0)
  const entry = { source: 'outbox', id: '9-9', fields: new Map() } as const
  t.equal(await deliveries.make('another', entry, []), undefined)
  t.equal(await make({ id: 'b', webhookId: uuidV7(START_MS, randomBytes(10)) }), 0, 'a webhook that is gone')
  await send()
  t.equal(received.length, 1)
  t.same(await deliveries.list(webhookId, ['waiting'], { after: undefined, limit: 10 }, START_MS), {
    deliveries: [],
    next: undefined,
  })
})

t.test('events about one subject arrive in their order, whatever fails; other subjects do not wait for them', async (t) => {
  const { make, send, received, answer, pass } = await world(t)
  answer(({ id }) => (id === 'a1' && received.filter((one) => one.id === 'a1').length < 4 ? 503 : 200))
  await make({ id: 'a1', subject: 'a' }, { id: 'a2', subject: 'a' }, { id: 'b1', subject: 'b' }, { id: 'a3', subject: 'a' })
  for (let i = 0; i < 40 && received.at(-1)?.id !== 'a3'; i++) {
    await send()
    pass(60_000)
  }

  const ids = received.map(({ id }) => id)
  t.same(
    ids.filter((id) => id !== 'b1'),
    ['a1', 'a1', 'a1', 'a1', 'a2', 'a3'],
  )
  t.ok(ids.indexOf('b1') < ids.lastIndexOf('a1'), 'another subject went before')
})

t.test('the days in which no messenger ran do not make a message dead', async (t) => {
  const { make, send, received, answer, pass, stateOf, now } = await world(t)
  answer(() => 500)
  await make({ id: 'a' })
  await send()
  pass(5 * DAY_MS)
  const againAtMs = await send()
  t.match(await stateOf('a'), { state: 'waiting', tries: 2 })
  answer(() => 200)
  pass((againAtMs ?? now()) - now() + 1)
  await send()
  t.match(await stateOf('a'), { state: 'delivered' })
  t.equal(received.length, 3)
})

t.test('what fails for three days is dead, can be seen, and is sent once more when somebody asks for it', async (t) => {
  const { make, send, received, answer, pass, stateOf, webhookId, now } = await world(t)
  answer(() => 500)
  await make({ id: 'a' }, { id: 'b' })
  const waits: number[] = []
  for (let i = 0; i < 100 && (await stateOf('a'))?.state === 'waiting'; i++) {
    const againAtMs = await send()
    waits.push((againAtMs ?? now()) - now())
    pass(Math.max(againAtMs ?? 0, now() + 1) - now())
  }

  t.match(await stateOf('a'), { state: 'dead', failure: 'answer' })
  t.ok(now() - START_MS >= 3 * DAY_MS && now() - START_MS < 3.6 * DAY_MS, 'three days')
  const tries = received.filter(({ id }) => id === 'a').length
  t.ok(tries >= 10 && tries < 20, `${tries} tries`)
  t.match(await stateOf('b'), { state: 'waiting' }, 'the next about the same subject had to wait')
  t.same(
    (await deliveries.list(webhookId, ['dead'], { after: undefined, limit: 10 }, now())).deliveries.map(({ id }) => id),
    ['a'],
  )

  answer(() => 200)
  t.equal(await deliveries.replay(webhookId, 'a', now()), true)
  t.equal(await deliveries.replay(webhookId, 'a', now()), true, 'asking twice is asking once')
  t.equal(await deliveries.replay(webhookId, 'none', now()), false)
  for (let i = 0; i < 5; i++) {
    await send()
    pass(12 * 3_600_000)
  }
  t.match(await stateOf('a'), { state: 'delivered', tries: 1 })
  t.same(
    received.slice(-2).map(({ id }) => id),
    ['b', 'a'],
    'behind what waited',
  )
})

t.test('an endpoint that fails is asked by one message at a time, less and less often', async (t) => {
  const { make, send, received, answer, pass } = await world(t)
  answer(() => 500)
  await make(...Array.from({ length: 40 }, (_, i) => ({ id: `${i}`, subject: `${i}` })))
  await send()
  t.equal(received.length, MAX_IN_FLIGHT, 'nobody knew yet')
  const atMs: number[] = []
  for (let second = 0; second < 180; second++) {
    pass(1000)
    const before = received.length
    await send()
    if (received.length > before) atMs.push(second)
    t.ok(received.length - before <= 1)
  }
  t.ok(atMs.length <= 10, `${atMs.length} times in three minutes`)
  t.equal(pauseMs(1), 1000)
  t.equal(pauseMs(1000), 60_000)

  answer(() => 200)
  pass(DAY_MS)
  await send()
  await send()
  t.equal(new Set(received.slice(-40).map(({ id }) => id)).size, 40, 'all arrive once it works again')
})

t.test('silence, redirects and refusals are failures; an endpoint that says it is gone is switched off', async (t) => {
  const { make, send, received, answer, stateOf, pass, webhookId, origin, allow } = await world(t)
  const answers = { hang: 'silence', redirect: { status: 307, headers: { location: `${origin}/elsewhere` } } } as const
  answer(({ id }) => (id in answers ? answers[id as keyof typeof answers] : 410))
  await make({ id: 'hang', subject: 'hang' })
  allow(100)
  await send()
  t.match(await stateOf('hang'), { state: 'waiting', failure: 'timed-out', status: undefined })

  allow(LONG_MS)
  pass(2400)
  await make({ id: 'redirect', subject: 'redirect' })
  await send()
  t.match(await stateOf('redirect'), { state: 'waiting', failure: 'answer', status: 307 })
  const heard = () => received.map(({ id }) => id).filter((id) => id !== 'hang') // which may be given up before it was read
  t.same(heard(), ['redirect'], 'nobody followed it')

  pass(2400)
  await make({ id: 'gone', subject: 'gone' })
  await send()
  t.match(await stateOf('gone'), { state: 'dead', status: 410 })
  t.equal((await webhooks.get(webhookId))?.isEnabled, false)
  pass(DAY_MS)
  t.equal(await send(), undefined)
  t.same(heard(), ['redirect', 'gone'], 'and is left alone')
})

t.test('no more are sent in a second than the endpoint wants, and what the receiver asks for is waited for', async (t) => {
  const { make, send, received, answer, pass, stateOf } = await world(t, { maxPerSecond: 3 })
  await make(...Array.from({ length: 10 }, (_, i) => ({ id: `${i}`, subject: `${i}` })))
  const againAtMs = await send()
  t.equal(received.length, 3)
  t.equal(againAtMs, START_MS + 334)
  pass(1000)
  await send()
  t.equal(received.length, 6)

  answer(() => ({ status: 429, headers: { 'retry-after': '900' } }))
  pass(1000)
  await send()
  const waiting = await stateOf(received.at(-1)?.id ?? '')
  t.equal((waiting?.nextTryAtMs ?? 0) - START_MS - 2000, 900_000)
  const asked = { tries: 1, firstTryAtMs: 0, nowMs: 0, random: 0, askedWaitMs: Number.POSITIVE_INFINITY }
  t.equal(nextTryAtMs(asked), 3_600_000, 'within reason')
})

t.test('what waits for an organisation that has no key any more is not sent, and goes on waiting', async (t) => {
  const { make, send, stateOf, deaf, webhook, received } = await world(t)
  deaf.add(webhook.orgId)
  await make({ id: 'held' })
  t.equal(await send(), undefined)
  t.match([received.length, await stateOf('held')], [0, { state: 'waiting', tries: 0 }])
  deaf.clear()
  await send()
  t.match([received.length, await stateOf('held')], [1, { state: 'delivered' }])
})

t.test('what goes wrong on our side counts as no try, makes nothing dead and holds up no other message', async (t) => {
  const { make, send, stateOf, broken, pass, received, webhookId } = await world(t)
  const subjects = Array.from({ length: 2 * MAX_IN_FLIGHT }, (_, i) => `ours${i}`)
  for (const id of subjects) broken.add(id)
  await make(...subjects.map((id) => ({ id, subject: id, imageId: id })), { id: 'other', subject: 'other' })
  for (let day = 0; day < 5; day++) {
    await send()
    pass(DAY_MS)
  }
  t.same(
    received.map(({ id }) => id),
    ['other'],
  )
  t.match(await stateOf('ours0'), { state: 'waiting', tries: 0, failure: undefined })
  t.same(await deliveries.health(webhookId), { failures: 0, failingSinceMs: undefined })
  t.notOk((await deliveries.failing()).some((each) => each.webhookId === webhookId))
  broken.clear()
  await send()
  t.equal(received.length, 1 + subjects.length)
})

t.test('an endpoint that says it is gone after its owner has moved it is not switched off', async (t) => {
  const { make, send, stateOf, answer, webhookId, url, received } = await world(t)
  answer(() => 410)
  await make({ id: 'a' })
  beforeChange = async () => {
    beforeChange = undefined
    answer(() => 200)
    await webhooks.change(webhookId, (before) => ({ ...before, url: `${url}/elsewhere` }))
  }
  await send()
  t.match(await webhooks.get(webhookId), { isEnabled: true, url: `${url}/elsewhere` })
  t.match([received.length, await stateOf('a')], [2, { state: 'delivered', tries: 1 }])
})

t.test('what is overtaken by a withdrawal is not sent', async (t) => {
  const { make, send, received, stateOf, gone, webhookId } = await world(t)
  await make({ id: 'a', imageId: 'x' }, { id: 'b', imageId: 'y' })
  gone.add('x')
  await send()
  t.match(await stateOf('a'), { state: 'void' })
  t.same(
    received.map(({ id }) => id),
    ['b'],
  )
  t.equal(await deliveries.replay(webhookId, 'a', START_MS), false)
})

t.test('what a process took and died with comes back; what another one settled stays settled', async (t) => {
  const { make, send, received, stateOf, pass, webhookId, now } = await world(t)
  await make({ id: 'a' })
  const claimed = await deliveries.claim(webhookId, { leaseMs: 30_000, maxPerSecond: 50 }, now())
  t.same(claimed.ids, ['a'])
  t.equal(await send(), START_MS + 30_000)
  t.equal(received.length, 0, 'it is on its way')
  pass(30_000)
  await send()
  t.equal(received.length, 1)
  await deliveries.settle(webhookId, 'a', { state: 'waiting', nextTryAtMs: now(), failure: 'timed-out' }, now())
  t.match(await stateOf('a'), { state: 'delivered' })
  t.equal(await send(), undefined)
})

t.test('with an endpoint all of it goes', async (t) => {
  const { make, webhookId, webhook, send } = await world(t)
  await make({ id: 'a', subject: 'a' }, { id: 'b', subject: 'b' }, { id: 'c', subject: 'b' })
  await webhooks.remove(webhook)
  await webhooks.remove(webhook)
  t.equal(await send(), undefined)
  const left = await store.ask((client) => client.keys(`*${webhookId}*`))
  t.same(left, [])
  t.equal(await webhooks.get(webhookId), undefined)
})

t.test('an address and a secret lie sealed', async (t) => {
  const { webhook, url } = await world(t)
  const stored = await store.ask((client) => client.hgetall('{tabir}:webhooks'))
  const text = JSON.stringify(stored)
  for (const secret of [url, webhook.orgId, webhook.secrets[0]?.secret ?? '']) t.notOk(text.includes(secret))
})

t.test('a message that cannot be read, and one whose picture cannot be, keep no others waiting', async (t) => {
  const { make, send, received, broken, troubles, stateOf, webhookId, pass } = await world(t)
  broken.add('broken')
  await make(
    { id: 'unreadable', subject: 'a' },
    { id: 'broken', subject: 'b', imageId: 'broken' },
    { id: 'behind', subject: 'a' },
    { id: 'other', subject: 'c' },
  )
  await store.ask((redis) => redis.hset(keys.webhookDelivery(webhookId, 'unreadable'), 'tries', 'none'))
  await send()
  t.same(received.map(({ id }) => id).toSorted(), ['behind', 'other'])
  t.match(troubles, [/2 of 3 messages to a webhook failed/])
  const { deliveries: listed } = await deliveries.list(
    webhookId,
    ['waiting', 'delivered'],
    { after: undefined, limit: 10 },
    START_MS,
  )
  t.same(listed.map(({ id }) => id).toSorted(), ['behind', 'broken', 'other'])

  pass(60_000)
  broken.delete('broken')
  await send()
  t.match(await stateOf('broken'), { state: 'delivered' }, 'it was tried again')

  broken.add('for ever')
  await make({ id: 'for ever', imageId: 'for ever' })
  pass(4 * DAY_MS)
  await send()
  t.match(await stateOf('for ever'), { state: 'waiting', tries: 0 }, 'and is not given up for a reason of ours')
  const unreadable = await store.ask((redis) => redis.hget(keys.webhookDelivery(webhookId, 'unreadable'), 'state'))
  t.equal(unreadable, 'void', 'while what is no message, and never will be one, is')
})
