// The process that evaluates watches does not query the store for each picture.

import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { uuidV7 } from '../../src/domain/ids.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { createWatchEvaluator } from '../../src/services/watch/watch-evaluator.js'
import { createImageStore } from '../../src/store/images/images.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createWatchStore } from '../../src/store/watch/watches.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { imageOf } from '../helpers/registered-image.js'
import { until } from '../helpers/service.js'

t.test('pictures registered during a pause are compared together, without a wait for the disk', async (t) => {
  const { socket } = await startRedis(t)
  const store = await openStore(storeAt(socket))
  const keyring = makeKeyring([Buffer.alloc(32, 7)])
  const [images, watches] = [createImageStore(store, keyring), createWatchStore(store, keyring)]
  const pauses: (() => void)[] = []
  const watching = createWatchEvaluator({
    store,
    watches,
    index: { start() {}, reached: async () => {}, near: async () => [], size: 0, close: async () => {} },
    images,
    replica: { reached: async () => {}, catalogue: new Catalogue() },
    matcher: { match: async () => [] },
    matchIds: { idFor: () => '' },
    follower: new Redis(socket),
    now: () => Date.now(),
    dueTime: async () => Date.now(),
    clock: () => performance.now(),
    pause: () => new Promise<void>((end) => pauses.push(end)),
    onError: (error) => t.fail(String(error)),
  })
  t.teardown(async () => {
    const closed = watching.close()
    for (const end of pauses) end()
    await closed
    await store.close()
  })
  const register = () =>
    images.put([{ id: uuidV7(Date.now(), randomBytes(10)), image: imageOf(hashFromBytes(randomBytes(32))) }])
  const waits = () =>
    store.ask(async (redis) => Number(/waitaof:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0))
  watching.start()
  const cursor = async () => (await watches.cursor())?.revision
  await until(async () => (await cursor()) === 0)

  const first = await register()
  await until(() => pauses.length === 1)
  await register()
  const last = await register()
  const waitsBefore = await waits()
  t.equal(await cursor(), first)
  pauses[0]?.()
  await until(async () => (await cursor()) === last)

  await until(() => pauses.length === 2)
  t.equal(await cursor(), last, 'with one turn for both')
  t.equal(await waits(), waitsBefore)
})
