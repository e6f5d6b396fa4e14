// Some of many matches, so that what one bank holds does not push out what another one does.

/** At most so many, in their order: the first of each bank before the second of any. */
export function shareByBank<T>(inOrder: readonly T[], most: number, bankOf: (one: T) => string): readonly T[] {
  if (inOrder.length <= most) return inOrder
  const counts = new Map<string, number>()
  const ranked = inOrder.map((one) => {
    const rank = (counts.get(bankOf(one)) ?? 0) + 1
    counts.set(bankOf(one), rank)
    return { one, rank }
  })
  const first = ranked.sort((a, b) => a.rank - b.rank).slice(0, most)
  const kept = new Set(first.map(({ one }) => one))
  return inOrder.filter((one) => kept.has(one))
}
