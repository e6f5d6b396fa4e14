// Some of many, so that what one party holds does not push out what another one does.

/** Where something comes from. */
export interface Origin {
  /** Who shares with others alike: an organisation, or all cases together. */
  readonly party: string | number
  /** What shares alike within a party: a bank, or a case. */
  readonly part: string | number
}

/**
 * At most so many, in their order: the first of each party before the second of any; of a party the first of each part before the second of any. Whoever
 * opens more banks or cases has no more places for it.
 */
export function sharedOut<T>(inOrder: readonly T[], most: number, originOf: (one: T) => Origin): readonly T[] {
  if (inOrder.length <= most) return inOrder
  const from = inOrder.map((one) => ({ one, ...originOf(one) }))
  const byPart = byRank(from, ({ party, part }) => `${party} ${part}`)
  const first = byRank(byPart, ({ party }) => party).slice(0, most)
  const kept = new Set(first.map(({ one }) => one))
  return inOrder.filter((one) => kept.has(one))
}

/** The first of each, then the second of each, and so on. */
function byRank<T>(inOrder: readonly T[], keyOf: (one: T) => string | number): T[] {
  const counts = new Map<string | number, number>()
  const ranks: T[][] = []
  for (const one of inOrder) {
    const key = keyOf(one)
    const rank = counts.get(key) ?? 0
    counts.set(key, rank + 1)
    const own = ranks[rank] ?? []
    ranks[rank] = own
    own.push(one)
  }
  return ranks.flat()
}
