// Images, and replicas that save and read snapshots of them.

import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { CASES_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import type { Catalogue } from '../../src/services/index/catalogue.js'
import { createSnapshots } from '../../src/services/index/snapshot.js'
import { createImageStore } from '../../src/store/images/images.js'
import { createImageReader } from '../../src/store/images/reader/image-reader.js'
import { openStore, type Store } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { storeAt, type TestRedis } from '../helpers/redis.js'
import { replicaOf } from '../helpers/replica.js'

const keyring = makeKeyring([Buffer.alloc(32, 7)])
const secret = Buffer.alloc(32, 9)

interface Registered {
  readonly id: string
  readonly image: RegisteredImage
  readonly hash: Hash256
}

let drawn = Buffer.alloc(0)

/** Drawn in large pieces: hundreds of thousands of small draws took longer than the tested code. */
function someBytes(count: number): Buffer {
  if (drawn.length < count) drawn = randomBytes(1 << 16)
  const some = drawn.subarray(0, count)
  drawn = drawn.subarray(count)
  return some
}

export function someImage(): Registered {
  const hash = hashFromBytes(someBytes(32))
  const image: RegisteredImage = {
    bank: CASES_BANK_NAME,
    tier: 'ngo-attested',
    category: 'nude',
    ref: undefined,
    createdAtMs: 1,
    signals: [
      { type: 'pdq', view: 'whole', quality: 100, hash },
      { type: 'blockhash', view: 'whole', quality: 100, hash: hashFromBytes(someBytes(32)) },
    ],
  }
  return { id: uuidV7(Date.now(), someBytes(10)), image, hash }
}

/** @returns it, once for each of its frames. */
export function someVideo(): Registered[] {
  const { id, image } = someImage()
  const framesAtMs = [0, 2000, 4000]
  const signals = framesAtMs.map((_, frame) => {
    const hash = hashFromBytes(someBytes(32))
    return { type: 'pdq', view: 'whole', quality: 100, hash, frame } as const
  })
  const video = { ...image, signals, video: { durationMs: 6000, framesAtMs } }
  return signals.map(({ hash }) => ({ id, image: video, hash }))
}

export async function openParts(t: Test, { socket }: TestRedis, folder: string) {
  const target = storeAt(socket)
  const store = await openStore(target)
  t.teardown(() => store.close())
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  const clock = () => performance.now()
  const snapshotsWith = (options: { secret?: Buffer; keyring?: typeof keyring; store?: Store } = {}) =>
    createSnapshots({ folder, store, keyring, secret, clock, ...options })
  const reader = createImageReader(target, keyring)
  const reads = { full: 0 }
  const startReplica = async () => {
    const replica = replicaOf(
      { store, target, keyring },
      {
        reader: {
          columns() {
            reads.full++
            return reader.columns()
          },
        },
        snapshots: snapshotsWith(),
        onError: (error) => t.fail(String(error)),
      },
    )
    await replica.start()
    return replica
  }
  return { store, redis, images: createImageStore(store, keyring), snapshotsWith, startReplica, reads }
}

export function isFound(catalogue: Catalogue, { id, hash, image }: Registered): boolean {
  const hits = catalogue.index('pdq').within([hash], 0)
  return hits.some(({ image: ordinal }) => {
    const found = catalogue.image(ordinal)
    return found?.id === id && found.bank === image.bank && found.tier === image.tier && found.category === image.category
  })
}
