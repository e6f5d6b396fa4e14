// Whether a process is slow because of its own work, or because other processes have the processors.

import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const WATCHED_MS = 500

/**
 * Watches a process for half a second.
 * @returns whether its threads waited longer for a processor than they ran; `false` for a process that sleeps or is gone, and on systems that do
 *   not report it (other than Linux).
 */
export async function isStarved(pid: number): Promise<boolean> {
  const before = timesOf(pid)
  await sleep(WATCHED_MS)
  let balance = 0
  for (const [thread, { ran, waited }] of timesOf(pid)) {
    const earlier = before.get(thread) ?? { ran: 0, waited: 0 }
    balance += waited - earlier.waited - (ran - earlier.ran)
  }
  return balance > 0
}

/** The process that computes: the given one, or the innermost of the PID namespace that it created. */
export function innermost(pid: number): number {
  const child = Number(childrenOf(pid).split(' ')[0])
  return child > 0 ? innermost(child) : pid
}

function childrenOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  } catch {
    return '' // gone, or a system that does not report it
  }
}

/** Times by thread, in nanoseconds since its start (proc(5), `schedstat`). */
function timesOf(pid: number): Map<string, { readonly ran: number; readonly waited: number }> {
  const found = new Map<string, { readonly ran: number; readonly waited: number }>()
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ').map(Number)
      found.set(thread, { ran, waited })
    }
  } catch {} // a thread that ended meanwhile, or all of them
  return found
}
