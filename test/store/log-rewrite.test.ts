import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { createCaseExpiry } from '../../src/services/cases/case-expiry.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { createImageStore } from '../../src/store/images/images.js'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { rewriteLog } from '../../src/store/upkeep/log-rewrite.js'
import { createWatchErasureStore } from '../../src/store/watch/watch-erasures.js'
import { createWatchStore } from '../../src/store/watch/watches.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { until } from '../helpers/service.js'

t.test('data of an erased case is in no file of the store, and data of other cases is', async (t) => {
  const redis = await startRedis(t)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const cases = createCaseStore(store)
  const images = createImageStore(store, makeKeyring([Buffer.alloc(32, 7)]))
  let rewrites = 0
  const keeping = createCaseExpiry({
    cases,
    watches: createWatchErasureStore(store),
    rewriteLog: () => {
      rewrites += 1
      return rewriteLog(store, 30_000)
    },
    dueUntilMs: async () => 1000,
    now: () => 1000,
  })
  const sealed: Buffer[] = []
  for (const caseId of ['withdrawn', 'expired', 'kept']) {
    await cases.add(caseId, { createdAtMs: 1, expiresAtMs: 900, category: undefined, pin: `pin of ${caseId}` })
    const id = `00000000-0000-8000-8000-00000000000${sealed.length}`
    const image = { bank: 'cases', tier: 'self-reported', category: undefined, ref: undefined, createdAtMs: 1 } as const
    const hash = hashFromBytes(Buffer.alloc(32, sealed.length))
    await images.putForCase(
      caseId,
      [{ id, image: { ...image, signals: [{ type: 'pdq', view: 'whole', quality: 80, hash }] } }],
      10,
    )
    const [record] = await store.ask((client) => client.hvalsBuffer(keys.images(sealed.length)))
    sealed.push(record ?? Buffer.alloc(0))
  }
  const folder = join(redis.dataDir, 'redis', 'appendonlydir')
  const onDisk = () => {
    const bytes = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))))
    return sealed.map((record) => bytes.includes(record))
  }
  t.ok(sealed.every((record) => record.length > 60))
  t.same(onDisk(), [true, true, true])

  await cases.end('withdrawn', 'withdrawn', 900)
  await cases.end('expired', 'expired', 900)
  t.same(onDisk(), [true, true, true], 'deleted, but still in older lines of the log')

  t.equal(await keeping.erase(), 2)
  t.equal(rewrites, 1, 'one rewrite for both cases')
  await until(() => onDisk().join() === 'false,false,true')
  t.equal((await cases.get('withdrawn'))?.erasedAtMs, 1000)
  t.equal((await cases.get('kept'))?.erasedAtMs, undefined)

  t.equal(await keeping.erase(), 0)
  t.equal(rewrites, 1, 'no rewrite without a case to erase')
})

t.test('a log rewrite that was already running is not enough, so another follows', async (t) => {
  const redis = await startRedis(t)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const rewrites = async () => /^aof_rewrites:(\d+)/m.exec(await store.ask((client) => client.info('persistence')))?.[1]
  const before = Number(await rewrites())
  await store.ask((client) => client.bgrewriteaof())
  t.same(await Promise.all([rewriteLog(store, 30_000), rewriteLog(store, 30_000)]), ['rewritten', 'rewritten'])
  t.ok(Number(await rewrites()) >= before + 2)
})

t.test('without permission for a log rewrite, or if it fails, cases are not marked erased', async (t) => {
  const redis = await startRedis(t)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  await store.ask((client) => client.call('ACL', 'SETUSER', 'hosted', 'on', '>pw', '~*', '&*', '+@all', '-bgrewriteaof'))
  const hosted = await openStore(storeAt(redis.socket))
  t.teardown(() => hosted.close())
  await hosted.ask((client) => client.auth('hosted', 'pw'))
  t.equal(await rewriteLog(hosted, 30_000), 'not-allowed')

  const cases = createCaseStore(store)
  await cases.add('a', { createdAtMs: 1, expiresAtMs: 900, category: undefined, pin: 'x' })
  await cases.end('a', 'withdrawn', 2)
  const keeping = createCaseExpiry({
    cases,
    watches: createWatchErasureStore(store),
    rewriteLog: async () => 'not-allowed',
    dueUntilMs: async () => 3,
    now: () => 3,
  })
  t.equal(await keeping.erase(), undefined)
  t.equal((await cases.get('a'))?.state, 'withdrawn')
  const failing = createCaseExpiry({
    cases,
    watches: createWatchErasureStore(store),
    rewriteLog: () => Promise.reject(new Error('disk full')),
    dueUntilMs: async () => 3,
    now: () => 3,
  })
  await t.rejects(failing.erase(), /disk full/)
  t.equal((await cases.get('a'))?.state, 'withdrawn')
})

t.test('data of an erased watch is in no file of the store after the log rewrite', async (t) => {
  const redis = await startRedis(t)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const watches = createWatchStore(store, makeKeyring([Buffer.alloc(32, 7)]))
  const erasures = createWatchErasureStore(store)
  const orgId = '00000000-0000-8000-8000-0000000000ff'
  const ids = [0, 1].map((i) => `00000000-0000-8000-8000-00000000000${i}`)
  const image = { bank: orgId, tier: 'self-reported', category: undefined, ref: undefined, createdAtMs: 1 } as const
  const sealed: Buffer[] = []
  for (const [i, id] of ids.entries()) {
    const hash = hashFromBytes(Buffer.alloc(32, i))
    const signals = [{ type: 'pdq', view: 'whole', quality: 80, hash }] as const
    await watches.put(orgId, [{ id, image: { ...image, signals } }], 1000, 10)
    const [record] = await store.ask((client) => client.hvalsBuffer(keys.watches(i)))
    sealed.push(record ?? Buffer.alloc(0))
  }
  let eraseMeanwhile = async () => {}
  const keeping = createCaseExpiry({
    cases: createCaseStore(store),
    watches: erasures,
    async rewriteLog() {
      const outcome = await rewriteLog(store, 30_000)
      await eraseMeanwhile()
      return outcome
    },
    dueUntilMs: async () => 1000,
    now: () => 1000,
  })
  const folder = join(redis.dataDir, 'redis', 'appendonlydir')
  const onDisk = () => {
    const bytes = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))))
    return sealed.map((record) => bytes.includes(record)).join()
  }
  t.equal(await keeping.erase(), 0, 'nothing to do')
  await watches.erase(orgId, [ids[0] ?? ''])
  t.equal(onDisk(), 'true,true', 'deleted, but still in an older line of the log')
  eraseMeanwhile = async () => void (await watches.erase(orgId, [ids[1] ?? '']))
  t.equal(await keeping.erase(), 1)
  await until(() => onDisk() === 'false,true')
  t.equal(await erasures.count(), 1, 'a watch erased during the rewrite waits for the next one')
  eraseMeanwhile = async () => {}
  t.equal(await keeping.erase(), 1)
  await until(() => onDisk() === 'false,false')
  t.equal(await keeping.erase(), 0)
})

t.test('a removed signal of a bank is in no file after a log rewrite, which it causes once a day at most', async (t) => {
  const redis = await startRedis(t)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const images = createImageStore(store, makeKeyring([Buffer.alloc(32, 7)]))
  const ids = [0, 1].map((i) => `00000000-0000-8000-8000-00000000000${i}`)
  const image = { bank: 'bank', tier: 'self-reported', category: undefined, ref: undefined, createdAtMs: 1 } as const
  const sealed: Buffer[] = []
  for (const [i, id] of ids.entries()) {
    const hash = hashFromBytes(Buffer.alloc(32, i))
    await images.put([{ id, image: { ...image, signals: [{ type: 'pdq', view: 'whole', quality: 80, hash }] } }])
    sealed.push((await store.ask((client) => client.hvalsBuffer(keys.images(i))))[0] ?? Buffer.alloc(0))
  }
  const keeping = createCaseExpiry({
    cases: createCaseStore(store),
    watches: createWatchErasureStore(store),
    rewriteLog: () => rewriteLog(store, 30_000),
    dueUntilMs: async () => 1000,
    now: () => 1000,
  })
  const folder = join(redis.dataDir, 'redis', 'appendonlydir')
  const onDisk = () => {
    const bytes = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))))
    return sealed.map((record) => bytes.includes(record)).join()
  }
  t.equal(await keeping.erase(), 0)
  await images.erase(ids[0] ?? '')
  t.equal(onDisk(), 'true,true')
  t.equal(await keeping.erase(), 1)
  await until(() => onDisk() === 'false,true')
  await images.erase(ids[1] ?? '')
  t.equal(await keeping.erase(), 0, 'not twice a day')
  await store.ask((client) => client.del(keys.erasedToday))
  t.equal(await keeping.erase(), 1)
  await until(() => onDisk() === 'false,false')
})
