import { Redis } from 'ioredis'
import t from 'tap'
import { openStore } from '../../src/store/redis/client.js'
import { DurableWriter } from '../../src/store/redis/durable-writer.js'
import { notAfter } from '../../src/store/redis/write-deadline.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { until } from '../helpers/service.js'

const NOTHING = { numberOfKeys: 0, lua: 'return 1' } as const

t.test('a write whose durability is unknown because the master changed is refused as unavailable', async (t) => {
  const { socket } = await startRedis(t)
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  const writer = new DurableWriter(redis)
  await writer.probe()
  t.equal(await writer.write(NOTHING, [], []), 1)

  await redis.replicaof('127.0.0.1', 1) // it is not the master any more
  await t.rejects(writer.write(NOTHING, [], []), { code: 'store-unavailable' })
  await redis.replicaof('NO', 'ONE')
  t.equal(await writer.write(NOTHING, [], []), 1)
})

t.test('while the log is switched off writes are refused with the cause, and work again after it is on', async (t) => {
  const { socket } = await startRedis(t)
  const [redis, other] = [new Redis(socket), new Redis(socket)]
  t.teardown(() => [redis, other].forEach((one) => void one.disconnect()))
  const writer = new DurableWriter(redis)
  await writer.probe()
  t.equal(writer.durability, 'fsync')

  await other.config('SET', 'appendonly', 'no')
  const refused = await writer.write(NOTHING, [], []).catch((error: unknown) => error)
  t.match(refused, { code: 'store-unavailable', cause: { message: /appendonly/ } })
  await until(() => writer.durability === 'none')
  await t.rejects(writer.write(NOTHING, [], []), { code: 'store-unavailable' })

  await switchOn(other)
  t.equal(await writer.write(NOTHING, [], []), 1)
  await writer.probe()
  t.equal(writer.durability, 'fsync')
})

t.test('a log that is switched on after the start is noticed, and writes then wait for it', async (t) => {
  const { socket } = await startRedis(t)
  const [redis, other] = [new Redis(socket), new Redis(socket)]
  t.teardown(() => [redis, other].forEach((one) => void one.disconnect()))
  await other.config('SET', 'appendonly', 'no')
  const store = await openStore(storeAt(socket), 20)
  t.teardown(() => store.close())
  t.equal(store.durability, 'none')
  t.equal(await store.write(NOTHING, [], []), 1)

  await switchOn(other)
  await until(() => store.durability === 'fsync')
  await other.config('SET', 'appendonly', 'no')
  await t.rejects(store.write(NOTHING, [], []), { code: 'store-unavailable' }, 'writes wait for the log')
})

t.test('a server without WAITAOF accepts writes with durability unknown', async (t) => {
  const { socket } = await startRedis(t)
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  redis.call = () => Promise.reject(new Error("ERR unknown command 'WAITAOF'")) // as Redis 6.2 and 7.0 do
  const writer = new DurableWriter(redis)
  await writer.probe()
  t.equal(writer.durability, 'unknown')
  t.equal(await writer.write(NOTHING, [], []), 1)
})

t.test('a write that needs the disk of a replica is refused without a replica', async (t) => {
  const { socket } = await startRedis(t)
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  await redis.script('LOAD', NOTHING.lua)
  const writer = new DurableWriter(redis, 1)
  await writer.probe()
  await t.rejects(writer.write(NOTHING, [], []), { code: 'store-unavailable' })
})

t.test('WAIT for a replica comes before WAITAOF for its disk', async (t) => {
  const { socket } = await startRedis(t)
  const [redis, watching] = [new Redis(socket), new Redis(socket)]
  const monitor = await watching.monitor()
  t.teardown(() => [redis, watching, monitor].forEach((one) => void one.disconnect()))
  const waits: string[] = []
  monitor.on('monitor', (_: string, words: string[]) => {
    const isProbe = words[3] === '1'
    if (/^wait/i.test(words[0] ?? '') && !isProbe) waits.push(words.slice(0, 3).join(' '))
  })
  await redis.script('LOAD', notAfter(NOTHING.lua))
  for (const replicas of [0, 1]) {
    const writer = new DurableWriter(redis, replicas)
    await writer.probe()
    await writer.write(NOTHING, [], []).catch(() => {})
  }
  await until(() => waits.includes('WAITAOF 1 1'))
  t.same(waits, ['WAITAOF 1 0', 'WAIT 1 100', 'WAITAOF 1 1'])
})

t.test('while one round of writes waits the next one is sent, and a third is not', async (t) => {
  const { socket } = await startRedis(t)
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  await redis.script('LOAD', notAfter(NOTHING.lua))
  const writer = new DurableWriter(redis)
  await writer.probe()
  let rounds = 0
  const pipeline = redis.pipeline.bind(redis)
  redis.pipeline = (...args: Parameters<typeof pipeline>) => {
    rounds++
    return pipeline(...args)
  }

  const first = writer.write(NOTHING, [], []).then(() => rounds)
  const rest = Array.from({ length: 5 }, () => writer.write(NOTHING, [], []))
  t.equal(await first, 2)
  t.same(await Promise.all(rest), [1, 1, 1, 1, 1])
  t.equal(rounds, 3, 'later writes share one round')
})

t.test('a write that waited too long behind one without durability does not happen', async (t) => {
  const { socket } = await startRedis(t)
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  const set = { numberOfKeys: 1, lua: "return redis.call('SET', KEYS[1], 'x')" } as const
  await redis.script('LOAD', notAfter(set.lua))
  const writer = new DurableWriter(redis, 1)
  await writer.probe()
  const both = ['first', 'second'].map((key) => writer.write(set, [key], []))
  for (const each of both) await t.rejects(each, { code: 'store-unavailable' })
  t.same(await redis.keys('*'), ['first'])
})

/** Switches the log on and waits for its rewrite, before which writes are not confirmed. */
async function switchOn(redis: Redis): Promise<void> {
  await redis.config('SET', 'appendonly', 'yes')
  await until(async () => /aof_rewrite_in_progress:0[\s\S]*aof_rewrite_scheduled:0/.test(await redis.info('persistence')))
}
