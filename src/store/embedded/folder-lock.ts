// A lock between processes through sockets in a folder. A process that dies releases it.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Bytes that the socket's name adds to the folder's path. Paths of sockets have a low limit. */
export const TURN_NAME_BYTES = '/turn-00000000.sock'.length

/**
 * Runs `work` while no other process runs its own for the same folder.
 *
 * Each process first listens on a socket, then looks for others. If it finds a live one, it closes its socket, waits for the other to close,
 * and starts again. Two can never run at once: the later one looked after the earlier one listened, so it found it. The kernel says whether
 * a process is alive: it accepts or refuses the connection. A lock file with a process id would fail in containers, where ids repeat.
 */
export async function runExclusively<T>(folder: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const path = join(folder, `turn-${randomBytes(4).toString('hex')}.sock`)
    const withdraw = await announce(path)
    let other: { closed: Promise<void> } | undefined
    try {
      other = await findOther(folder, path)
      // Another process may have removed our socket file between bind and listen, taking it for dead: then others cannot see us.
      if (other === undefined && lstatSync(path, { throwIfNoEntry: false }) !== undefined) return await work()
    } finally {
      await withdraw()
    }
    await other?.closed
    await sleep(Math.random() * 20) // two processes that gave way to each other must not do so forever
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

/** Finds a live process that holds or wants the lock. Removes sockets of dead ones: their random names are not reused. */
async function findOther(folder: string, own: string): Promise<{ closed: Promise<void> } | undefined> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (!/^turn-[0-9a-f]{8}\.sock$/.test(name) || path === own) continue
    const socket = connect(path).resume()
    const closed = new Promise<void>((resolve) => socket.on('error', () => {}).once('close', () => resolve()))
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
