// All of Tabir in a Redis Cluster of three masters: its keys lie on one of them, and so do BullMQ's.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t from 'tap'
import { readConfig } from '../../src/boot/config.js'
import { HASH_IMAGE_QUEUE, QUEUE_PREFIX } from '../../src/jobs/hash-image.js'
import { createApiKey } from '../../src/services/keys/access.js'
import { findRedisServer } from '../../src/store/embedded/find-redis.js'
import { apiKeysIn } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { startCluster } from '../faults/cluster.js'
import { images } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { post } from '../helpers/requests.js'
import { openCase, randomHashText, startService, startWorkers, until } from '../helpers/service.js'

t.test('cases, banks, pictures and withdrawals in a Cluster of three masters', { timeout: 230_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-cluster-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const binary = findRedisServer(readConfig({ PATH: process.env['PATH'] }))?.binary
  if (binary === undefined) throw new Error('there is no Redis on this machine')
  const cluster = await startCluster(folder, binary, 0)
  t.teardown(() => cluster.close())
  // A node that does not hold the keys is named first: it knows who does.
  const owner = (await cluster.master()).port
  const others = cluster.ports.filter((port) => port !== owner)
  const url = `redis+cluster://${others.map((port) => `127.0.0.1:${port}`).join(',')}`

  const every = Object.values(keys).map((key) =>
    typeof key === 'string' ? key : Reflect.apply(key, undefined, [1, 'b', 'c']),
  )
  const slots = await Promise.all(
    [...every, `${QUEUE_PREFIX}:${HASH_IMAGE_QUEUE}:id`].map((key) => cluster.slotOf(String(key))),
  )
  t.equal(new Set(slots).size, 1, `${every.length} kinds of keys, and those of the queue, have one slot`)

  const service = await startService(t, { redisUrl: url })
  const { app, services } = service
  await startWorkers(t, service.redis, { REDIS_URL: url, REDIS_SOCKET: '', TABIR_HASHERS: '1' })
  const store = await openStore({ url, socket: undefined })
  t.equal(store.durability, 'fsync')
  const scopes = new Set(['match', 'signals:write', 'feed'] as const)
  const { key } = await createApiKey(apiKeysIn(store), { org: 'o', kind: 'ngo', scopes, env: 'test', nowMs: Date.now() })
  await store.close()
  await until(() => services.identify(key) !== undefined)
  const headers = { authorization: `Bearer ${key}` }
  const matches = async (hash: string) => {
    const answer = await post(app, '/v1/match', { queries: [{ signals: [{ type: 'pdq', hash }] }] }, headers)
    return answer.json<{ results: { matches: unknown[] }[] }>().results[0]?.matches.length
  }

  const own = await openCase(app)
  const upload = await app.inject({
    method: 'POST',
    url: `${own.url}/images`,
    ...merged(images([await scene(77, { width: 320, height: 240 })]), own.headers),
  })
  t.equal(upload.statusCode, 201, 'a picture goes through the queue')
  const hash = randomHashText()
  const signals = [{ type: 'pdq', hash, quality: 100 }]
  t.equal((await post(app, `${own.url}/hashes`, { images: [{ signals }] }, own.headers)).statusCode, 201)
  t.equal(await matches(hash), 1)
  t.equal((await post(app, '/v1/banks', { name: 'mine' }, headers)).statusCode, 201)
  const inBank = randomHashText()
  const added = await post(app, '/v1/banks/mine/signals', { signals: [{ type: 'pdq', hash: inBank }] }, headers)
  t.equal(added.statusCode, 201)
  t.equal(await matches(inBank), 1)
  t.equal((await app.inject({ url: '/v1/feed', headers })).statusCode, 200)
  t.equal((await app.inject({ method: 'DELETE', url: own.url, headers: own.headers })).statusCode, 200)
  t.equal(await matches(hash), 0)

  await cluster.restart()
  const again = randomHashText()
  await until(async () => {
    const answer = await post(app, '/v1/banks/mine/signals', { signals: [{ type: 'pdq', hash: again }] }, headers)
    return answer.statusCode === 201
  }, 30_000)
  await until(async () => (await matches(again)) === 1)
  t.equal(await matches(inBank), 1, 'all nodes were gone for a moment, in which nobody knew who has the keys')

  const held = await Promise.all(
    cluster.ports.map(async (port) => {
      const redis = new Redis({ port, host: '127.0.0.1' })
      const count = await redis.dbsize()
      redis.disconnect()
      return { port, count }
    }),
  )
  t.same(
    held.filter(({ count }) => count > 0).map(({ port }) => port),
    [owner],
    'one master has all of it, and the others nothing',
  )
})

function merged(form: ReturnType<typeof images>, headers: Readonly<Record<string, string>>) {
  return { ...form, headers: { ...form.headers, ...headers } }
}
