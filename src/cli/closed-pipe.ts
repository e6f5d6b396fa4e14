// Handles a closed pipe, as in `tabir export | head`. The reader has enough; that is not an error.

/** The exit status that shells report for a program that SIGPIPE ended. */
export const NOBODY_READS = 141

/** Ends the process silently when its output is closed. May be called again. */
export function endQuietlyWhenNobodyReads(): void {
  for (const stream of [process.stdout, process.stderr])
    if (!stream.listeners('error').includes(onError)) stream.on('error', onError)
}

export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE'
}

function onError(error: Error): void {
  if (!isClosedPipe(error)) throw error
  process.exit(NOBODY_READS)
}
