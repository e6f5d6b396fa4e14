// The store with its seal keys, for commands that read sealed records.

import { checkInUse } from '../store/redis/format.js'
import type { Keyring } from '../store/sealing/seal.js'
import { keyringOf } from '../store/sealing/seal-keys.js'
import { checkRing } from '../store/sealing/seal-ring.js'
import { loadSecrets, type Secrets } from '../store/sealing/secrets.js'
import { type CommandStore, withStore } from './store-of-command.js'

export interface SealedStore extends CommandStore {
  readonly keyring: Keyring
  readonly secrets: Secrets
}

/** @throws {Error} if no service has made a store yet. {SealError} if the keys do not fit the store */
export function withSealedStore<T>(use: (opened: SealedStore) => Promise<T>): Promise<T> {
  return withStore(async (opened) => {
    await checkInUse(opened.store)
    const keyring = keyringOf(opened.config, false)
    await checkRing(opened.store, keyring)
    return await use({ ...opened, keyring, secrets: await loadSecrets(opened.store, keyring) })
  })
}
