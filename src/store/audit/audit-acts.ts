// The numbers of the acts that this process recorded, to detect a count that was set back.

import type { Store } from '../redis/client.js'

/** How many of the latest numbers are remembered. */
const MAX_NUMBERS = 10_000

interface Acts {
  noted(act: number): void
  /** The highest number that is known. Read it before the store is asked for its count: an act noted meanwhile is in neither. */
  readonly highest: number
  /** False when this process can tell that the count of acts was set back. @param atLeast `highest` before the store was asked. */
  isAsNoted(count: number, atLeast: number): boolean
}

/** An attacker who removes an act and sets the count back makes a number occur twice, or the count fall. */
export function createActs(): Acts {
  const numbers = new Set<number>()
  let highest = 0
  let isTwice = false
  return {
    noted(act) {
      if (act === 0) return
      isTwice ||= numbers.has(act)
      numbers.add(act)
      const [oldest] = numbers.size > MAX_NUMBERS ? numbers : []
      if (oldest !== undefined) numbers.delete(oldest)
      highest = Math.max(highest, act)
    },
    get highest() {
      return highest
    },
    isAsNoted(count, atLeast) {
      const isSetBack = isTwice || count < atLeast
      highest = Math.max(highest, count)
      return !isSetBack
    },
  }
}

// Per store: the acts of the audit log that was created last on it.
export const actsByStore = new WeakMap<Store, Acts>()
