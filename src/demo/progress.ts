// A progress bar on standard error, for work that takes longer than a second.

export interface ProgressOptions {
  readonly stream: { readonly isTTY?: boolean; write(text: string): unknown }
  readonly now: () => number
}

export interface Progress {
  /** Counts one of `total` steps. */
  step(): void
  /** Erases the bar. */
  end(): void
}

const SHOWN_AFTER_MS = 1000
const CELLS = 30
const ERASE_LINE = '\r\u001b[K'

/** Writes nothing in the first second, and nothing unless the stream is a terminal. */
export function progressOf(label: string, total: number, { stream, now }: ProgressOptions): Progress {
  const startedAtMs = now()
  let done = 0
  let isShown = false
  return {
    step() {
      done += 1
      if (stream.isTTY !== true || now() - startedAtMs < SHOWN_AFTER_MS) return
      isShown = true
      const filled = Math.round((done / total) * CELLS)
      stream.write(`${ERASE_LINE}  ${label} [${'#'.repeat(filled)}${'.'.repeat(CELLS - filled)}] ${done}/${total}`)
    },
    end() {
      if (isShown) stream.write(ERASE_LINE)
      isShown = false
    },
  }
}
