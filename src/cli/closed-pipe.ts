// `tabir export | head`: who reads has had enough, and that is no fault of the command.

/** As the shell counts a program that was ended by SIGPIPE. */
export const NOBODY_READS = 141

/** Ends the process without a trace when nobody reads its output any more. May be called again. */
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
