import { Redis } from 'ioredis'
import t from 'tap'
import { openStore } from '../../src/store/redis/client.js'
import { DurableWriter } from '../../src/store/redis/durable-writer.js'
import { notAfter } from '../../src/store/redis/write-deadline.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { until } from '../helpers/service.js'

const NOTHING = { numberOfKeys: 0, lua: 'return 1' } as const

t.test('a write whose disk cannot be heard of is neither answered nor a fault of ours', async (t) => {
  const { socket } = await startRedis(t)
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  const writer = new DurableWriter(redis)
  await writer.probe()
  t.equal(await writer.write(NOTHING, [], []), 1)

  await redis.replicaof('127.0.0.1', 1) // it lost its place as master meanwhile
  await t.rejects(writer.write(NOTHING, [], []), { code: 'store-unavailable' })
  await redis.replicaof('NO', 'ONE')
  t.equal(await writer.write(NOTHING, [], []), 1)
})

t.test(
  'a log that is switched off refuses writes and says so, and one that is switched on again is waited for',
  async (t) => {
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
  },
)

t.test('a log that is switched on after the start is waited for, once that is noticed', async (t) => {
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
  await t.rejects(store.write(NOTHING, [], []), { code: 'store-unavailable' }, 'it was waited for')
})

t.test(
  'a server that is too old to say what is on disk is asked to write all the same, and is not said to be sure',
  async (t) => {
    const { socket } = await startRedis(t)
    const redis = new Redis(socket)
    t.teardown(() => redis.disconnect())
    redis.call = () => Promise.reject(new Error("ERR unknown command 'WAITAOF'")) // as Redis 6.2 and 7.0 do
    const writer = new DurableWriter(redis)
    await writer.probe()
    t.equal(writer.durability, 'unknown')
    t.equal(await writer.write(NOTHING, [], []), 1)
  },
)

t.test('a write that has to be on the disk of a replica is not answered without one', async (t) => {
  const { socket } = await startRedis(t)
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  await redis.script('LOAD', NOTHING.lua)
  const writer = new DurableWriter(redis, 1)
  await writer.probe()
  await t.rejects(writer.write(NOTHING, [], []), { code: 'store-unavailable' })
})

t.test('replicas are asked whether they have seen a write before they are asked for their disks', async (t) => {
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

t.test('while one round is waited for the next is with the server already, and no third', async (t) => {
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
  t.equal(rounds, 3, 'what came meanwhile goes together')
})

t.test('a write that lay for too long behind one that waits for a disk in vain does not happen', async (t) => {
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

/** Until the log is whole, writes wait for the disk in vain. */
async function switchOn(redis: Redis): Promise<void> {
  await redis.config('SET', 'appendonly', 'yes')
  await until(async () => /aof_rewrite_in_progress:0[\s\S]*aof_rewrite_scheduled:0/.test(await redis.info('persistence')))
}
