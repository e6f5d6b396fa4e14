// Yields to the event loop during long work, and lets requests of one tick continue together.

/**
 * @returns a function to call often between steps of long work. It returns a promise that resolves in the next tick once the work has run for
 *   `sliceMs`. Otherwise it returns `undefined`, at the cost of reading the clock. Create one per request.
 */
export function yielder(sliceMs: number, now: () => number): () => Promise<void> | undefined {
  let sliceBeganAtMs = now()
  const nextSlice = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    sliceBeganAtMs = now()
  }
  return () => (now() - sliceBeganAtMs < sliceMs ? undefined : nextSlice())
}

/**
 * @returns a function that returns a promise of the end of this tick; all callers within one tick get the same promise.
 *
 * So requests of one tick read together, search together and answer together. A search reads tables of megabytes, and evicts other code and data from
 * the caches of the core. When it ran between the reading and the answering of single requests, both took twice as long. A request that is alone
 * waits no longer.
 *
 * @param atEndOfTick calls back once everything that arrived in this tick has started, as `setImmediate` does.
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
