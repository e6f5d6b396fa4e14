// A replica over a real Redis, and the stores that write images into it, for tests.

import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import type { ReplicaFreshness } from '../../src/services/index/readiness.js'
import type { Replica } from '../../src/services/index/replica.js'
import { createImageStore, type Images, MAX_PER_CASE } from '../../src/store/images/images.js'
import type { OwnWrites } from '../../src/store/images/read-your-writes.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import type { WithdrawalLog } from '../../src/store/upkeep/withdrawal-log.js'
import type { TestRedis } from '../helpers/redis.js'
import { imageOf } from '../helpers/registered-image.js'
import { replicaOf } from '../helpers/replica.js'
import { PATIENT } from '../helpers/service.js'

export async function openParts(t: Test, { socket }: TestRedis) {
  const target = { url: undefined, socket }
  const store = await openStore(target)
  t.teardown(() => store.close())
  const keyring = makeKeyring([Buffer.alloc(32, 7)])
  const images = createImageStore(store, keyring)
  /** The image store of a process which remembers its own writes. */
  const imagesOf = (own: OwnWrites) => createImageStore(store, keyring, MAX_PER_CASE, own)
  const replicaWith = (
    freshness: ReplicaFreshness = PATIENT,
    clock: () => number = () => performance.now(),
    { withdrawals, get, own }: { withdrawals?: WithdrawalLog; get?: Images['get']; own?: OwnWrites } = {},
  ) => {
    const replica = replicaOf(
      { store, target, keyring },
      {
        images: get === undefined ? images : { ...images, inPieces: inOnePiece(get) },
        withdrawals,
        ...(own !== undefined && { own }),
        freshness,
        now: clock,
        onError: (error) => t.fail(String(error)),
      },
    )
    t.teardown(() => replica.close())
    return replica
  }
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  return { images, imagesOf, replicaWith, redis }
}

function inOnePiece(get: Images['get']): Images['inPieces'] {
  return async function* (ids) {
    yield await get(ids)
  }
}

export function randomImage(): { id: string; image: RegisteredImage } {
  return { id: uuidV7(Date.now(), randomBytes(10)), image: imageOf(hashFromBytes(randomBytes(32))) }
}

/** Ids of the images that a replica finds by their own hash. */
export function found(replica: Replica, all: readonly { id: string; image: RegisteredImage }[]): string[] {
  const { catalogue } = replica
  return all.flatMap(({ id, image }) => {
    const hits = catalogue.index('pdq').within(
      [...image.signals].map(({ hash }) => hash),
      0,
    )
    return hits.some((hit) => catalogue.image(hit.image)?.id === id) ? [id] : []
  })
}
