// Finds the child processes of a process from outside.

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

export function childrenOf(parent: number): number[] {
  return parents().flatMap(({ pid, ppid }) => (ppid === parent ? [pid] : []))
}

export function isAlive(pid: number): boolean {
  return parents().some((process) => process.pid === pid)
}

/** Without zombies. Slim images have no `ps`, and macOS has no /proc. */
function parents(): { readonly pid: number; readonly ppid: number }[] {
  if (!existsSync('/proc/self/stat')) {
    const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).split('\n')
    return lines.flatMap((line) => facts(/^\s*(\d+)\s+(\d+)\s+([^Z])/.exec(line)))
  }
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? facts(statOf(name)) : []))
}

function statOf(name: string): RegExpExecArray | null {
  try {
    return /^(\d+) \(.*\) [^Z] (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))
  } catch {
    return null // the process has ended
  }
}

function facts(found: RegExpExecArray | null) {
  return found === null ? [] : [{ pid: Number(found[1]), ppid: Number(found[2]) }]
}
