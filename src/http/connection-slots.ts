// Places for what goes on for long: so many in all, and so many of each owner. Whoever takes more loses his own oldest, and nobody else's.

import { Problem } from '../domain/problem.js'

export interface Places {
  /**
   * @param owners by whom it is counted: each row of `maxOf` has one.
   * @param end is called when the place goes to a later one of an owner's.
   * @returns what gives the place back. @throws {Problem} overloaded: all are taken, and none of them by these owners.
   */
  take(owners: readonly string[], end: () => void): () => void
}

interface Taken {
  readonly owners: readonly string[]
  readonly end: () => void
}

const RETRY_AFTER_S = 3

/** @param maxOf of the first owner of each, of the second, and so on. */
export function createConnectionSlots({
  most,
  maxOf,
}: {
  readonly most: number
  readonly maxOf: readonly number[]
}): Places {
  // The oldest first.
  const taken = new Set<Taken>()
  const of = (owners: readonly string[], i: number) => [...taken].filter((each) => each.owners[i] === owners[i])
  const evict = (oldest: Taken | undefined) => {
    if (oldest === undefined) return false
    taken.delete(oldest)
    oldest.end()
    return true
  }
  return {
    take(owners, end) {
      for (const [i, maxOfOne] of maxOf.entries()) {
        const own = of(owners, i)
        if (own.length >= maxOfOne) evict(own[0])
      }
      if (taken.size >= most && !owners.some((_, i) => evict(of(owners, i)[0])))
        throw new Problem('overloaded', { retryAfterS: RETRY_AFTER_S })
      const place = { owners, end }
      taken.add(place)
      return () => void taken.delete(place)
    },
  }
}
