// Shared by all processes: stopping on a signal or when the supervisor is gone; no memory in dumps.

import { readFileSync, writeFileSync } from 'node:fs'
import { isatty } from 'node:tty'
import { messageOf } from '../domain/message-of.js'

/** Runs `stop` once, then ends the process: with 0 on success, otherwise with 1 and the error on standard error. */
export function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false
  const begin = () => {
    if (stopping) return
    stopping = true
    stop().then(() => process.exit(0), endWith)
  }
  process.once('SIGTERM', begin)
  process.once('SIGINT', begin)
  process.once('disconnect', begin)
  // The supervisor may have ended before this process listened for it.
  if (process.send !== undefined && !process.connected) begin()
}

/**
 * SIGHUP asks a service to read its files again and must not end it. The kernel also sends it when the terminal closes from which the process was
 * started; then the process stops as on SIGTERM.
 */
export function onHangups(reload: () => void = () => {}): void {
  const isTerminalClosed = closedTerminal()
  process.on('SIGHUP', () => {
    if (isTerminalClosed()) process.kill(process.pid, 'SIGTERM')
    else reload()
  })
}

/** @returns a function that tells whether the terminal that exists now has been closed. */
export function closedTerminal(isTerminal: (fd: number) => boolean = isatty): () => boolean {
  const terminals = [0, 1, 2].filter(isTerminal)
  return () => terminals.some((fd) => !isTerminal(fd))
}

/** @returns the result of `work`. An error ends the process with its message; uncaught, Node would print it as NODE_OPTIONS say. */
export function exitOnError<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    return refuseToStart(error)
  }
}

/** Ends the process with a message that the operator can act on, without a stack. */
export function refuseToStart(error: unknown): never {
  return endWith(error)
}

function endWith(error: unknown): never {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exit(1)
}

/**
 * Keeps memory out of core dumps of this process and its later children. A size limit is not enough: if `kernel.core_pattern` names a
 * program, the kernel hands it the dump regardless of the limit, and a process that is started directly may have none. Dumps then contain
 * registers only. No effect outside Linux.
 * @see core(5), "Controlling which mappings are written to the core dump"
 */
export function leaveMemoryOutOfDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0')
  } catch {
    // not Linux, or a kernel without core dumps
  }
}

/**
 * How to start one of our programs so that its memory never reaches a disk: no core dump, and where Node supports it, no signal opens the
 * inspector. Settings refuse reports and heap snapshots (`config.ts`).
 */
export function withoutDumps(program: string): { readonly command: string; readonly args: readonly string[] } {
  const flags = ['--disable-sigusr1'].filter((flag) => process.allowedNodeEnvironmentFlags.has(flag))
  return { command: '/bin/sh', args: ['-c', 'ulimit -c 0; exec "$0" "$@"', process.execPath, ...flags, program] }
}

/** @returns how many files this process may open; `undefined` if the system does not say. */
export function maxOpenFiles(limits = '/proc/self/limits'): number | undefined {
  try {
    const text = /^Max open files +(\d+)/m.exec(readFileSync(limits, 'utf8'))?.[1]
    return text === undefined ? undefined : Number(text)
  } catch {
    return undefined
  }
}
