// How every process of Tabir stops: on a signal, or when the supervisor that started it is gone. And what it may use.

import { readFileSync, writeFileSync } from 'node:fs'
import { isatty } from 'node:tty'

/** Runs `stop` once, then ends the process: with 0 when it went well, or else with 1 and its error on standard error. */
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
  // The supervisor may have gone while this process was still starting; then there is nobody to say so any more.
  if (process.send !== undefined && !process.connected) begin()
}

/**
 * SIGHUP asks a service to read its files again, and must not end it. The kernel sends the same signal when the terminal is closed at which a process
 * was started: then it stops as on SIGTERM.
 */
export function hearHangups(reload: () => void = () => {}): void {
  const isTerminalClosed = closedTerminal()
  process.on('SIGHUP', () => {
    if (isTerminalClosed()) process.kill(process.pid, 'SIGTERM')
    else reload()
  })
}

/** @returns whether a terminal that is there now has been closed since: the system does not call it one any more. */
export function closedTerminal(isTerminal: (fd: number) => boolean = isatty): () => boolean {
  const terminals = [0, 1, 2].filter(isTerminal)
  return () => terminals.some((fd) => !isTerminal(fd))
}

/** What `work` gives; what it throws ends the process in words. Uncaught, it would end in whatever Node was told to write then. */
export function orRefuseToStart<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    return refuseToStart(error)
  }
}

/** Ends the process with what an operator can act on: the message of a refusal to start, without a stack. */
export function refuseToStart(error: unknown): never {
  return endWith(error)
}

function endWith(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

/**
 * Leaves all memory out of core dumps of this process, and of what it starts from now on.
 *
 * A limit of size does not do that alone: where `kernel.core_pattern` names a program, the kernel hands it the dump whatever the limit is, and
 * who starts a process directly may set none. What is left in such a dump are registers. No effect on other systems than Linux.
 * @see core(5), "Controlling which mappings are written to the core dump"
 */
export function leaveMemoryOutOfDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0')
  } catch {
    // not Linux, or a kernel that writes no dumps
  }
}

/**
 * How to start a program of ours with Node so that no memory of it gets to a disk: it can write no core dump, and where Node knows
 * how, no signal opens the inspector. Reports and heap snapshots are refused as settings (`config.ts`).
 */
export function withoutDumps(program: string): { readonly command: string; readonly args: readonly string[] } {
  const flags = ['--disable-sigusr1'].filter((flag) => process.allowedNodeEnvironmentFlags.has(flag))
  return { command: '/bin/sh', args: ['-c', 'ulimit -c 0; exec "$0" "$@"', process.execPath, ...flags, program] }
}

/** How many files this process may have open; `undefined` where the system does not say. */
export function maxOpenFiles(limits = '/proc/self/limits'): number | undefined {
  try {
    const text = /^Max open files +(\d+)/m.exec(readFileSync(limits, 'utf8'))?.[1]
    return text === undefined ? undefined : Number(text)
  } catch {
    return undefined
  }
}
