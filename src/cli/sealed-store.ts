// What commands work on that need what is sealed: the running service's Redis, or that of the data folder.

import { type Config, readConfig } from '../config.js'
import { openRedisServer } from '../store/embedded-redis.js'
import { checkFormat } from '../store/format.js'
import type { Keyring } from '../store/seal.js'
import { keyringOf } from '../store/seal-keys.js'
import { checkRing } from '../store/seal-ring.js'
import { hasSecrets, loadSecrets, type Secrets } from '../store/secrets.js'
import { openStore, type RedisTarget, type Store } from '../store/store.js'

export interface SealedStore {
  readonly config: Config
  readonly store: Store
  readonly keyring: Keyring
  readonly secrets: Secrets
  readonly target: RedisTarget
}

/** Uses the running service's Redis, or starts the one of the data folder for the moment. Running processes learn of it by themselves. */
export async function withSealedStore<T>(use: (opened: SealedStore) => Promise<T>): Promise<T> {
  const config = readConfig(process.env)
  const server = await openRedisServer(config)
  try {
    const target = { url: server.url, socket: server.socket }
    const store = await openStore(target)
    try {
      await checkFormat(store)
      const keyring = keyringOf(config, !(await hasSecrets(store)))
      await checkRing(store, keyring)
      return await use({ config, store, keyring, secrets: await loadSecrets(store, keyring), target })
    } finally {
      await store.close()
    }
  } finally {
    await server.stop()
  }
}
