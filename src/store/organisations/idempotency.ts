// Answers that are kept for a while, so that asking again does not do again. Sealed by whoever puts them here.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { settleClaim } from '../scripts/settle-claim.js'

/** What stands under a key: a claim of somebody who is at work, or the answer that came of it. */
export type Kept = { readonly kind: 'claim' } | { readonly kind: 'answer'; readonly sealed: Buffer }

export interface IdempotencyStore {
  /** @returns whether it is ours: nobody is at work under this name, and no answer is kept. It lapses by itself. */
  claim(name: string, claimId: string, ttlMs: number): Promise<boolean>
  read(name: string): Promise<Kept | undefined>
  /** Puts the answer in the place of our claim, or of nothing when it has lapsed; durable. Another's claim or answer stays. */
  settle(name: string, claimId: string, sealed: Buffer, ttlMs: number): Promise<void>
  /** Gives our claim up. */
  release(name: string, claimId: string): Promise<void>
}

const CLAIM = Buffer.from('claim:')

export function createIdempotencyStore(store: Store): IdempotencyStore {
  const claimOf = (claimId: string) => Buffer.concat([CLAIM, Buffer.from(claimId)])
  return {
    async claim(name, claimId, ttlMs) {
      const reply = await store.ask((redis) => redis.set(keys.idempotency(name), claimOf(claimId), 'PX', ttlMs, 'NX'))
      return reply === 'OK'
    },
    async read(name) {
      const value = await store.ask((redis) => redis.getBuffer(keys.idempotency(name)))
      if (value === null) return undefined
      return value.subarray(0, CLAIM.length).equals(CLAIM) ? { kind: 'claim' } : { kind: 'answer', sealed: value }
    },
    async settle(name, claimId, sealed, ttlMs) {
      await store.write(settleClaim, [keys.idempotency(name)], [claimOf(claimId), sealed, ttlMs])
    },
    async release(name, claimId) {
      await store.write(settleClaim, [keys.idempotency(name)], [claimOf(claimId), '', 0])
    },
  }
}
