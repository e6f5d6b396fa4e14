// No case and no watch ends by a single clock.

import t, { type Test } from 'tap'
import { createDueTime } from '../../src/services/load/due-time.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { MAX_STEP_MS, STEADY_FOR_MS } from '../../src/store/redis/agreed-time.js'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { caseLifeHandler } from '../../workers/case-life.js'
import { startRedis, storeAt } from '../helpers/redis.js'

const YEAR_MS = 365 * 86_400_000

async function world(t: Test) {
  const redis = await startRedis(t)
  const target = storeAt(redis.socket)
  const store = await openStore(target)
  t.teardown(() => store.close())
  const cases = createCaseStore(store)
  const nowMs = Date.now()
  const record = { createdAtMs: nowMs, category: undefined, pin: 'x' }
  await cases.add('over', { ...record, expiresAtMs: nowMs - 1000 })
  await cases.add('living', { ...record, expiresAtMs: nowMs + YEAR_MS })
  const warnings: string[] = []
  const warn = (line: string) => warnings.push(line)
  const stateOf = async (caseId: string) => (await cases.get(caseId))?.state
  return { store, target, warnings, warn, stateOf, nowMs }
}

t.test('a worker clock two years ahead expires only cases that are over by the store’s clock', async (t) => {
  const { target, warnings, warn, stateOf } = await world(t)
  const run = caseLifeHandler({ target, now: () => Date.now() + 2 * YEAR_MS, warn })
  await run('expire')
  await run('expire')
  t.equal(await stateOf('living'), 'open')
  t.equal(await stateOf('over'), 'expired')
  t.match(warnings, [/more than a minute ahead/], 'the operator is told once')
})

t.test('a worker clock behind the store’s ends nothing early', async (t) => {
  const { target, warn, stateOf } = await world(t)
  await caseLifeHandler({ target, now: () => Date.now() - YEAR_MS, warn })('expire')
  t.same([await stateOf('living'), await stateOf('over')], ['open', 'open'])
})

t.test('after both clocks jump, nothing expires until they have run steadily for an hour', async (t) => {
  const { store, target, warnings, warn, stateOf } = await world(t)
  const run = caseLifeHandler({ target, now: () => Date.now(), warn })
  // The last time seen is this long ago, as after a jump.
  const seen = (ageMs: number) => store.ask((redis) => redis.hset(keys.agreedTime, 'atMs', Date.now() - ageMs))
  const steady = (ageMs: number) => store.ask((redis) => redis.hset(keys.agreedTime, 'steadyFromMs', Date.now() - ageMs))
  await seen(MAX_STEP_MS + 60_000)
  await run('expire')
  await run('expire')
  t.equal(await stateOf('over'), 'open')
  t.match(warnings, [/jumped by more than an hour/])
  t.equal(await createDueTime(() => Date.now(), warn)(store), undefined, 'for watches too')

  await steady(STEADY_FOR_MS - 60_000)
  await run('expire')
  t.equal(await stateOf('over'), 'open')
  await seen(-2 * MAX_STEP_MS) // it was set back: the right time is not known yet
  await run('expire')
  t.equal(await stateOf('over'), 'open')
  await steady(STEADY_FOR_MS + 1000)
  await run('expire')
  t.equal(await stateOf('over'), 'expired')
  t.equal(await stateOf('living'), 'open')
})
