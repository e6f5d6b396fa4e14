// The readiness answer of an api.

import { Redis } from 'ioredis'
import t from 'tap'
import { createWorkerId, heartbeat } from '../../src/store/redis/heartbeats.js'
import { startRedis } from '../helpers/redis.js'
import { startService, until } from '../helpers/service.js'

t.test('readiness shows whether acknowledged writes are on disk', async (t) => {
  for (const [appendonly, durability] of [
    ['yes', 'fsync'],
    ['no', 'none'],
  ] as const) {
    const redis = await startRedis(t)
    const line = new Redis(redis.socket)
    t.teardown(() => line.disconnect())
    await line.config('SET', 'appendonly', appendonly)

    const { app } = await startService(t, { redis })

    for (const url of ['/health/ready', '/health'])
      t.match((await app.inject({ url })).json(), { ready: true, durability }, `appendonly ${appendonly}`)
  }
})

t.test('readiness shows whether a worker takes pictures', async (t) => {
  const redis = await startRedis(t)
  const { app } = await startService(t, { redis })
  const line = new Redis(redis.socket)
  t.teardown(() => line.disconnect())
  const asked = async () => (await app.inject({ url: '/health/ready' })).json()

  t.match(await asked(), { ready: true, hashing: 'unavailable' }, 'hashes are matched all the same')
  await heartbeat(line, createWorkerId('one', []))
  await until(async () => (await asked()).hashing === 'available')
})
