// How fast pictures are taken while some wait: so how long one that comes now would wait.

export interface WorkerPace {
  /** A worker has taken one that was left at that time. */
  taken(putAtMs: number): void
  /** Of one behind so many others; 0 as long as none had to wait. */
  waitMs(others: number): number
}

/** So much the newest interval counts: about the last ten are remembered. */
const NEWEST_SHARE = 0.2

/** @param now in milliseconds, never goes back. */
export function createWorkerPace(now: () => number): WorkerPace {
  let lastAtMs: number | undefined
  let eachMs: number | undefined
  return {
    taken(putAtMs) {
      const atMs = now()
      // Only of one that was there already when the one before was taken: otherwise it was the workers who waited.
      if (lastAtMs !== undefined && putAtMs <= lastAtMs) {
        const tookMs = atMs - lastAtMs
        eachMs = eachMs === undefined ? tookMs : eachMs + NEWEST_SHARE * (tookMs - eachMs)
      }
      lastAtMs = atMs
    },
    waitMs: (others) => others * (eachMs ?? 0),
  }
}
