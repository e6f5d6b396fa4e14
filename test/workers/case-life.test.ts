import { Queue } from 'bullmq'
import t from 'tap'
import { CASE_LIFE_QUEUE, EXPIRE_INTERVAL_MS } from '../../src/jobs/case-life.js'
import { QUEUE_PREFIX } from '../../src/jobs/hash-image-job.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { connectForWaiting, openStore } from '../../src/store/redis/client.js'
import { keepCases } from '../../workers/case-life.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { until } from '../helpers/service.js'

t.test('cases are expired, erased and forgotten on schedule, by any number of processes', async (t) => {
  const redis = await startRedis(t)
  const target = storeAt(redis.socket)
  const store = await openStore(target)
  const cases = createCaseStore(store)
  const newCase = { createdAtMs: 1, category: undefined, pin: 'x' }
  await cases.add('withdrawn', { ...newCase, expiresAtMs: 10_000 })
  await cases.add('due', { ...newCase, expiresAtMs: 1000 })
  await cases.add('living', { ...newCase, expiresAtMs: 10_000 })
  await cases.add('old', { ...newCase, expiresAtMs: 1000 })
  await cases.end('withdrawn', 'withdrawn', 500)
  await cases.end('old', 'withdrawn', -40 * 86_400_000)

  const warnings: string[] = []
  const keepers = [1, 2].map(() => {
    const connection = connectForWaiting(target)
    const keeper = keepCases({
      target,
      connection,
      eraseIntervalMs: 100,
      now: () => 2000,
      warn: (line) => warnings.push(line),
    })
    return { connection, keeper }
  })
  t.teardown(async () => {
    await Promise.all(keepers.map(({ keeper }) => keeper.close()))
    for (const { connection } of keepers) connection.disconnect()
    await store.close()
  })
  const stateOf = async (caseId: string) => (await cases.get(caseId))?.state
  await until(async () => (await stateOf('old')) === undefined)
  await until(async () => (await stateOf('withdrawn')) === 'erased')
  await until(async () => (await stateOf('due')) === 'erased')
  t.equal((await cases.get('due'))?.end?.as, 'expired')
  t.equal(await stateOf('living'), 'open')
  t.same(warnings, [])
})

t.test('cases expire although a clock that was a day ahead was set back', async (t) => {
  const redis = await startRedis(t)
  const target = storeAt(redis.socket)
  const store = await openStore(target)
  const cases = createCaseStore(store)
  const connection = connectForWaiting(target)
  const keeper = keepCases({
    ...{ target, connection, eraseIntervalMs: 60_000, correctIntervalMs: 50, now: () => 2000 },
    warn: (line) => t.fail(line),
  })
  const queue = new Queue(CASE_LIFE_QUEUE, { prefix: QUEUE_PREFIX, connection })
  t.teardown(async () => {
    await keeper.close()
    await queue.close()
    connection.disconnect()
    await store.close()
  })
  const expired = async (caseId: string) => {
    await cases.add(caseId, { createdAtMs: 1, category: undefined, pin: 'x', expiresAtMs: 1000 })
    await until(async () => (await cases.get(caseId))?.end?.as === 'expired')
  }
  await expired('before')

  await queue.removeJobScheduler('expire')
  const ahead = { every: EXPIRE_INTERVAL_MS, startDate: Date.now() + 86_400_000 }
  await queue.upsertJobScheduler('expire', ahead, { name: 'expire' })
  await expired('after')
})
