// Keeps long work from holding up short work on the same event loop, and does alike things together.

/**
 * @returns a function to call often between pieces of work: it gives a promise to wait for, which lets the event loop turn, when
 * the work has kept it for `sliceMs`, and otherwise nothing, for the cost of a look at the clock. One for each request.
 */
export function paceMaker(sliceMs: number, now: () => number): () => Promise<void> | undefined {
  let sliceBeganAtMs = now()
  const turn = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    sliceBeganAtMs = now()
  }
  return () => (now() - sliceBeganAtMs < sliceMs ? undefined : turn())
}

/**
 * @returns a function that gives the end of this turn of the event loop, the same promise to all who ask within one turn.
 *
 * What came in together is then read together, searched for together and answered together, because those who wait go on one after
 * the other to where each waits next. A search reads all over tables of megabytes and leaves nobody's code in the caches of the core;
 * between a reading and an answer it made both twice as long. Cost: one look at the queue of the loop, and no time for who is alone.
 *
 * @param atEndOfTick calls back when everything that came in with this turn was begun, as `setImmediate` does.
 */
export function tickEnds(atEndOfTick: (callback: () => void) => void): () => Promise<void> {
  let end: Promise<void> | undefined
  return () => {
    end ??= new Promise((resolve) => {
      atEndOfTick(() => {
        end = undefined
        resolve()
      })
    })
    return end
  }
}
