// Ranges of content ids that did not exist when they were checked, and may exist later: an HMA assigns ids before it writes contents.

import type { Hole } from '../../domain/organisations/reconciler.js'

/** The ranges that were first found missing after `sinceMs`. */
export function openHoles(holes: readonly Hole[], sinceMs: number): Hole[] {
  return holes.filter((hole) => hole.sinceMs > sinceMs)
}

/** The ranges after the ids `from` to `to` were checked: within these only `missing` remain, dated `sinceMs`. Sorted. */
export function withHoles(
  holes: readonly Hole[],
  from: number,
  to: number,
  missing: readonly number[],
  sinceMs: number,
): Hole[] {
  const outside = holes.flatMap((hole) => {
    if (hole.to < from || hole.from > to) return [hole]
    return [
      { ...hole, to: from - 1 },
      { ...hole, from: to + 1 },
    ].filter((part) => part.from <= part.to)
  })
  const inside: Hole[] = []
  for (const id of missing) {
    const last = inside.at(-1)
    if (last?.to === id - 1) inside[inside.length - 1] = { ...last, to: id }
    else inside.push({ from: id, to: id, sinceMs })
  }
  return [...outside, ...inside].sort((a, b) => a.from - b.from)
}
