/** @returns the items in order, in arrays of `size`; the last one may be shorter. */
export function* inChunks<T>(items: readonly T[], size: number): Generator<T[], void, void> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
