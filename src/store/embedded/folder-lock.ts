// One process at a time, by agreement in a folder; whoever dies leaves nothing behind that could hold up the others.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Bytes that the longest socket name adds to the folder's path: what a socket path may hold is little. */
export const TURN_NAME_BYTES = '/turn-00000000.sock'.length

/**
 * Runs `work` while no other process is inside its own for the same folder.
 *
 * Each announces itself with a listening socket, then looks for others: whoever sees another one that lives steps back,
 * waits for it to close, and begins again. Of two that are inside, the later one had looked after the earlier one had
 * announced itself, so it had seen it: there are never two. Whether another one lives, the kernel says (a connection is
 * taken or refused), where a lock file with a process id would be wrong after a restart in a container, where ids repeat.
 */
export async function inOrder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const path = join(folder, `turn-${randomBytes(4).toString('hex')}.sock`)
    const withdraw = await announce(path)
    let other: { closed: Promise<void> } | undefined
    try {
      other = await findOther(folder, path)
      // Without its file, an announcement is invisible: another one took it for dead between its bind and its listen.
      if (other === undefined && lstatSync(path, { throwIfNoEntry: false }) !== undefined) return await work()
    } finally {
      await withdraw()
    }
    await other?.closed
    await sleep(Math.random() * 20) // two that stepped back for each other must not meet again for ever
  }
}

async function announce(path: string): Promise<() => Promise<void>> {
  const waiting = new Set<Socket>()
  const server = createServer((socket) => {
    waiting.add(socket)
    socket.on('error', () => {}).on('close', () => waiting.delete(socket))
  })
  server.listen(path)
  await once(server, 'listening')
  return async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of waiting) socket.destroy()
    await closed
  }
}

/** Waits for another one that lives, if there is one. What the dead have left is removed: their names never come back. */
async function findOther(folder: string, own: string): Promise<{ closed: Promise<void> } | undefined> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (!/^turn-[0-9a-f]{8}\.sock$/.test(name) || path === own) continue
    const socket = connect(path).resume()
    const closed = new Promise<void>((tell) => socket.on('error', () => {}).once('close', () => tell()))
    try {
      await once(socket, 'connect')
      return { closed }
    } catch (error) {
      if (!(error instanceof Error && /ECONNREFUSED|ENOENT/.test(error.message))) return { closed } // in doubt, it lives
      rmSync(path, { force: true })
    }
  }
  return undefined
}
