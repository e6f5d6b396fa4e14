// Keeps long work from holding up short work on the same event loop.

/**
 * @returns a function to call often between pieces of work: it gives a promise to wait for, which lets the event loop turn, when
 * the work has kept it for `sliceMs`, and otherwise nothing, for the cost of a look at the clock. One for each request.
 */
export function paceMaker(sliceMs: number, now: () => number): () => Promise<void> | undefined {
  let turnedAtMs = now()
  const turn = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    turnedAtMs = now()
  }
  return () => (now() - turnedAtMs < sliceMs ? undefined : turn())
}
