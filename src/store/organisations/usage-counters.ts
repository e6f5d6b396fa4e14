// What all processes together have counted of each limit. May be lost in a crash: then counting begins anew.

import { createHash } from 'node:crypto'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { countUses } from '../scripts/organisations/count-uses.js'

export interface Use {
  /** Which limit, whose, in which window: ids and numbers. */
  readonly name: string
  readonly amount: number
  readonly ttlS: number
}

export interface Uses {
  /** In one step and one round trip. @returns how many there are now, in the order of the uses. @throws {Problem} store-unavailable */
  add(uses: readonly Use[]): Promise<number[]>
}

export function createUsageStore(store: Store): Uses {
  const sha = createHash('sha1').update(countUses.lua).digest('hex')
  return {
    async add(uses) {
      const args = [...uses.map(({ name }) => keys.limit(name)), ...uses.flatMap(({ amount, ttlS }) => [amount, ttlS])]
      const reply: unknown = await store.ask(async (redis) => {
        try {
          return await redis.evalsha(sha, uses.length, ...args)
        } catch (error) {
          if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
          return await redis.eval(countUses.lua, uses.length, ...args)
        }
      })
      return Array.isArray(reply) ? reply.map(Number) : []
    },
  }
}
