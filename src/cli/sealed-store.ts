// What commands work on that need what is sealed.

import { checkInUse } from '../store/format.js'
import type { Keyring } from '../store/seal.js'
import { keyringOf } from '../store/seal-keys.js'
import { checkRing } from '../store/seal-ring.js'
import { loadSecrets, type Secrets } from '../store/secrets.js'
import { type CommandStore, withStore } from './store-of-command.js'

export interface SealedStore extends CommandStore {
  readonly keyring: Keyring
  readonly secrets: Secrets
}

/** @throws {Error} when no service has made a store yet. {SealError} when the keys are not those of the store. */
export function withSealedStore<T>(use: (opened: SealedStore) => Promise<T>): Promise<T> {
  return withStore(async (opened) => {
    await checkInUse(opened.store)
    const keyring = keyringOf(opened.config, false)
    await checkRing(opened.store, keyring)
    return await use({ ...opened, keyring, secrets: await loadSecrets(opened.store, keyring) })
  })
}
