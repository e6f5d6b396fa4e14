// Remembers which images changed recently, so that a feed reports each image once, at its last change.

import type { Change } from '../../store/scripts/change-ops.js'

export interface RecentChanges {
  /** Call it with all changes in order. */
  note(changes: readonly Change[]): void
  /** Whether the image's last known change was after `revision`, and at or before `until`. False if no change of it is remembered. */
  changedAfter(imageId: string, revision: number, until?: number): boolean
  /** Call it when the history diverged: revisions are then assigned again. */
  clear(): void
}

/** Maximum images remembered: about 10 MB. A forgotten image may be reported twice, which is harmless. */
const MAX = 65_536

/** Growing a map rehashes all of it. For one full map that takes as long as a whole query may; for one shard it takes 0.02 ms. */
const SHARDS = 256

export function createRecentChanges(most = MAX): RecentChanges {
  // Invariant: an id is in the shard of its last byte, which is random. Each shard is in order of revisions, oldest first.
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
