// Uses of limits, summed over all processes. They may be lost in a crash; counting then starts again.

import { createHash } from 'node:crypto'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { countUses } from '../scripts/organisations/count-uses.js'

export interface Use {
  /** Names the limit, whose it is, and the window. Ids and numbers only. */
  readonly name: string
  readonly amount: number
  readonly ttlS: number
}

export interface Uses {
  /** Adds all in one step and one round trip. @returns the new sums, in the order of `uses`. @throws {Problem} store-unavailable */
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
