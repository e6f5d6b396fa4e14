// A claim lasts as long as the work of its request, however slowly a body arrives, and no longer than a moment after a crash.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { z } from 'zod'
import { createIdempotency, digestOf, finishing } from '../../src/services/load/idempotency.js'
import { createIdempotencyStore } from '../../src/store/organisations/idempotency.js'
import { keys } from '../../src/store/redis/keys.js'
import { startStore } from '../helpers/redis.js'
import { until } from '../helpers/service.js'

const SCOPE = ['hashes', 'case'] as const
const Answer = z.object({ registered: z.int() })
const UNLIMITED = { take: () => ({ isWithin: true, left: 1, resetS: 1 }) }
const LINES = ['a\n', 'b\n'].map((line) => Buffer.from(line))
const FIRST = { digest: digestOf(LINES), answer: { registered: 2 } }

const { store } = await startStore(t)
const kept = createIdempotencyStore(store)
const msLeft = (name: string) => store.ask((redis) => redis.pttl(keys.idempotency(name)))

/** @returns a promise, and what resolves it. */
function gate(): [opened: Promise<void>, open: () => void] {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return [opened, () => open()]
}

/** Requests of one key, whose claims are renewed when `tick` is called. */
function keyed(beforeRenewal = async () => {}) {
  const [done, ticks]: [string[], Set<() => void>] = [[], new Set()]
  const claimed = { name: '', ttlMs: 0, intervalMs: 0 }
  const watched: typeof kept = {
    ...kept,
    claim(name, claimId, ttlMs) {
      Object.assign(claimed, { name, ttlMs })
      return kept.claim(name, claimId, ttlMs)
    },
    async renew(...claim) {
      await beforeRenewal()
      await kept.renew(...claim)
      done.push('renewed')
    },
    async settle(...claim) {
      await kept.settle(...claim)
      done.push('settled')
    },
    async release(...claim) {
      await kept.release(...claim)
      done.push('released')
    },
  }
  const idempotency = createIdempotency(watched, randomBytes(32), UNLIMITED, (tick, intervalMs) => {
    ticks.add(tick)
    claimed.intervalMs = intervalMs
    return () => void ticks.delete(tick)
  })
  const attempt = () => idempotency.attempt(SCOPE, 'b6f0c9c2-0c3e-4f57-9d35-1f7c2f0c7a11', Answer)
  return {
    ...{ claimed, done, ticks, attempt },
    tick: () => {
      for (const tick of ticks) tick()
    },
    async first() {
      const tried = await attempt()
      if (!tried.isFirst) throw new Error('nobody else has this key')
      return tried
    },
  }
}

t.test('a request repeated while the first still reads its slow body gets the first answer', async (t) => {
  const { claimed, done, ticks, attempt, tick, first } = keyed()
  const tried = await first()
  const [rest, sendRest] = gate()
  async function* slowBody() {
    yield LINES[0] ?? Buffer.of()
    await store.ask((redis) => redis.del(keys.idempotency(claimed.name))) // as it expires
    tick()
    await rest
    yield LINES[1] ?? Buffer.of()
  }
  const finished = finishing(tried, async () => {
    const lines = []
    for await (const line of slowBody()) lines.push(line)
    return { digest: digestOf(lines), answer: { registered: lines.length } }
  })
  await until(() => done.length > 0)
  t.same(done, ['renewed'], 'while the body is open')
  t.ok((await msLeft(claimed.name)) > claimed.ttlMs / 2)
  const second = await attempt()
  if (second.isFirst) throw new Error('the first one has it')
  const repeated = second.answer(FIRST.digest)
  sendRest()
  t.same(await finished, FIRST.answer)
  t.same(await repeated, FIRST.answer)
  t.equal(ticks.size, 0, 'it is not renewed any more')
})

t.test('a claim is renewed several times while it lasts, so that one renewal may fail', async (t) => {
  const { claimed, done, tick, first } = keyed(() => Promise.reject(new Error('the store is away')))
  const tried = await first()
  t.ok(claimed.intervalMs > 0 && 2 * claimed.intervalMs < claimed.ttlMs, `${claimed.intervalMs} of ${claimed.ttlMs} ms`)
  tick()
  await tried.finish(FIRST.digest, FIRST.answer)
  t.same(done, ['settled'])
})

t.test('a store that hangs gets one renewal at a time', async (t) => {
  const [renewal, goOn] = gate()
  const { done, tick, first } = keyed(() => renewal)
  const tried = await first()
  for (let interval = 0; interval < 5; interval++) tick()
  goOn()
  await until(() => done.length > 0)
  await new Promise(setImmediate)
  t.same(done, ['renewed'])
  tick()
  await tried.finish(FIRST.digest, FIRST.answer)
  t.same(done, ['renewed', 'renewed', 'settled'], 'the next interval renews again')
})

t.test('the answer is kept, or the claim given up, after a renewal that is under way', async (t) => {
  for (const [end, last] of [
    ['finish', 'settled'],
    ['giveUp', 'released'],
  ] as const) {
    const [renewal, goOn] = gate()
    const { done, ticks, tick, first } = keyed(() => renewal)
    const tried = await first()
    tick()
    const ended = tried[end](FIRST.digest, FIRST.answer)
    t.equal(ticks.size, 0, 'no further renewal starts')
    goOn()
    await ended
    t.same(done, ['renewed', last])
  }
})

t.test('a request whose work failed leaves no claim, though it was renewed', async (t) => {
  const { attempt, done, tick, first } = keyed()
  const failing = finishing(await first(), async () => {
    tick()
    throw new Error('it broke off')
  })
  await t.rejects(failing, { message: 'it broke off' })
  t.same(done, ['renewed', 'released'])
  t.equal((await attempt()).isFirst, true)
})

t.test('a renewal keeps neither the claim nor the answer of another request', async (t) => {
  const [mine, theirs] = ['mine', 'theirs']
  t.ok(await kept.claim('name', theirs, 600_000))
  await kept.renew('name', mine, 60_000)
  t.same(await kept.read('name'), { kind: 'claim' })
  t.ok((await msLeft('name')) > 300_000)
  await kept.settle('name', theirs, Buffer.from('sealed'), 600_000)
  await kept.renew('name', theirs, 60_000)
  t.match(await kept.read('name'), { kind: 'answer' })
  t.ok((await msLeft('name')) > 300_000)
})
