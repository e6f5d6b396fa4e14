// An endpoint that is down for longer than messages can wait learns of each withdrawal: by its message, or by the one that stands for all others.

import t from 'tap'
import { EVENTS_MISSED } from '../../src/domain/organisations/webhook.js'
import { WEBHOOK_PAYLOADS } from '../../src/services/webhooks/webhook-payloads.js'
import { keys } from '../../src/store/redis/keys.js'
import { pingWebhook } from '../../src/store/scripts/organisations/webhooks.js'
import { createEventStore } from '../../src/store/webhooks/events.js'
import { DAY_MS, START_MS, startWebhookSending } from '../helpers/webhook-sending.js'

const limits = { deliveries: 8, withdrawals: 6, ofSubject: 3 }
const { deliveries, store, world } = await startWebhookSending(t, limits)

/** Withdrawals of different signals. */
const withdrawals = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `w${from + i}`, subject: `s${from + i}`, type: 'signal.withdrawn' }))
const typeOf = ({ text }: { readonly text: string }) => (JSON.parse(text) as { type: string }).type

t.test(
  'withdrawals beyond the bound become one message, that is sent first, once; none that waits is deleted',
  async (t) => {
    const { make, send, received, answer, pass, webhookId, now } = await world(t)
    answer(() => 503)
    await make(...withdrawals(0, 5))
    await send()
    t.same(await deliveries.missing(), [])
    pass(1000)
    for (let i = 5; i < 30; i++) await make(...withdrawals(i, 1))
    const since = START_MS + 1000
    t.match(await deliveries.health(webhookId), { missedSinceMs: since }, 'the webhook shows it')
    t.same(await deliveries.missing(), [{ webhookId, missedSinceMs: since }], 'and the metric')
    const events = await createEventStore(store).list(undefined, 100)
    t.match(events, [{ kind: EVENTS_MISSED, about: { webhookId } }], 'the operator is told once')
    const waiting = await deliveries.list(webhookId, ['waiting'], { after: undefined, limit: 100 }, now())
    t.same(waiting.deliveries.map(({ id }) => id).sort(), ['w0', 'w1', 'w2', 'w3', 'w4', 'w5'])

    answer(() => 200)
    received.length = 0
    pass(60_000)
    for (let i = 0; i < 6; i++) {
      await send()
      pass(60_000)
    }
    const [first, second, ...others] = received
    t.match(first?.id, /^w/, 'the first shows that the endpoint is back')
    t.equal(second && typeOf(second), EVENTS_MISSED, 'the next stands for 24 others')
    const schema = WEBHOOK_PAYLOADS.find(({ type }) => type === EVENTS_MISSED)?.body
    t.match(schema?.parse(JSON.parse(second?.text ?? '')), { data: { webhookId, since: new Date(since).toISOString() } })
    t.same([first, ...others].map((one) => one?.id).sort(), ['w0', 'w1', 'w2', 'w3', 'w4', 'w5'])
    t.match(await deliveries.health(webhookId), { missedSinceMs: undefined, failures: 0 })

    await make(...withdrawals(30, 1))
    await send()
    t.equal(received.at(-1)?.id, 'w30', 'later ones are sent one by one again')
  },
)

t.test('the message about missed events goes first also when it was tried in vain', async (t) => {
  const { make, send, received, answer, pass, webhookId } = await world(t)
  answer(() => 503)
  await make(...withdrawals(0, 20))
  await send()
  t.equal(received.map(typeOf)[0], EVENTS_MISSED, 'nothing had failed yet')
  t.match(await deliveries.health(webhookId), { missedSinceMs: START_MS }, 'shown until it is delivered')
  pass(1000)
  await make(...withdrawals(20, 1))
  answer(() => 200)
  received.length = 0
  pass(60_000)
  await send()
  t.match(
    JSON.parse(received[1]?.text ?? ''),
    { data: { since: new Date(START_MS + 1000).toISOString() } },
    'what was missed later',
  )
  t.same(received.map(typeOf), [
    EVENTS_MISSED,
    EVENTS_MISSED,
    ...Array.from({ length: limits.withdrawals }, () => 'webhook.ping'),
  ])
})

t.test('withdrawals leave room for other events, and many events about one subject for other subjects', async (t) => {
  const { make, webhookId, stateOf } = await world(t)
  await make(...withdrawals(0, 20), { id: 'found', subject: 'other', type: 'match.found' })
  t.match(await stateOf('found'), { state: 'waiting' })
  const other = await world(t)
  await other.make(...Array.from({ length: 9 }, (_, i) => ({ id: `of-one-${i}`, subject: 'one', type: 'case.updated' })))
  await other.make({ id: 'of-other', subject: 'other', type: 'case.updated' })
  const states = await Promise.all(['of-one-2', 'of-one-3', 'of-other'].map(other.stateOf))
  t.match(states, [{ state: 'waiting' }, undefined, { state: 'waiting' }])
  t.match(await deliveries.health(other.webhookId), { missedSinceMs: START_MS })
  t.match(await deliveries.health(webhookId), { missedSinceMs: START_MS })
})

t.test('finished messages make room, the oldest first, and none that waits again', async (t) => {
  const { make, send, stateOf, webhookId, now, pass } = await world(t)
  for (let i = 0; i < limits.deliveries; i++) {
    await make(...withdrawals(i, 1))
    await send()
    pass(1000)
  }
  t.match(await stateOf('w0'), { state: 'delivered' })
  await deliveries.replay(webhookId, 'w0', now())
  await make(...withdrawals(20, 3))
  t.match(await stateOf('w0'), { state: 'waiting' }, 'it is to be sent again')
  t.match([await stateOf('w1'), await stateOf('w7')], [undefined, { state: 'delivered' }])
  t.match(await deliveries.health(webhookId), { missedSinceMs: undefined })
})

t.test('of a million events that wait for the messenger the oldest are deleted, and every webhook is told', async (t) => {
  const { webhookId } = await world(t)
  const fill = "for i = 1, 100000 do redis.call('XADD', KEYS[1], '5-*', 'kind', 'wake') end"
  await store.ask((redis) => redis.del(keys.webhookOutbox))
  for (let i = 0; i < 10; i++) await store.ask((redis) => redis.eval(fill, 1, keys.webhookOutbox))
  await store.write(pingWebhook, [keys.webhooks], [webhookId, keys.prefix])
  t.equal(await store.ask((redis) => redis.xlen(keys.webhookOutbox)), 990_001)
  t.match(await deliveries.health(webhookId), { missedSinceMs: 5 })
  await store.ask((redis) => redis.del(keys.webhookOutbox))
})

t.test('withdrawals that failed for three days are reported as missed, and so is a failed report', async (t) => {
  const { make, send, received, answer, pass, stateOf, webhookId } = await world(t)
  answer(() => 500)
  await make(...withdrawals(0, 1), { id: 'other', subject: 'other', type: 'case.updated' })
  const isGivenUp = async (id: string) => (await stateOf(id))?.state === 'dead'
  for (let i = 0; i < 100 && !((await isGivenUp('w0')) && (await isGivenUp('other'))); i++) {
    await send()
    pass(DAY_MS / 4)
  }
  t.match([await stateOf('w0'), await stateOf('other')], [{ state: 'dead' }, { state: 'dead' }])
  t.equal(await deliveries.isWaiting(webhookId), true, 'nothing else waits, so the sweep looks at it')
  const toldOf = () => received.filter((one) => typeOf(one) === EVENTS_MISSED)
  for (let i = 0; i < 60; i++) {
    await send()
    pass(DAY_MS / 2)
  }
  t.ok(new Set(toldOf().map(({ id }) => id)).size > 1, 'given up too, and made again')
  answer(() => 200)
  for (let i = 0; i < 3; i++) {
    pass(DAY_MS)
    await send()
  }
  t.match(JSON.parse(toldOf().at(-1)?.text ?? ''), { data: { since: new Date(START_MS).toISOString() } })
  t.match(await deliveries.health(webhookId), { failures: 0, missedSinceMs: undefined })
})

t.test('subjects whose messages are gone delay no message', async (t) => {
  const { make, send, received, webhookId } = await world(t)
  await store.ask((redis) =>
    redis.zadd(keys.webhookSubjectQueues(webhookId), ...Array.from({ length: 2000 }, (_, i) => [1, `gone${i}`]).flat()),
  )
  await store.ask((redis) => redis.zremrangebyrank(keys.webhookSubjectQueues(webhookId), 0, -limits.deliveries + 2))
  await make({ id: 'a', subject: 'a' })
  t.equal(await send(), undefined, 'nothing is left after one call')
  t.same(
    received.map(({ id }) => id),
    ['a'],
  )
})
