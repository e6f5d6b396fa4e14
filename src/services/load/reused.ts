// Reads something at most once in a while, for callers that may ask often.

/**
 * @returns a function that calls `read` and reuses its answer for `forMs`, including while it is pending. Does not reuse failures.
 * @param clock [ms] may go back.
 */
export function reused<T>(read: () => Promise<T>, forMs: number, clock: () => number): () => Promise<T> {
  let last: { readonly atMs: number; readonly answer: Promise<T> } | undefined
  return () => {
    const nowMs = clock()
    if (last !== undefined && Math.abs(nowMs - last.atMs) < forMs) return last.answer
    const asked = { atMs: nowMs, answer: read() }
    last = asked
    asked.answer.catch(() => {
      if (last === asked) last = undefined
    })
    return asked.answer
  }
}
