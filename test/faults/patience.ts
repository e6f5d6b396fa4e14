// How long something is waited for, counted in the time in which this process had its turns: a machine that stood still, or had others to
// run, makes nothing hang.

const TICK_MS = 250
/** What counts at most between two ticks. */
const MAX_MS = 500

export interface Patience {
  /** Aborts when it is at its end. */
  readonly signal: AbortSignal
  /** It is needed no longer. */
  end(): void
}

export function patience(ownMs: number, now: () => number = () => performance.now()): Patience {
  const over = new AbortController()
  let leftMs = ownMs
  let lastMs = now()
  const timer = setInterval(() => {
    const atMs = now()
    leftMs -= Math.min(atMs - lastMs, MAX_MS)
    lastMs = atMs
    if (leftMs > 0) return
    clearInterval(timer)
    over.abort()
  }, TICK_MS).unref()
  return { signal: over.signal, end: () => clearInterval(timer) }
}
