// A replica over a real store, as a service opens it.

import { Replica, type ReplicaParts } from '../../src/services/index/replica.js'
import { createImageStore } from '../../src/store/images/images.js'
import { createImageReader } from '../../src/store/images/reader/image-reader.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { createBankStore } from '../../src/store/organisations/banks.js'
import { connectForFollowing, type RedisTarget, type Store } from '../../src/store/redis/client.js'
import type { Keyring } from '../../src/store/sealing/seal.js'
import { createTrustStore } from '../../src/store/trust/trust.js'
import { PATIENT } from './service.js'

interface Under {
  readonly store: Store
  /** The address of that store. */
  readonly target: RedisTarget
  readonly keyring: Keyring
}

/** @param own parts that replace the usual ones. The replica is not started. */
export function replicaOf(
  { store, target, keyring }: Under,
  own: Partial<ReplicaParts> & Pick<ReplicaParts, 'onError'>,
): Replica {
  return new Replica({
    store,
    images: createImageStore(store, keyring),
    reader: createImageReader(target, keyring),
    snapshots: undefined,
    withdrawals: undefined,
    trusts: createTrustStore(store),
    banks: createBankStore(store),
    apiKeys: createApiKeyStore(store),
    follower: own.follower ?? connectForFollowing(target),
    freshness: PATIENT,
    now: () => performance.now(),
    ...own,
  })
}
