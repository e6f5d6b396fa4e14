// How the threads of one sandbox can be limited here, without limiting other programs of the same user. Found by trying.

import { release } from 'node:os'
import { runToEnd } from './run-to-end.js'

/**
 * - `nproc`: RLIMIT_NPROC, which Linux counts for each user namespace since 5.14. Before, it counted all processes of the user. It never holds for
 *   a process that is root outside.
 * - `pid_max`: the highest process number of the PID namespace, which each has since Linux 6.14. Before, there was one for the whole system.
 */
export type ThreadLimit = 'nproc' | 'pid_max'

/** A decoder has about ten threads. The kernel takes no `pid_max` below 301, or below 8 for each processor. */
export const MAX_THREADS: Readonly<Record<ThreadLimit, number>> = { nproc: 128, pid_max: 1024 }

/** Arguments of a shell in a new PID namespace: sets its limit and runs the rest. */
export const SET_PID_MAX = `echo ${MAX_THREADS.pid_max} > /proc/sys/kernel/pid_max && exec "$@"`

/** @returns `undefined` if no limit works here. @throws {Error} when a try does not end in time. Cost: some 10 ms. */
export function findThreadLimit(unshare: string, prlimit: string | undefined): ThreadLimit | undefined {
  const own = [unshare, '--user', '--map-root-user']
  if (prlimit !== undefined) {
    // This process has more than two threads: where the kernel counts all processes of the user, two are refused.
    const canFork = (max: number) =>
      isDone([...own, '--', prlimit, `--nproc=${max}`, '--', '/bin/sh', '-c', '(exit 0); exit $?'])
    if (canFork(2) && !canFork(1)) return 'nproc'
  }
  // Not tried on others: root would set it for the whole system.
  if (!isSince(release(), 6, 14)) return undefined
  const processes = ['--pid', '--fork', '--kill-child', '--']
  return isDone([...own, ...processes, '/bin/sh', '-c', SET_PID_MAX, 'sh', '/bin/true']) ? 'pid_max' : undefined
}

/** Whether a kernel of this version is at least `major.minor`. */
function isSince(version: string, major: number, minor: number): boolean {
  const [, ...found] = /^(\d+)\.(\d+)/.exec(version) ?? []
  const [ownMajor = 0, ownMinor = 0] = found.map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

function isDone([program = '', ...args]: readonly string[]): boolean {
  return runToEnd(program, args, { env: {}, cwd: '/', stdio: 'ignore' }).status === 0
}
