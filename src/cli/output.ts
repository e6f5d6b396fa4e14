// What commands print: answers as JSON to standard output, reasons to standard error.

import { plainJson } from '../domain/plain-text.js'

export function printJson(value: object): void {
  process.stdout.write(`${plainJson(value)}\n`)
}

/** Prints why a command failed. @returns the exit status */
export function failed(why: string, status: number): number {
  process.stderr.write(`${why}\n`)
  return status
}

/** @returns the time as RFC 3339, UTC. */
export function instantOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
