import { Redis } from 'ioredis'
import t from 'tap'
import {
  countAlive,
  countLacking,
  createWorkerId,
  FORGOTTEN_AFTER_MS,
  heartbeat,
  lackVideoDecoders,
  SILENT_AFTER_MS,
} from '../../src/store/redis/heartbeats.js'
import { keys } from '../../src/store/redis/keys.js'
import { keepHeartbeat } from '../../workers/heartbeat.js'
import { startRedis, startStore } from '../helpers/redis.js'
import { until } from '../helpers/service.js'

t.test('workers count as alive while they send heartbeats, then as silent, then not at all', async (t) => {
  const { store, redis } = await startStore(t)
  const ago = (id: string, ms: number) => redis.zadd(keys.workerHeartbeats, Date.now() - ms, id)
  t.same(await countAlive(store, 'workers'), { alive: 0, silent: 0 })
  await heartbeat(redis, 'a')
  await heartbeat(redis, 'a')
  await heartbeat(redis, 'b')
  t.same(await countAlive(store, 'workers'), { alive: 2, silent: 0 })
  await ago('a', SILENT_AFTER_MS + 1000)
  t.same(await countAlive(store, 'workers'), { alive: 1, silent: 1 })
  await ago('a', FORGOTTEN_AFTER_MS + 1000)
  t.same(await countAlive(store, 'workers'), { alive: 1, silent: 0 })
  t.equal(await redis.zcard(keys.workerHeartbeats), 1, 'a forgotten worker leaves no entry')
  await ago('c|ffmpeg', -8 * 3_600_000)
  t.same(await countAlive(store, 'workers'), { alive: 1, silent: 0 }, 'a heartbeat of a clock that was ahead says nothing')
})

t.test('missing sandbox layers of a worker’s children are counted while it lives', async (t) => {
  const { store, redis } = await startStore(t)
  await redis.ping()
  const caged = keepHeartbeat({ redis, intervalMs: 5000, isFit: () => true, lacking: [] })
  const half = keepHeartbeat({ redis, intervalMs: 5000, isFit: () => true, lacking: ['no-network', 'node-permissions'] })
  await until(async () => (await countAlive(store, 'workers')).alive === 2)

  t.match(await countLacking(store), { 'no-network': 1, 'node-permissions': 1, 'no-core-dump': 0 })
  await half.close()
  t.match(await countLacking(store), { 'no-network': 0 })
  await caged.close()
})

t.test('videos cannot be decoded if every live worker lacks ffmpeg', async (t) => {
  const { store, redis } = await startStore(t)
  t.equal(await lackVideoDecoders(store), false, 'one may be starting')
  await heartbeat(redis, createWorkerId('a', ['no-network', 'ffmpeg']))
  t.equal(await lackVideoDecoders(store), true)
  await heartbeat(redis, createWorkerId('b', ['no-network']))
  t.equal(await lackVideoDecoders(store), false)
  await redis.zadd(keys.workerHeartbeats, Date.now() - SILENT_AFTER_MS - 1000, createWorkerId('b', ['no-network']))
  t.equal(await lackVideoDecoders(store), true)
})

t.test('only a fit worker beats, and it removes its heartbeat when it stops', async (t) => {
  const { socket } = await startRedis(t)
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  await redis.ping()
  const count = () => redis.zcard(keys.workerHeartbeats)
  const unfit = keepHeartbeat({ redis, intervalMs: 5, isFit: () => false })
  const fit = keepHeartbeat({ redis, intervalMs: 5, isFit: () => true })
  await until(async () => (await count()) > 0)
  t.equal(await count(), 1)
  const last = async () => (await redis.zrange(keys.workerHeartbeats, '0', '-1', 'WITHSCORES'))[1]
  const first = await last()
  await until(async () => (await last()) !== first)
  await fit.close()
  await unfit.close()
  t.equal(await count(), 0)
})
