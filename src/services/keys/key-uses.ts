// Notes the day on which each key was last used: once per day and process, without delaying the request.

import type { KeyUses as KeyUseStore } from '../../store/organisations/key-uses.js'

export interface KeyUses {
  note(keyId: string): void
}

const DAY_MS = 86_400_000

export function createKeyUses({ uses, now }: { readonly uses: KeyUseStore; readonly now: () => number }): KeyUses {
  // Invariant: for each key, the day that was last written to the store or is being written.
  const noted = new Map<string, number>()
  return {
    note(keyId) {
      const nowMs = now()
      const day = Math.floor(nowMs / DAY_MS)
      if (noted.get(keyId) === day) return
      noted.set(keyId, day)
      // When the store is unavailable, the next use tries again.
      uses.note(keyId, new Date(nowMs).toISOString().slice(0, 10)).catch(() => noted.delete(keyId))
    },
  }
}
