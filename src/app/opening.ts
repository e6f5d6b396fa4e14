// Opens a store for an api: checks its format and seal keys, and loads the deployment's secrets.

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
  /** Called once it is known whether the store has sealed records. @throws {SealError} */
  readonly keyring: (isFirstUse: boolean) => Keyring
}

/**
 * May be repeated after an interruption at any point.
 * @throws {SealError} if the keyring does not fit the store. {Problem} store-unavailable
 */
export async function openSealed({ redis, keyring: keyringFor }: OpeningOptions): Promise<SealedStore> {
  const store = await openStore(redis)
  try {
    await checkFormat(store)
    const keyring = keyringFor(!(await hasSecrets(store)))
    await checkRing(store, keyring)
    const secrets = await loadSecrets(store, keyring)
    await agreeOnFormat(store) // First write to a used store, after the keys were checked: a process without them changes nothing.
    await noteActive(store, keyring)
    return { store, keyring, secrets }
  } catch (error) {
    await store.close()
    throw error
  }
}
