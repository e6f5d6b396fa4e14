// Selects a fair share of a list, so that one owner with many entries does not crowd out the others.

/** Where an entry comes from. */
export interface Origin {
  /** Owners share equally: an organisation, or all cases together. */
  readonly owner: string | number
  /** The parts of an owner share equally: its banks, or the cases. */
  readonly part: string | number
}

/**
 * Selects at most `maxEntries` entries and keeps their order. Cost: linear in the number of entries.
 *
 * Takes the first entry of each owner before the second of any, and within an owner the first
 * of each part before the second of any. So an owner gains nothing by opening more banks or cases.
 */
export function fairShareOf<T>(inOrder: readonly T[], maxEntries: number, originOf: (entry: T) => Origin): readonly T[] {
  if (inOrder.length <= maxEntries) return inOrder
  const from = inOrder.map((entry) => ({ entry, ...originOf(entry) }))
  const byPart = byRank(from, ({ owner, part }) => `${owner} ${part}`)
  const first = byRank(byPart, ({ owner }) => owner).slice(0, maxEntries)
  const kept = new Set(first.map(({ entry }) => entry))
  return inOrder.filter((entry) => kept.has(entry))
}

/** Reorders: the first entry of each key, then the second of each, and so on. */
function byRank<T>(inOrder: readonly T[], keyOf: (entry: T) => string | number): T[] {
  const counts = new Map<string | number, number>()
  const ranks: T[][] = []
  for (const entry of inOrder) {
    const key = keyOf(entry)
    const rank = counts.get(key) ?? 0
    counts.set(key, rank + 1)
    const own = ranks[rank] ?? []
    ranks[rank] = own
    own.push(entry)
  }
  return ranks.flat()
}
