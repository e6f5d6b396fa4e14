// The child processes of a worker that hash a video.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { childrenOf, isAlive } from './processes.js'

/** Looking through all processes of a machine costs as much as a test may. */
const POLL_MS = 50

/** Stops the child that reads a video as soon as there is one. @returns its pid; `undefined` when it was not waited for any more. */
export async function stoppedReader(worker: number, isOver: () => boolean = () => false): Promise<number | undefined> {
  for (;;) {
    const reader = childrenOf(worker).find(isReader)
    if (reader !== undefined) {
      process.kill(reader, 'SIGSTOP')
      return reader
    }
    if (isOver()) return undefined
    await sleep(POLL_MS)
  }
}

export async function ended(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(POLL_MS)
}

function isReader(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('video-child')
  } catch {
    return false
  }
}
