// Estimates how long a new picture will wait, from how fast workers claim pictures while some wait.

export interface WorkerPace {
  /** A worker claimed a picture that was put at that time. */
  taken(putAtMs: number): void
  /** Expected wait of a picture behind `others`; 0 as long as none had to wait. */
  waitMs(others: number): number
}

/** Weight of the newest interval in the moving average: about the last ten count. */
const NEWEST_SHARE = 0.2

/** @param now monotonic time in milliseconds. */
export function createWorkerPace(now: () => number): WorkerPace {
  let lastAtMs: number | undefined
  let eachMs: number | undefined
  return {
    taken(putAtMs) {
      const atMs = now()
      // Only if the picture already waited when the previous one was claimed. Otherwise the workers waited for pictures.
      if (lastAtMs !== undefined && putAtMs <= lastAtMs) {
        const tookMs = atMs - lastAtMs
        eachMs = eachMs === undefined ? tookMs : eachMs + NEWEST_SHARE * (tookMs - eachMs)
      }
      lastAtMs = atMs
    },
    waitMs: (others) => others * (eachMs ?? 0),
  }
}
