// Slots for long-lived connections: a maximum in total and one per owner. An owner that exceeds its maximum loses its own oldest connection.

import { Problem } from '../domain/problem.js'

export interface ConnectionSlots {
  /**
   * @param owners one per entry of `maxPerOwner`, such as the case and the address.
   * @param end is called when a later connection of the same owner gets this slot.
   * @returns a function that releases the slot. @throws {Problem} overloaded: all slots are taken, none of them by these owners.
   */
  acquire(owners: readonly string[], end: () => void): () => void
}

interface Slot {
  readonly owners: readonly string[]
  readonly end: () => void
}

const RETRY_AFTER_S = 3

/** @param maxPerOwner the maximum for the first owner of each connection, for the second, and so on. */
export function createConnectionSlots({
  max,
  maxPerOwner,
}: {
  readonly max: number
  readonly maxPerOwner: readonly number[]
}): ConnectionSlots {
  // Oldest first.
  const taken = new Set<Slot>()
  const heldBy = (owners: readonly string[], i: number) => [...taken].filter((each) => each.owners[i] === owners[i])
  const evict = (oldest: Slot | undefined) => {
    if (oldest === undefined) return false
    taken.delete(oldest)
    oldest.end()
    return true
  }
  return {
    acquire(owners, end) {
      for (const [i, maxOfOne] of maxPerOwner.entries()) {
        const own = heldBy(owners, i)
        if (own.length >= maxOfOne) evict(own[0])
      }
      if (taken.size >= max && !owners.some((_, i) => evict(heldBy(owners, i)[0])))
        throw new Problem('overloaded', { retryAfterS: RETRY_AFTER_S })
      const slot = { owners, end }
      taken.add(slot)
      return () => void taken.delete(slot)
    },
  }
}
