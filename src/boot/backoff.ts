// How the supervisor stops a part, and how long it waits before it starts it again.

export interface Kept {
  stop(): Promise<void>
  kill(): Promise<void>
}

export interface Timing {
  readonly firstRetryMs: number
  readonly longestRetryMs: number
  /** A part that ran this long is considered sound: its next restart comes after `firstRetryMs`. */
  readonly soundAfterMs: number
}

export interface Keeping extends Timing {
  /** Writes to standard error; the text may have several lines. */
  readonly warn: (text: string) => void
  readonly now: () => number
}

/** @returns a function that gives the delay before the next start, from how long the last run lasted. It doubles up to the longest. */
export function backoff({ firstRetryMs, longestRetryMs, soundAfterMs }: Timing): (livedMs: number) => number {
  let nextMs = firstRetryMs
  return (livedMs) => {
    if (livedMs >= soundAfterMs) nextMs = firstRetryMs
    const delayMs = nextMs
    nextMs = Math.min(nextMs * 2, longestRetryMs)
    return delayMs
  }
}
