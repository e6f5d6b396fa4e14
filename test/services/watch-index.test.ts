// What the index of watches reads at a start.

import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { createWatchIndex } from '../../src/services/watch/watch-index.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createWatchStore } from '../../src/store/watch/watches.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { imageOf } from '../helpers/registered-image.js'

t.test('a new watch index reads all watches, and nothing from the store if there are none', async (t) => {
  const { socket } = await startRedis(t)
  const own = await openStore(storeAt(socket))
  t.teardown(() => own.close())
  const stored = createWatchStore(own, makeKeyring([Buffer.alloc(32, 7)]))
  let readings = 0
  const begun = async () => {
    const index = createWatchIndex({
      watches: {
        ...stored,
        all() {
          readings++
          return stored.all()
        },
      },
      follower: new Redis(socket),
      clock: () => performance.now(),
      onError: (error) => t.fail(String(error)),
    })
    t.teardown(() => index.close())
    index.start()
    await index.reached(await stored.lastPosition())
    return index
  }

  t.equal((await begun()).size, 0)
  t.equal(readings, 0)

  const orgId = '01890000-0000-7000-8000-000000000001'
  const image = { ...imageOf(hashFromBytes(randomBytes(32))), bank: orgId }
  const watches = Array.from({ length: 3 }, () => ({
    id: `01890000-0000-7000-8000-${randomBytes(6).toString('hex')}`,
    image,
  }))
  await stored.put(orgId, watches, Date.now() + 1000, 10)
  t.equal((await begun()).size, 3)
  t.equal(readings, 1)
})
