// How much processor time another process has used.

import { readFileSync } from 'node:fs'

/** Linux counts in hundredths of a second, on all its architectures. */
const TICK_MS = 10
/** User and system time among the fields after the program's name (proc(5), `stat`). */
const USER_FIELD = 11
const SYSTEM_FIELD = 12

/** @returns milliseconds, of all its threads; `undefined` for a process that is gone, and on systems that do not report it (other than Linux). */
export function processorTimeMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[USER_FIELD]) + Number(fields[SYSTEM_FIELD])
    return Number.isFinite(ticks) ? ticks * TICK_MS : undefined
  } catch {
    return undefined
  }
}
