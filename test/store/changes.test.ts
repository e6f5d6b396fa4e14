import { randomBytes } from 'node:crypto'
import t from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { digestAt, follow, lastPosition, ORIGIN, type Position, positionBefore } from '../../src/store/images/changes.js'
import { createImageStore } from '../../src/store/images/images.js'
import { keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { startStore } from '../helpers/redis.js'

const picture = {
  bank: 'b',
  tier: 'verified',
  category: undefined,
  ref: undefined,
  createdAtMs: 1,
  signals: [{ type: 'pdq', view: 'whole', quality: 100, hash: hashFromBytes(randomBytes(32)) }],
} as const

t.test(
  'scripts and followers read the same digest of every change, whatever its bytes, and the stream holds 32 bytes of them',
  async (t) => {
    const { store, redis } = await startStore(t)
    const images = createImageStore(store, makeKeyring([Buffer.alloc(32, 7)]))
    for (let i = 0; i < 400; i++) await images.put([{ id: formatUuid(randomBytes(16)), image: picture }])

    const read: Position[] = [ORIGIN]
    while (read.length <= 400) {
      const followed = await follow(redis, read.at(-1) ?? ORIGIN, 1, () => 0)
      if (followed.kind === 'gap') return t.fail(followed.loss)
      read.push(...followed.positions)
    }
    t.same(
      await Promise.all(read.map(({ revision }) => digestAt(store, revision))),
      read.map(({ digest }) => digest),
    )
    t.same(await positionBefore(store, 200), read[199])
    t.same(await lastPosition(store), read[400])
    const bytes = new Set(Buffer.from(read.map(({ digest }) => digest).join(''), 'hex'))
    t.equal(bytes.size, 256, 'every byte was in a digest')

    const entries = await redis.xrangeBuffer(keys.changes, '-', '+')
    t.same(new Set(entries.map(([, fields]) => fields[5]?.length)), new Set([32]))
  },
)
