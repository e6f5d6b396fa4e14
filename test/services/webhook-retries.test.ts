// What happens to messages whose endpoint fails, refuses, is slow or is gone.

import t from 'tap'
import { MAX_IN_FLIGHT, nextAttemptAtMs, pauseMs } from '../../src/domain/organisations/webhook.js'
import { DAY_MS, LONG_MS, START_MS, startWebhookSending } from '../helpers/webhook-sending.js'

const { deliveries, webhooks, world } = await startWebhookSending(t)

t.test('days without a running messenger do not make a message dead', async (t) => {
  const { make, send, received, answer, pass, stateOf, now } = await world(t)
  answer(() => 500)
  await make({ id: 'a' })
  await send()
  pass(5 * DAY_MS)
  const againAtMs = await send()
  t.match(await stateOf('a'), { state: 'waiting', attempts: 2 })
  answer(() => 200)
  pass((againAtMs ?? now()) - now() + 1)
  await send()
  t.match(await stateOf('a'), { state: 'delivered' })
  t.equal(received.length, 3)
})

t.test('a message that fails for three days is dead, is listed, and is sent again on request', async (t) => {
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
  const attempts = received.filter(({ id }) => id === 'a').length
  t.ok(attempts >= 10 && attempts < 20, `${attempts} attempts`)
  t.match(await stateOf('b'), { state: 'waiting' }, 'the next about the same subject had to wait')
  t.same(
    (await deliveries.list(webhookId, ['dead'], { after: undefined, limit: 10 }, now())).deliveries.map(({ id }) => id),
    ['a'],
  )

  answer(() => 200)
  t.equal(await deliveries.replay(webhookId, 'a', now()), true)
  t.equal(await deliveries.replay(webhookId, 'a', now()), true, 'a second request changes nothing')
  t.equal(await deliveries.replay(webhookId, 'none', now()), false)
  for (let i = 0; i < 5; i++) {
    await send()
    pass(12 * 3_600_000)
  }
  t.match(await stateOf('a'), { state: 'delivered', attempts: 1 })
  t.same(
    received.slice(-2).map(({ id }) => id),
    ['b', 'a'],
    'behind those that waited',
  )
})

t.test('a failing endpoint gets one message at a time, less and less often', async (t) => {
  const { make, send, received, answer, pass } = await world(t)
  answer(() => 500)
  await make(...Array.from({ length: 40 }, (_, i) => ({ id: `${i}`, subject: `${i}` })))
  await send()
  t.equal(received.length, MAX_IN_FLIGHT, 'the failure was not known yet')
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

t.test('silence, redirects and refusals are failures; an endpoint that answers 410 is disabled', async (t) => {
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
  const heard = () => received.map(({ id }) => id).filter((id) => id !== 'hang') // the hanging one may be given up before it is read
  t.same(heard(), ['redirect'], 'the redirect was not followed')

  pass(2400)
  await make({ id: 'gone', subject: 'gone' })
  await send()
  t.match(await stateOf('gone'), { state: 'dead', status: 410 })
  t.equal((await webhooks.get(webhookId))?.isEnabled, false)
  pass(DAY_MS)
  t.equal(await send(), undefined)
  t.same(heard(), ['redirect', 'gone'], 'it is left alone')
})

t.test('the rate of an endpoint is not exceeded, and its Retry-After is honoured', async (t) => {
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
  t.equal((waiting?.nextAttemptAtMs ?? 0) - START_MS - 2000, 900_000)
  const asked = { attempts: 1, firstAttemptAtMs: 0, nowMs: 0, random: 0, askedWaitMs: Number.POSITIVE_INFINITY }
  t.equal(nextAttemptAtMs(asked), 3_600_000, 'up to an hour')
})

t.test('a clock that was a day ahead and was set back delays no message by a day', async (t) => {
  const { make, send, answer, pass, stateOf, received, webhookId } = await world(t, { maxPerSecond: 2 })
  pass(DAY_MS)
  answer(() => 500)
  await make(...['failed', 'second', 'third'].map((id) => ({ id, subject: id })))
  await send()
  await deliveries.claim(webhookId, { leaseMs: 60_000, maxPerSecond: 2 }, START_MS + DAY_MS + 60_000) // by a process that dies
  answer(() => 200)
  pass(-DAY_MS)
  for (let i = 0; i < 10; i++) {
    await make({ id: `new ${i}`, subject: `new ${i}` })
    await send()
    pass(1000)
  }
  for (const id of ['failed', 'second', 'third', 'new 9']) t.match(await stateOf(id), { state: 'delivered' }, id)
  t.ok(received.length >= 14)
})

t.test('a 410 after the owner has changed the address does not disable the endpoint', async (t) => {
  const { make, send, stateOf, answer, webhookId, url, received, beforeNextChange } = await world(t)
  answer(() => 410)
  await make({ id: 'a' })
  beforeNextChange(async () => {
    answer(() => 200)
    await webhooks.change(webhookId, (before) => ({ ...before, url: `${url}/elsewhere` }))
  })
  await send()
  t.match(await webhooks.get(webhookId), { isEnabled: true, url: `${url}/elsewhere` })
  t.match([received.length, await stateOf('a')], [2, { state: 'delivered', attempts: 1 }])
})
