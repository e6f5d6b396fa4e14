import { Redis } from 'ioredis'
import t from 'tap'
import { DurableWriter } from '../../src/store/durable-writer.js'
import { startRedis } from '../helpers/redis.js'

const NOTHING = { numberOfKeys: 0, lua: 'return 1' } as const

t.test('a write whose disk cannot be heard of is neither answered nor a fault of ours', async (t) => {
  const { socket } = await startRedis(t)
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  const writer = new DurableWriter(redis)
  await writer.probe()
  t.equal(await writer.write(NOTHING, [], []), 1)

  await redis.replicaof('127.0.0.1', 1) // it lost its place as master meanwhile
  await t.rejects(writer.write(NOTHING, [], []), { code: 'store-away' })
  await redis.replicaof('NO', 'ONE')
  t.equal(await writer.write(NOTHING, [], []), 1)
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
  await t.rejects(writer.write(NOTHING, [], []), { code: 'store-away' })
})
