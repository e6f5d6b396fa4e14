// Keeps this process sealing with the key that all processes agreed on, and notes in the store which key it uses.

import { randomBytes } from 'node:crypto'
import { Problem } from '../../domain/problem.js'
import type { Store } from '../../store/redis/client.js'
import { type Keyring, SealError } from '../../store/sealing/seal.js'
import { forgetSealing, keyToSealWith, noteActive, noteSealing } from '../../store/sealing/seal-ring.js'

export interface SealingParts {
  readonly store: Store
  readonly keyring: Keyring
  readonly onError: (error: unknown) => void
  /** Called when this process begins to seal with another key. */
  readonly onSwitch: () => void
}

const ASK_INTERVAL_MS = 2000

export function createKeyRollover({ store, keyring, onError, onSwitch }: SealingParts): { close(): Promise<void> } {
  const processId = randomBytes(8).toString('hex')
  let told = ''
  let hasComplained = false

  const look = async () => {
    const agreed = await keyToSealWith(store)
    if (agreed !== undefined && agreed !== keyring.active.fingerprint && keyring.refresh()) onSwitch()
    const { fingerprint } = keyring.active
    if (told !== fingerprint) await noteActive(store, keyring)
    if (told !== fingerprint && told !== '') await forgetSealing(store, processId, told)
    await noteSealing(store, processId, fingerprint)
    told = fingerprint
    const differs = agreed !== undefined && agreed !== fingerprint
    if (differs && !hasComplained) {
      onError(new SealError('This process seals with another key than was agreed on. Start it with the new ring.'))
    }
    hasComplained = differs
  }
  const tryToLook = () =>
    look().catch((error: unknown) => {
      if (!(error instanceof Problem)) onError(error)
    })
  let last = tryToLook()
  const timer = setInterval(() => {
    last = last.then(tryToLook)
  }, ASK_INTERVAL_MS).unref()

  return {
    async close() {
      clearInterval(timer)
      await last
      await forgetSealing(store, processId, told).catch(() => {}) // the note expires by itself
    },
  }
}
