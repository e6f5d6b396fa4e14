// Which messages reach an endpoint: each once, signed, sealed while it waits, and none after a withdrawal.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { MAX_IN_FLIGHT } from '../../src/domain/organisations/webhook.js'
import { keys } from '../../src/store/redis/keys.js'
import { DAY_MS, START_MS, startWebhookSending } from '../helpers/webhook-sending.js'
import { verified } from '../helpers/webhooks.js'

const { deliveries, store, webhooks, world } = await startWebhookSending(t)

t.test('a message is signed by the specification, and its id is the same in every try', async (t) => {
  const { make, send, received, answer, webhook, stateOf, pass } = await world(t)
  answer(() => (received.length === 1 ? 500 : 200))
  await make({ id: 'a' })
  const againAtMs = await send()
  t.equal(againAtMs, START_MS + 5000)
  t.same(await deliveries.failing(), [{ webhookId: webhook.webhookId, failingSinceMs: START_MS }])
  t.match(await stateOf('a'), { state: 'waiting', attempts: 1, status: 500, failure: 'answer' })
  pass(5000)
  t.equal(await send(), undefined)

  t.match(await stateOf('a'), { state: 'delivered', attempts: 2, status: 200, failure: undefined })
  t.same(await deliveries.failing(), [])
  t.same(
    received.map(({ id }) => id),
    ['a', 'a'],
  )
  const [first] = received
  t.equal(first?.headers['content-type'], 'application/json')
  // The library's clock is the real one; the signature has the time of sending.
  if (first !== undefined) t.throws(() => verified(webhook.secrets[0]?.secret ?? '', first), /timestamp/)
})

t.test('a message cannot be forged, changed, replayed later or passed off as another', async (t) => {
  const { make, send, received, webhook, now } = await world(t)
  const other = await world(t)
  await make({ id: 'a' })
  await send()
  const [message] = received
  const secret = webhook.secrets[0]?.secret ?? ''
  if (message === undefined) throw new Error('a message arrived')
  /** As a receiver sees it whose clock shows `atMs`. */
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
  t.notOk(isValid({}, message.text.slice(0, -1)), 'a cut body')
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

t.test('an event becomes one delivery, however often it is read; only the lease holder makes deliveries', async (t) => {
  const { make, send, received, webhookId } = await world(t)
  t.equal(await make({ id: 'a' }), 1)
  t.equal(await make({ id: 'a' }), 0)
  const entry = { source: 'outbox', id: '9-9', fields: new Map() } as const
  t.equal(await deliveries.make('another', entry, []), undefined)
  t.equal(await make({ id: 'b', webhookId: uuidV7(START_MS, randomBytes(10)) }), 0, 'a removed webhook')
  await send()
  t.equal(received.length, 1)
  t.same(await deliveries.list(webhookId, ['waiting'], { after: undefined, limit: 10 }, START_MS), {
    deliveries: [],
    next: undefined,
  })
})

t.test('events about one subject arrive in order, whatever fails; other subjects do not wait for them', async (t) => {
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

t.test('a message for an organisation without a key is not sent, and keeps waiting', async (t) => {
  const { make, send, stateOf, deaf, webhook, received } = await world(t)
  deaf.add(webhook.orgId)
  await make({ id: 'held' })
  t.equal(await send(), undefined)
  t.match([received.length, await stateOf('held')], [0, { state: 'waiting', attempts: 0 }])
  deaf.clear()
  await send()
  t.match([received.length, await stateOf('held')], [1, { state: 'delivered' }])
})

t.test('an error on our side counts as no try, makes nothing dead and delays no other message', async (t) => {
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
  t.match(await stateOf('ours0'), { state: 'waiting', attempts: 0, failure: undefined })
  t.same(await deliveries.health(webhookId), { failures: 0, failingSinceMs: undefined })
  t.notOk((await deliveries.failing()).some((each) => each.webhookId === webhookId))
  broken.clear()
  await send()
  t.equal(received.length, 1 + subjects.length)
})

t.test('a message overtaken by a withdrawal is not sent', async (t) => {
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

t.test(
  'a message about a case is not sent, nor sent again, once its receiver may no longer learn of the case',
  async (t) => {
    const { make, send, received, stateOf, closed, webhookId, answer, pass } = await world(t)
    answer(() => 503)
    await make({ id: 'a', subject: 'a', caseId: 'x' }, { id: 'b', subject: 'b', caseId: 'y' })
    await send()
    const tried = received.length
    closed.add('x')
    answer(() => 204)
    for (let i = 0; i < 5; i++) {
      pass(60_000)
      await send()
    }
    t.match([await stateOf('a'), await stateOf('b')], [{ state: 'void' }, { state: 'delivered' }])
    t.same(
      received.slice(tried).map(({ id }) => id),
      ['b'],
    )
    t.equal(await deliveries.replay(webhookId, 'a', START_MS), false)
  },
)

t.test('a message claimed by a dead process is sent again, and a settled one stays settled', async (t) => {
  const { make, send, received, stateOf, pass, webhookId, now } = await world(t)
  await make({ id: 'a' })
  const claimed = await deliveries.claim(webhookId, { leaseMs: 30_000, maxPerSecond: 50 }, now())
  t.same(claimed.ids, ['a'])
  t.equal(await send(), START_MS + 30_000)
  t.equal(received.length, 0, 'it is on its way')
  pass(30_000)
  await send()
  t.equal(received.length, 1)
  await deliveries.settle(webhookId, 'a', { state: 'waiting', nextAttemptAtMs: now(), failure: 'timed-out' }, now())
  t.match(await stateOf('a'), { state: 'delivered' })
  t.equal(await send(), undefined)
})

t.test('removing an endpoint erases all of its messages', async (t) => {
  const { make, webhookId, webhook, send } = await world(t)
  await make({ id: 'a', subject: 'a' }, { id: 'b', subject: 'b' }, { id: 'c', subject: 'b' })
  await webhooks.remove(webhook)
  await webhooks.remove(webhook)
  t.equal(await send(), undefined)
  const left = await store.ask((client) => client.keys(`*${webhookId}*`))
  t.same(left, [])
  t.equal(await webhooks.get(webhookId), undefined)
})

t.test('the address and the secret of a webhook are stored sealed', async (t) => {
  const { webhook, url } = await world(t)
  const stored = await store.ask((client) => client.hgetall('{tabir}:webhooks'))
  const text = JSON.stringify(stored)
  for (const secret of [url, webhook.orgId, webhook.secrets[0]?.secret ?? '']) t.notOk(text.includes(secret))
})

t.test('a message or picture that cannot be read does not delay other messages', async (t) => {
  const { make, send, received, broken, troubles, stateOf, webhookId, pass } = await world(t)
  broken.add('broken')
  await make(
    { id: 'unreadable', subject: 'a' },
    { id: 'broken', subject: 'b', imageId: 'broken' },
    { id: 'behind', subject: 'a' },
    { id: 'other', subject: 'c' },
  )
  await store.ask((redis) => redis.hset(keys.webhookDelivery(webhookId, 'unreadable'), 'attempts', 'none'))
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
  t.match(await stateOf('for ever'), { state: 'waiting', attempts: 0 }, 'an error on our side does not make it dead')
  const unreadable = await store.ask((redis) => redis.hget(keys.webhookDelivery(webhookId, 'unreadable'), 'state'))
  t.equal(unreadable, 'void', 'a malformed message is void')
})
