// A store that loses its newest changes, as a failover to a replica that lacks them does.

import { Redis } from 'ioredis'
import type { Test } from 'tap'

/** @returns a function that resets the store to its present content in one step, and breaks all connections. */
export async function keepState(t: Test, socket: string): Promise<() => Promise<void>> {
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  const names = await redis.keys('*')
  const kept = await Promise.all(names.map(async (name) => [name, await redis.dumpBuffer(name)] as const))
  return async () => {
    const back = redis.multi().flushall()
    for (const [name, bytes] of kept) back.restore(name, 0, bytes)
    await back.exec()
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  }
}
