// Estimates how long a new picture will wait, from how fast workers claim pictures while others are waiting.

export interface WorkerPace {
  /** Call when a worker claims a picture. @param putAtMs when the picture was put. */
  taken(putAtMs: number): void
  /** @returns the expected wait [ms] of a picture behind `others` pictures; 0 as long as none had to wait. */
  waitMs(others: number): number
}

/** Weight of the newest interval in the moving average. The last ten intervals have nine tenths of the weight. */
const NEWEST_SHARE = 0.2

/** @param now monotonic time in milliseconds. */
export function createWorkerPace(now: () => number): WorkerPace {
  let lastAtMs: number | undefined
  let eachMs: number | undefined
  return {
    taken(putAtMs) {
      const atMs = now()
      // Counts only if the picture already waited when the previous one was claimed. Otherwise a worker was waiting for pictures.
      if (lastAtMs !== undefined && putAtMs <= lastAtMs) {
        const tookMs = atMs - lastAtMs
        eachMs = eachMs === undefined ? tookMs : eachMs + NEWEST_SHARE * (tookMs - eachMs)
      }
      lastAtMs = atMs
    },
    waitMs: (others) => others * (eachMs ?? 0),
  }
}
