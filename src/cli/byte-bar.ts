// A progress bar on standard error: bytes so far, speed, time left.

export interface ByteBarOptions {
  readonly label: string
  /** 0 if unknown. */
  readonly totalBytes: number
  readonly stream: { readonly isTTY?: boolean; write(text: string): unknown }
  readonly now: () => number
}

const INTERVAL_MS = 200
const CELLS = 30
const ERASE_LINE = '\r\u001b[K'
const MB = 1e6

/** Writes nothing unless the stream is a terminal. */
export function byteBar({ label, totalBytes, stream, now }: ByteBarOptions) {
  let startedAtMs = now()
  let shownAtMs = startedAtMs
  let bytes = 0
  return {
    add(more: number): void {
      bytes += more
      if (stream.isTTY !== true || now() - shownAtMs < INTERVAL_MS) return
      shownAtMs = now()
      const perMs = bytes / Math.max(1, shownAtMs - startedAtMs)
      const speed = `${((perMs * 1000) / MB).toFixed(1)} MB/s`
      if (totalBytes === 0) {
        stream.write(`${ERASE_LINE}  ${label} ${(bytes / MB).toFixed(1)} MB, ${speed}`)
        return
      }
      const filled = Math.min(CELLS, Math.floor((bytes / totalBytes) * CELLS))
      const leftS = Math.ceil((totalBytes - bytes) / perMs / 1000)
      const cells = '#'.repeat(filled) + '.'.repeat(CELLS - filled)
      const percent = Math.floor((bytes / totalBytes) * 100)
      stream.write(
        `${ERASE_LINE}  ${label} [${cells}] ${percent} % of ${(totalBytes / MB).toFixed(1)} MB, ${speed}, ${leftS} s left`,
      )
    },
    restart(): void {
      bytes = 0
      startedAtMs = now()
    },
    /** Erases the bar. */
    end(): void {
      if (stream.isTTY === true) stream.write(ERASE_LINE)
    },
  }
}
