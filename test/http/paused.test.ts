// A pause of an owner lasts until the owner or its own expiry ends it. An operator's release does not end it, and an earlier
// expiry does not end a renewed pause.

import t from 'tap'
import { HMA_SCOPES, hmaClient } from '../helpers/hma.js'
import { redisOf } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService } from '../helpers/service.js'
import { ask, matchesOf, operator, platform } from '../helpers/trust.js'

let nowMs = Date.UTC(2026, 5, 1)
const service = await startService(t, { now: () => nowMs })
const owner = await keyFor(service, 'owner', HMA_SCOPES, 'ngo')
const one = await platform(service, 'one')
const boss = await operator(service)
const redis = await redisOf(t, service)
const hma = hmaClient(service, owner.headers)
await hma('POST', '/c/banks', { name: 'MINE' })
await ask(service, 'PATCH', '/v1/banks/MINE', owner.headers, { readers: null }) // readable for everyone, because a bank made over HMA is hidden

const inS = (seconds: number) => nowMs / 1000 + seconds
const holdSchedule = () => redis.zcard('{tabir}:hold-schedule')

async function content() {
  const hash = randomHashText()
  const { id } = (await hma('POST', '/c/bank/MINE/signal', { pdq: hash })).body as { id: number }
  const url = `/c/bank/MINE/content/${id}`
  const signals = [{ type: 'pdq', hash, quality: 100 }]
  const handedIn = await ask(service, 'POST', '/v1/banks/MINE/signals', owner.headers, { signals })
  const signalId = handedIn.json<{ signals: { signalId: string }[] }>().signals[0]?.signalId ?? ''
  return {
    signalId,
    pause: (untilS: number) => hma('PUT', url, { disable_until_ts: untilS }),
    untilS: async () => (await hma('GET', url)).body,
    isFound: async () => (await matchesOf(service, one.headers, hash)).length > 0,
    hold: () => ask(service, 'POST', `/v1/signals/${signalId}/quarantine`, boss.headers),
    release: () => ask(service, 'DELETE', `/v1/signals/${signalId}/quarantine`, boss.headers),
    async decide(outcome: 'upheld' | 'rejected') {
      await ask(service, 'POST', `/v1/signals/${signalId}/dispute`, boss.headers, { reason: 'other' })
      await ask(service, 'POST', `/v1/signals/${signalId}/dispute/decision`, boss.headers, { outcome })
    },
  }
}

t.test('an operator’s release does not end the owner’s pause', async (t) => {
  for (const isPausedFirst of [true, false]) {
    const it = await content()
    const steps = [() => it.pause(0), it.hold]
    for (const step of isPausedFirst ? steps : steps.toReversed()) await step()
    t.match(await it.untilS(), { disable_until_ts: 0 }, 'the owner sees its pause')
    t.equal((await it.release()).statusCode, 200)
    t.notOk(await it.isFound(), `paused ${isPausedFirst ? 'before' : 'while'} it was held`)
    t.equal((await it.release()).statusCode, 409, 'the operator cannot end the pause')
    await it.pause(1)
    t.ok(await it.isFound())
  }
})

t.test('the end of an owner’s pause does not release what the operator holds', async (t) => {
  const it = await content()
  await it.pause(inS(10))
  await it.hold()
  nowMs += 10_000
  await service.services.contents.releaseDue()
  t.equal(await holdSchedule(), 0)
  t.match(await it.untilS(), { disable_until_ts: 0 }, 'shown as disabled without end')
  t.notOk(await it.isFound(), 'the operator’s hold remains')
  await it.release()
  t.match(await it.untilS(), { disable_until_ts: 1 })
  t.ok(await it.isFound())
})

t.test('what others hold or invalidated is shown as disabled without end, whatever its owner sets', async (t) => {
  const it = await content()
  await it.hold()
  t.match(await it.untilS(), { disable_until_ts: 0 })
  for (const untilS of [inS(10), 1]) {
    t.match((await it.pause(untilS)).body, { disable_until_ts: 0 })
    t.match(await it.untilS(), { disable_until_ts: 0 })
  }
  await it.release()
  t.match(await it.untilS(), { disable_until_ts: 1 })
  t.match((await it.pause(inS(10))).body, { disable_until_ts: inS(10) })
  await it.decide('upheld')
  t.match(await it.untilS(), { disable_until_ts: 0 }, 'invalidated while it was paused')
})

t.test('a pause that is renewed at the moment of its expiry lasts until its new end', async (t) => {
  for (let round = 0; round < 20; round++) {
    const it = await content()
    await it.pause(inS(10))
    nowMs += 10_000
    const untilS = inS(1000)
    await Promise.all([
      service.services.contents.releaseDue(),
      ...(round % 2 === 0 ? [service.services.contents.releaseDue()] : []),
      it.pause(untilS),
    ])
    t.notOk(await it.isFound())
    t.match(await it.untilS(), { disable_until_ts: untilS })
    nowMs += 999_000
    await service.services.contents.releaseDue()
    t.notOk(await it.isFound(), 'paused until the new end')
    nowMs += 1000
    await service.services.contents.releaseDue()
    t.ok(await it.isFound(), 'matching from the new end on')
  }
})

t.test('of several concurrent pauses one is kept, and it ends at its own time', async (t) => {
  const it = await content()
  const all = [10, 20, 30, 40].map(inS)
  await Promise.all(all.map((untilS) => it.pause(untilS)))
  const { disable_until_ts: untilS } = (await it.untilS()) as { disable_until_ts: number }
  t.ok(all.includes(untilS))
  t.same(await redis.zrange('{tabir}:hold-schedule', '0', '-1', 'WITHSCORES').then((flat) => flat.slice(1)), [
    String(untilS * 1000),
  ])
  nowMs = untilS * 1000
  await service.services.contents.releaseDue()
  t.ok(await it.isFound())
})

t.test('an invalidated signal leaves the expiry schedule, and reversing the decision restores its pause', async (t) => {
  const it = await content()
  await it.pause(inS(10))
  await it.decide('upheld')
  t.equal(await holdSchedule(), 0, 'no longer in the schedule')
  const takeBack = () => ask(service, 'DELETE', `/v1/signals/${it.signalId}/dispute/decision`, boss.headers)
  t.match((await takeBack()).json(), { circulation: 'held', heldFor: 'owner' })
  t.equal(await holdSchedule(), 1)
  nowMs += 10_000
  await service.services.contents.releaseDue()
  t.ok(await it.isFound())
})

t.test('removing a paused signal removes its entry in the expiry schedule', async (t) => {
  const it = await content()
  await it.pause(inS(10))
  await ask(service, 'DELETE', `/v1/banks/MINE/signals/${it.signalId}`, owner.headers)
  t.equal(await holdSchedule(), 0)
})

t.test('a case says what holds, also if a pause and a resumption pass each other', async (t) => {
  const her = await openCase(service.app)
  const hashes = Array.from({ length: 20 }, randomHashText)
  const images = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash, quality: 100 }] }))
  await ask(service, 'POST', `${her.url}/hashes`, her.headers, { images })
  const url = `${her.url}/pause`
  const pause = () => ask(service, 'PUT', url, her.headers)
  const resume = () => ask(service, 'DELETE', url, her.headers)
  for (const [before, ...both] of [
    [resume, pause, resume],
    [resume, resume, pause],
    [pause, pause, resume],
    [pause, resume, pause],
  ]) {
    await before?.()
    const first = both[0]?.()
    await ask(service, 'GET', her.url, her.headers) // the first one is under way
    await Promise.all([first, both[1]?.()])
    const { pausedUntil } = (await ask(service, 'GET', her.url, her.headers)).json<{ pausedUntil: string | null }>()
    const found = await Promise.all(hashes.map(async (hash) => (await matchesOf(service, one.headers, hash)).length))
    t.same(new Set(found), new Set([pausedUntil === null ? 1 : 0]))
  }
})
