// A proxy in front of the socket of Redis that can delay, silence or cut its connections.

import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'

export interface Line {
  /** Path of the socket to connect to. */
  readonly socket: string
  /** Delays each piece of data by this much, in both directions, in order. 0 heals. */
  slow(delayMs: number): void
  /** From now on nothing arrives in either direction, without an error; data sent meanwhile arrives when it ends. */
  silence(): void
  /** Lets everything through again. */
  heal(): void
  /** Ends every open connection. New ones work. */
  cut(): void
  /**
   * Lets this many more bytes through to Redis, over all connections, then ends every connection: in the middle of a command.
   */
  cutAfter(sentBytes: number): void
  /** Ends every connection, and refuses new ones until it heals. */
  refuse(): void
  close(): Promise<void>
}

export async function openLine(socket: string, behind: () => string): Promise<Line> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let delayMs = 0
  let isSilent = false
  let isRefusing = false
  let bytesLeft = Number.POSITIVE_INFINITY
  let onHeal: (() => void)[] = []

  const cut = () => {
    for (const pair of pairs) for (const end of pair) end.destroy()
  }
  const server = createServer((near) => {
    if (isRefusing) {
      near.destroy()
      return
    }
    const far = connect(behind())
    const pair = [near, far] as const
    pairs.add(pair)
    for (const end of pair) {
      end.on('error', () => {}) // 'close' follows
      end.on('close', () => {
        pairs.delete(pair)
        for (const other of pair) other.destroy()
      })
    }
    carry(near, far, (chunk) => {
      const passed = chunk.subarray(0, bytesLeft)
      bytesLeft -= chunk.length
      return passed
    })
    carry(far, near, (chunk) => chunk)
  })
  rmSync(socket, { force: true })
  server.listen(socket)
  await once(server, 'listening')

  function carry(from: Socket, to: Socket, pass: (chunk: Buffer) => Buffer): void {
    let last: Promise<unknown> = Promise.resolve()
    from.on('data', (chunk) => {
      if (!Buffer.isBuffer(chunk)) return
      const dueAtMs = performance.now() + delayMs
      last = last.then(async () => {
        await until(dueAtMs)
        if (isSilent) await new Promise<void>((resolve) => onHeal.push(resolve))
        const passed = pass(chunk)
        if (!to.destroyed) to.write(passed)
        if (passed.length < chunk.length) setImmediate(cut)
      })
    })
  }

  const heal = () => {
    delayMs = 0
    isSilent = false
    isRefusing = false
    bytesLeft = Number.POSITIVE_INFINITY
    for (const resolve of onHeal) resolve()
    onHeal = []
  }
  return {
    socket,
    slow(ms) {
      delayMs = ms
    },
    silence() {
      isSilent = true
    },
    heal,
    cut,
    cutAfter(sentBytes) {
      bytesLeft = sentBytes
    },
    refuse() {
      isRefusing = true
      cut()
    },
    async close() {
      heal()
      cut()
      server.close()
    },
  }
}

async function until(dueAtMs: number): Promise<void> {
  const leftMs = dueAtMs - performance.now()
  if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs))
}
