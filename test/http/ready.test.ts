// The readiness answer of an api.

import { Redis } from 'ioredis'
import t from 'tap'
import { startRedis } from '../helpers/redis.js'
import { startService } from '../helpers/service.js'

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
