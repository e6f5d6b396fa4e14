import { randomBytes } from 'node:crypto'
import t from 'tap'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { formatUuid } from '../../src/domain/ids.js'
import type { Standing } from '../../src/domain/trust/trust.js'
import { NO_TRUST } from '../../src/domain/trust/trust.js'
import { imagesIn } from '../../src/store/images/images.js'
import { openStore } from '../../src/store/redis/client.js'
import { TRUST_SHARDS } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { trustsIn } from '../../src/store/trust/trust.js'
import { startRedis, storeAt } from '../helpers/redis.js'

const server = await startRedis(t)
const store = await openStore(storeAt(server.socket))
t.teardown(() => store.close())

/** An id of a shard. */
function idIn(shard: number): string {
  const id = randomBytes(16)
  id[15] = shard
  return formatUuid(id)
}

t.test('who starts is told every standing, once and as it is, in whichever shard it lies', async (t) => {
  const trusts = trustsIn(store)
  const signals = [{ type: 'pdq', view: 'whole', quality: 100, hash: hashFromBytes(randomBytes(32), 0) }] as const
  const image = {
    bank: 'mine',
    tier: 'self-reported',
    category: undefined,
    ref: undefined,
    createdAtMs: 1,
    signals,
  } as const
  const expected = new Map<string, Standing>()
  const ids = Array.from({ length: TRUST_SHARDS }, (_, shard) => [idIn(shard), idIn(shard)]).flat()
  await imagesIn(store, makeKeyring([randomBytes(32)])).put(ids.map((id) => ({ id, image })))
  await Promise.all(
    ids.map(async (id, i) => {
      const standing: Standing = {
        support: i % 256,
        disputed: i % 2 === 0,
        matches: i % 3 !== 0,
        narrowed: i % 7 === 0,
        harmless: i % 5 === 0,
      }
      await trusts.put(id, 0, NO_TRUST, standing)
      expected.set(id, standing)
    }),
  )

  const told: [string, Standing][] = []
  for await (const some of trusts.allStandings()) for (const { imageId, standing } of some) told.push([imageId, standing])

  t.equal(told.length, expected.size)
  t.same(new Map(told), expected)
})
