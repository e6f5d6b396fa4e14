// Which images changed last, in memory: so that a feed tells each of them once, where its last change is, and not twice.

import type { Change } from '../../store/scripts/change-ops.js'

export interface RecentChanges {
  /** To be called with all changes in their order. */
  note(changes: readonly Change[]): void
  /** Was its last change after `revision`, and not after `until`, as far as is remembered? `false` when that is not known. */
  changedAfter(imageId: string, revision: number, until?: number): boolean
  /** When the changes turned out to be of another history: their numbers are given a second time. */
  clear(): void
}

/** About 10 MB. What was forgotten may be told twice, which changes nothing for who hears it. */
const MAX = 65_536

/**
 * A map that is full is written anew, which of so many ids at once takes as long as a query may; of a shard it is a fiftieth of a
 * millisecond.
 */
const SHARDS = 256

export function createRecentChanges(most = MAX): RecentChanges {
  // Invariant: an id is in the shard of its last byte, which is random; each in the order of revisions, the oldest first.
  const shards = Array.from({ length: SHARDS }, () => new Map<string, number>())
  const shardOf = (id: string) => shards[Number.parseInt(id.slice(-2), 16)]
  return {
    note(changes) {
      for (const change of changes) {
        if (!('imageIds' in change)) continue
        for (const id of change.imageIds) {
          const lastOf = shardOf(id)
          lastOf?.delete(id)
          lastOf?.set(id, change.revision)
          if (lastOf !== undefined) forgetBeyond(lastOf, most / SHARDS)
        }
      }
    },
    clear() {
      for (const lastOf of shards) lastOf.clear()
    },
    changedAfter(imageId, revision, until = Number.POSITIVE_INFINITY) {
      const last = shardOf(imageId)?.get(imageId) ?? 0
      return last > revision && last <= until
    },
  }
}

function forgetBeyond(lastOf: Map<string, number>, most: number): void {
  if (lastOf.size <= most) return
  for (const oldest of lastOf.keys()) {
    lastOf.delete(oldest)
    return
  }
}
