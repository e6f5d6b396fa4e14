// What a process was told of the numbers of the acts that it noted in the audit log.

import type { Store } from '../redis/client.js'

/** Of acts of this process, the latest. */
const MAX_NUMBERS = 10_000

interface Acts {
  noted(act: number): void
  /** Was the count of acts not set back, as far as this process can tell? */
  isAsNoted(count: number): boolean
}

/** What a process was told of the numbers of acts: whoever takes an act out and sets their count back lets a number be given twice. */
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
    isAsNoted(count) {
      const isSetBack = isTwice || count < highest
      highest = Math.max(highest, count)
      return !isSetBack
    },
  }
}

// Of each store, for the log that was made over it last.
export const actsByStore = new WeakMap<Store, Acts>()
