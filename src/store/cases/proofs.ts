// Proof of work: which challenges were used, and how many cases were opened in a minute. Nothing about who opened them.

import { createHash } from 'node:crypto'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

export interface Proofs {
  /** Marks a challenge as used. @returns whether it was unused in the last `ttlS` seconds. */
  useOnce(signature: string, ttlS: number): Promise<boolean>
  countOpening(nowMs: number): Promise<void>
  /** Cases opened in this minute or in the last one, whichever had more. */
  openedLately(nowMs: number): Promise<number>
}

const MINUTE_MS = 60_000
const MINUTE_TTL_S = 180

export function createProofStore(store: Store): Proofs {
  return {
    async useOnce(signature, ttlS) {
      const digest = createHash('sha256').update(signature).digest('base64url')
      return (await store.ask((redis) => redis.set(keys.usedProof(digest), '1', 'EX', ttlS, 'NX'))) === 'OK'
    },
    async countOpening(nowMs) {
      const key = keys.openings(Math.floor(nowMs / MINUTE_MS))
      await store.ask(async (redis) => {
        await redis.incr(key)
        await redis.expire(key, MINUTE_TTL_S)
      })
    },
    async openedLately(nowMs) {
      const minute = Math.floor(nowMs / MINUTE_MS)
      const counts = await store.ask((redis) => redis.mget(keys.openings(minute), keys.openings(minute - 1)))
      return Math.max(...counts.map(Number))
    },
  }
}
