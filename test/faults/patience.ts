// A timeout counted in the time in which this process actually ran, so that a suspended or busy machine causes no false hang.

const TICK_MS = 250
/** The most that counts between two ticks. */
const MAX_MS = 500

export interface Patience {
  /** Aborts when the time is over. */
  readonly signal: AbortSignal
  /** Stops the timeout. */
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
