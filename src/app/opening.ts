// A store that an api may work on: in a format and under seal keys that it knows, with the deployment's secrets.

import { openStore, type RedisTarget, type Store } from '../store/redis/client.js'
import { agreeOnFormat, checkFormat } from '../store/redis/format.js'
import type { Keyring } from '../store/sealing/seal.js'
import { checkRing, noteActive } from '../store/sealing/seal-ring.js'
import { hasSecrets, loadSecrets, type Secrets } from '../store/sealing/secrets.js'

export interface SealedStore {
  readonly store: Store
  readonly keyring: Keyring
  readonly secrets: Secrets
}

export interface OpeningOptions {
  readonly redis: RedisTarget
  /** Asked once it is known whether anything was ever sealed in this store. @throws {SealError} */
  readonly keyring: (isFirstUse: boolean) => Keyring
}

/**
 * May be done again, wherever it was interrupted.
 *
 * @throws {SealError} when the keyring does not belong to what is stored. {Problem} store-unavailable
 */
export async function openSealed({ redis, keyring: keyringFor }: OpeningOptions): Promise<SealedStore> {
  const store = await openStore(redis)
  try {
    await checkFormat(store)
    const keyring = keyringFor(!(await hasSecrets(store)))
    await checkRing(store, keyring)
    const secrets = await loadSecrets(store, keyring)
    await agreeOnFormat(store) // the first write to a store that has been used: who lacks its keys changes nothing
    await noteActive(store, keyring)
    return { store, keyring, secrets }
  } catch (error) {
    await store.close()
    throw error
  }
}
