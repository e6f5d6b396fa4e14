// What the supervisor keeps running: how it is stopped, and how long it is waited with before it is started again.

export interface Kept {
  stop(): Promise<void>
  kill(): Promise<void>
}

export interface Timing {
  readonly firstRetryMs: number
  readonly longestRetryMs: number
  /** What lived this long is trusted again: its next death is answered after `firstRetryMs`. */
  readonly soundAfterMs: number
}

export interface Keeping extends Timing {
  /** A line or more for standard error. */
  readonly warn: (text: string) => void
  readonly now: () => number
}

/** How long to wait before the next start, given how long the last one lived. */
export function backoff({ firstRetryMs, longestRetryMs, soundAfterMs }: Timing): (livedMs: number) => number {
  let nextMs = firstRetryMs
  return (livedMs) => {
    if (livedMs >= soundAfterMs) nextMs = firstRetryMs
    const delayMs = nextMs
    nextMs = Math.min(nextMs * 2, longestRetryMs)
    return delayMs
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
