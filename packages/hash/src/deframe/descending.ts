// Yields the indexes of scores from the highest down. A heap: cheaper than sorting for callers that stop after a few.

/** @returns indexes into `scores`, highest score first; of equal scores the lower index first. Cost: O(n), then O(log n) for each. */
export function* descending(scores: Float64Array): Generator<number> {
  const heap = Int32Array.from(scores.keys())
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, heap.length, at, scores)
  for (let left = heap.length; left > 0; left--) {
    const first = heap[0] ?? 0
    yield first
    heap[0] = heap[left - 1] ?? 0
    sink(heap, left - 1, 0, scores)
  }
}

function sink(heap: Int32Array, length: number, from: number, scores: Float64Array): void {
  const sinking = heap[from] ?? 0
  let at = from
  for (let child = 2 * at + 1; child < length; child = 2 * at + 1) {
    if (child + 1 < length && isBefore(heap[child + 1] ?? 0, heap[child] ?? 0, scores)) child++
    const rising = heap[child] ?? 0
    if (isBefore(sinking, rising, scores)) break
    heap[at] = rising
    at = child
  }
  heap[at] = sinking
}

function isBefore(a: number, b: number, scores: Float64Array): boolean {
  const [scoreA, scoreB] = [scores[a] ?? 0, scores[b] ?? 0]
  return scoreA > scoreB || (scoreA === scoreB && a < b)
}
