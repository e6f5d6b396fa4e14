// Which images changed last, in memory: so that a feed tells each of them once, where its last change is, and not twice.

import type { Change } from '../store/changes.js'

export interface RecentChanges {
  /** To be called with all changes in their order. */
  note(changes: readonly Change[]): void
  /** Did it change after `revision`, as far as is remembered? `false` when that is not known. */
  changedAfter(imageId: string, revision: number): boolean
}

/** About 10 MB. What was forgotten may be told twice, which changes nothing for who hears it. */
const MOST = 65_536

export function recentChanges(most = MOST): RecentChanges {
  // Invariant: in the order of their revisions, the oldest first.
  const lastOf = new Map<string, number>()
  return {
    note(changes) {
      for (const change of changes) {
        if (!('imageIds' in change)) continue
        for (const id of change.imageIds) {
          lastOf.delete(id)
          lastOf.set(id, change.revision)
        }
      }
      for (const oldest of lastOf.keys()) {
        if (lastOf.size <= most) break
        lastOf.delete(oldest)
      }
    },
    changedAfter: (imageId, revision) => (lastOf.get(imageId) ?? 0) > revision,
  }
}
