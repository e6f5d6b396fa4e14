// Runs a program of this machine and waits for it.

import { type SpawnSyncOptionsWithStringEncoding, spawnSync } from 'node:child_process'

/** A busy machine needs seconds to start a program. A longer run hangs. */
export const END_LIMIT_MS = 120_000

/**
 * @returns the output of the program and its exit code; a `status` of `null` if it could not be started or a signal ended it.
 * @throws {Error} when it does not end in time. That says nothing about the program: a caller must not go on as if it did not work here.
 */
export function runToEnd(
  command: string,
  args: readonly string[],
  options: Omit<SpawnSyncOptionsWithStringEncoding, 'encoding'>,
): { readonly status: number | null; readonly stdout: string } {
  const { timeout = END_LIMIT_MS } = options
  const { status, stdout, error } = spawnSync(command, args, { ...options, encoding: 'utf8', timeout })
  if (error !== undefined && 'code' in error && error.code === 'ETIMEDOUT')
    throw new Error(`${command} did not end within ${timeout / 1000} s. Is this machine overloaded?`)
  return { status, stdout: stdout ?? '' }
}
