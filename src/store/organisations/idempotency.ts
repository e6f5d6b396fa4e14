// Kept answers of the Idempotency-Key header, so that a repeated request is not carried out twice. The caller seals them.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { settleClaim } from '../scripts/settle-claim.js'

/** The value of a key: the claim of a request that is being carried out, or its answer. */
export type Kept = { readonly kind: 'claim' } | { readonly kind: 'answer'; readonly sealed: Buffer }

export interface IdempotencyStore {
  /** @returns whether the claim succeeded: no request of this name is being carried out, and no answer is kept. It expires by itself. */
  claim(name: string, claimId: string, ttlMs: number): Promise<boolean>
  /** Lets our claim, or an expired one, last for `ttlMs` from now. Another request's claim or answer stays. */
  renew(name: string, claimId: string, ttlMs: number): Promise<void>
  read(name: string): Promise<Kept | undefined>
  /** Replaces our claim by the answer, also when the claim has expired. Durable. Another request's claim or answer stays. */
  settle(name: string, claimId: string, sealed: Buffer, ttlMs: number): Promise<void>
  /** Removes our claim. */
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
    async renew(name, claimId, ttlMs) {
      await store.write(settleClaim, [keys.idempotency(name)], [claimOf(claimId), claimOf(claimId), ttlMs])
    },
    async settle(name, claimId, sealed, ttlMs) {
      await store.write(settleClaim, [keys.idempotency(name)], [claimOf(claimId), sealed, ttlMs])
    },
    async release(name, claimId) {
      await store.write(settleClaim, [keys.idempotency(name)], [claimOf(claimId), '', 0])
    },
  }
}
