// Starts a program that reads a stranger's bytes: in the sandbox, and with limits that it cannot lift.

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import type { SandboxCommand } from './sandbox-command.js'

export interface SandboxedOptions {
  readonly memoryMb: number
  /** Processor time of each of its processes, in seconds; the kernel ends one that uses more. Without a limit if it is not given. */
  readonly cpuS?: number
  /**
   * The most address space, in megabytes. `memoryMb` counts only what is private and writable now, so code that took the program over can take more
   * by making what it wrote read-only. Not for Node: WebAssembly reserves tens of gigabytes that it never uses.
   */
  readonly addressSpaceMb?: number
  readonly stdio: StdioOptions
  readonly sandboxCommand: Pick<SandboxCommand, 'inside'>
}

const NICENESS = 5

/**
 * Starts a child. The shell sets limits that the child cannot lift: no core dump, no byte written to any file, a maximum of memory. It also drops
 * Node options from outside. The child has an empty environment and only the streams of `stdio`. The sandbox blocks what the child could still
 * reach.
 */
export function spawnSandboxed(
  command: readonly string[],
  { memoryMb, cpuS, addressSpaceMb, stdio, sandboxCommand }: SandboxedOptions,
): ChildProcess {
  const cpu = cpuS === undefined ? '' : `ulimit -t ${cpuS}; `
  const space = addressSpaceMb === undefined ? '' : `ulimit -v ${addressSpaceMb * 1024}; `
  // `nice` lets processes that answer requests go first on a busy core. It is set before the child has threads, so it applies to all of them.
  const limits = `unset NODE_OPTIONS; ulimit -c 0; ulimit -f 0; ulimit -d ${memoryMb * 1024}; ${cpu}${space}exec nice -n ${NICENESS} "$@"`
  return spawn('/bin/sh', ['-c', limits, 'sh', ...sandboxCommand.inside(command)], {
    stdio,
    env: { NODE_ENV: 'production', MALLOC_ARENA_MAX: '2', UV_THREADPOOL_SIZE: '2' },
    cwd: '/',
  })
}

/** The command of a child that is a program of this service, for `spawnSandboxed`. */
export function nodeCommand(entry: readonly string[], { nodeFlags }: Pick<SandboxCommand, 'nodeFlags'>): string[] {
  return [process.execPath, '--disable-proto=throw', '--no-warnings', '--max-old-space-size=256', ...nodeFlags, ...entry]
}
