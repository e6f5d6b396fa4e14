// The process that evaluates watches neither queries the store for each picture nor holds many long videos at a time.

import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { createWatchEvaluator, type WatchingParts } from '../../src/services/watch/watch-evaluator.js'
import { createImageStore } from '../../src/store/images/images.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createWatchStore } from '../../src/store/watch/watches.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { imageOf } from '../helpers/registered-image.js'
import { until } from '../helpers/service.js'
import { longestVideo } from '../store/sample-images.js'

/** An evaluator that compares with no watch, and whose pauses the test ends. @param changed parts that are to differ. */
async function evaluator(t: Test, changed: (own: Pick<WatchingParts, 'images' | 'watches'>) => Partial<WatchingParts>) {
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
    matcher: { match: async () => [], matchVideos: async () => [] },
    matchIds: { idFor: () => '' },
    follower: new Redis(socket),
    now: () => Date.now(),
    dueTime: async () => Date.now(),
    clock: () => performance.now(),
    pause: () => new Promise<void>((end) => pauses.push(end)),
    onError: (error) => t.fail(String(error)),
    ...changed({ images, watches }),
  })
  t.teardown(async () => {
    const closed = watching.close()
    for (const end of pauses) end()
    await closed
    await store.close()
  })
  const cursor = async () => (await watches.cursor())?.revision
  watching.start()
  await until(async () => (await cursor()) === 0)
  return { store, images, pauses, cursor }
}

t.test('pictures registered during a pause are compared in one batch, without waiting for the disk', async (t) => {
  const { store, images, pauses, cursor } = await evaluator(t, () => ({}))
  const register = () =>
    images.put([{ id: uuidV7(Date.now(), randomBytes(10)), image: imageOf(hashFromBytes(randomBytes(32))) }])
  const waits = () =>
    store.ask(async (redis) => Number(/waitaof:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0))

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

t.test('one long video at a time is in memory, and the lock is renewed while it is compared', async (t) => {
  const steps: string[] = []
  const index = { start() {}, reached: async () => {}, near: async () => [], size: 1, close: async () => {} }
  const { images, pauses, cursor } = await evaluator(t, (own) => ({
    index: {
      ...index,
      async near(signals) {
        steps.push(`compare ${signals.length}`)
        if (steps.length === 2) await until(() => steps.includes('hold'))
        return []
      },
    },
    images: {
      async get() {
        throw new Error('all of them')
      },
      async *inPieces(ids) {
        for await (const piece of own.images.inPieces(ids)) {
          steps.push(`read ${piece.length}`)
          yield piece
        }
      },
    },
    watches: {
      ...own.watches,
      async hold(...lock) {
        if (steps.length > 0) steps.push('hold')
        return await own.watches.hold(...lock)
      },
    },
  }))
  const videos = [1, 2, 3].map((seed) => ({ id: uuidV7(Date.now(), randomBytes(10)), image: longestVideo(seed) }))
  const revision = await images.put(videos)
  await until(async () => (await cursor()) === revision)
  const one = ['read 1', 'compare 10000']
  t.same(steps.slice(0, 7), [...one, 'hold', ...one, ...one])
  t.equal(pauses.length, 1)
})
