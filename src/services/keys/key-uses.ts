// Notes on which day each key was last used: once a day and process, and nobody waits for it.

import type { KeyUses as KeyUseStore } from '../../store/organisations/key-uses.js'

export interface KeyUses {
  note(keyId: string): void
}

const DAY_MS = 86_400_000

export function createKeyUses({ uses, now }: { readonly uses: KeyUseStore; readonly now: () => number }): KeyUses {
  // Invariant: the number of the day that the store was told last, or is being told, for each key.
  const told = new Map<string, number>()
  return {
    note(keyId) {
      const nowMs = now()
      const day = Math.floor(nowMs / DAY_MS)
      if (told.get(keyId) === day) return
      told.set(keyId, day)
      // Without the store the next use says it again.
      uses.note(keyId, new Date(nowMs).toISOString().slice(0, 10)).catch(() => told.delete(keyId))
    },
  }
}
