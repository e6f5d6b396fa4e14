// Keeps long work from holding up short work on the same event loop.

/**
 * @returns a function to call often between pieces of work: it lets the event loop turn when the work has kept it for
 * `sliceMs`, and costs a look at the clock otherwise. One for each request.
 */
export function paceMaker(sliceMs: number, now: () => number): () => Promise<void> {
  let turnedAtMs = now()
  return async () => {
    if (now() - turnedAtMs < sliceMs) return
    await new Promise((resolve) => setImmediate(resolve))
    turnedAtMs = now()
  }
}
