import { randomBytes } from 'node:crypto'
import t from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { MAX_VIEW } from '../../src/domain/trust/flood.js'
import type { TrustStatus } from '../../src/domain/trust/trust.js'
import { NO_TRUST } from '../../src/domain/trust/trust.js'
import { createImageStore } from '../../src/store/images/images.js'
import { createResubmissionBlockStore } from '../../src/store/organisations/resubmission-blocks.js'
import { openStore } from '../../src/store/redis/client.js'
import { TRUST_SHARDS } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createTrustStore } from '../../src/store/trust/trust.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { longestVideo } from './sample-images.js'

const server = await startRedis(t)
const store = await openStore(storeAt(server.socket))
t.teardown(() => store.close())

/** A random id in this shard. */
function idIn(shard: number): string {
  const id = randomBytes(16)
  id[15] = shard
  return formatUuid(id)
}

t.test('allTrustStatuses returns the status of every image in every shard once', async (t) => {
  const trusts = createTrustStore(store)
  const signals = [{ type: 'pdq', view: 'whole', quality: 100, hash: hashFromBytes(randomBytes(32), 0) }] as const
  const image = {
    bank: 'mine',
    tier: 'self-reported',
    category: undefined,
    ref: undefined,
    createdAtMs: 1,
    signals,
  } as const
  const expected = new Map<string, TrustStatus>()
  const ids = Array.from({ length: TRUST_SHARDS }, (_, shard) => [idIn(shard), idIn(shard)]).flat()
  await createImageStore(store, makeKeyring([randomBytes(32)])).put(ids.map((id) => ({ id, image })))
  await Promise.all(
    ids.map(async (id, i) => {
      const trustStatus: TrustStatus = {
        support: i % 256,
        disputed: i % 2 === 0,
        matches: i % 3 !== 0,
        narrowed: i % 7 === 0,
        stoppedViews: Array.from({ length: i % 3 }, (_, n) => MAX_VIEW - i - n),
        harmless: i % 5 === 0,
      }
      await trusts.put(id, 0, NO_TRUST, trustStatus)
      expected.set(id, trustStatus)
    }),
  )

  const told: [string, TrustStatus][] = []
  for await (const some of trusts.allTrustStatuses())
    for (const { imageId, trustStatus } of some) told.push([imageId, trustStatus])

  t.equal(told.length, expected.size)
  t.same(new Map(told), expected)
})

t.test('the longest video is blocked with all of its frames, and unblocked', async (t) => {
  const [trusts, blocks] = [createTrustStore(store), createResubmissionBlockStore(store)]
  const image = longestVideo(1)
  const id = idIn(1)
  await createImageStore(store, makeKeyring([randomBytes(32)])).put([{ id, image }])
  const change = { holder: 'cases', digests: image.signals.map(() => randomBytes(16)), atMs: 1 } as const
  const status: TrustStatus = {
    support: 0,
    disputed: false,
    matches: false,
    narrowed: false,
    stoppedViews: [],
    harmless: true,
  }
  for (const [version, untilMs] of [Date.now() + 60_000, undefined].entries()) {
    await trusts.put(id, version, NO_TRUST, status, { blockChange: { ...change, untilMs } })
    const blocked = await blocks.among('cases', change.digests, 2)
    t.equal(blocked.filter(Boolean).length, untilMs === undefined ? 0 : change.digests.length)
  }
})
