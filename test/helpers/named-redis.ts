// A Redis with a port and a name, and what is needed to simulate a Sentinel or cluster that knows the master.

import { once } from 'node:events'
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'
import type { Test } from 'tap'
import { openStore, type Store } from '../../src/store/redis/client.js'
import { startRedis, storeAt } from './redis.js'

const SET = { numberOfKeys: 1, lua: "return redis.call('SET', KEYS[1], ARGV[1])" } as const
const WHERE = { numberOfKeys: 1, lua: "return redis.call('GET', KEYS[1])" } as const

export interface Place {
  readonly host: string
  readonly port: number
}

/** A Redis with a name. */
export async function startNamed(t: Test, name: string) {
  const redis = await startRedis(t)
  const direct = await openStore(storeAt(redis.socket))
  await direct.write(SET, ['where'], [name])
  await direct.close()
  return await listen(t, (socket) => {
    const inside = dial(redis.socket)
    for (const end of [socket, inside]) end.on('error', () => {})
    inside.pipe(socket).pipe(inside)
    socket.on('close', () => inside.destroy())
  })
}

/** The name of the Redis that takes a write now; `nowhere` if none does. */
export function whereOf(store: Store): Promise<string> {
  return store.write(WHERE, ['where'], []).then(String, () => 'nowhere')
}

export async function listen(t: Test, onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  let reached = 0
  const server = createServer((socket) => {
    reached++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    onSocket(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const breakOff = () => {
    for (const socket of sockets) socket.destroy()
  }
  const close = () => {
    server.close()
    breakOff()
  }
  t.teardown(close)
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, reached: () => reached, breakOff, close }
}

/** Each command starts with the number of its words. */
export function commandsIn(text: string): string[] {
  return text.split(/(?=\*\d+\r\n)/)
}

export const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`
