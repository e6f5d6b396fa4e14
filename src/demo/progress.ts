// A bar on a terminal's standard error, for what takes longer than a second.

export interface ProgressOptions {
  readonly stream: { readonly isTTY?: boolean; write(text: string): unknown }
  readonly now: () => number
}

export interface Progress {
  /** One step of `total` is done. */
  step(): void
  /** Takes the bar away. */
  end(): void
}

const SHOWN_AFTER_MS = 1000
const CELLS = 30
const ERASE_LINE = '\r\u001b[K'

/** Nothing is written before a second has passed, and nothing at all where no terminal is. */
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
