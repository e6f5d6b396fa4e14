// How much organisations have learnt about registered images by queries near the edge of an answer. Counted over all processes and restarts, under
// keyed digests that name neither organisation nor image. Writes do not wait for the disk: a crash may lose a few counts.

import { createHash } from 'node:crypto'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { chargeProbing } from '../scripts/trust/probing.js'

export interface ProbingCharge {
  /** Keyed digest of organisation and image. */
  readonly own: string
  /** Keyed digest of the image. */
  readonly shared: string
  readonly inner: number
  readonly outer: number
}

export interface ProbingSpent {
  readonly inner: number
  readonly outer: number
}

export interface ProbingCounts {
  /**
   * Adds charges, all in one step.
   * @returns the charges after that, of the organisation and of all organisations, in the order of `charges`.
   * @throws {Problem} store-unavailable
   */
  charge(
    orgId: string,
    charges: readonly ProbingCharge[],
    nowMs: number,
  ): Promise<{ readonly own: ProbingSpent; readonly all: ProbingSpent }[]>
}

const HOUR_MS = 3_600_000
/** Time in which a charge halves. Queries spread over 90 days still add up to 85 % of what they would at once. */
const HALF_LIFE_H = 180 * 24
const TTL_S = 400 * 86_400
/** Fields of one hash, 50 bytes each: images with charges. */
const MAX_FIELDS = 200_000

export function createProbingCounts(store: Store): ProbingCounts {
  const sha = createHash('sha1').update(chargeProbing.lua).digest('hex')
  return {
    async charge(orgId, charges, nowMs) {
      const args = charges.flatMap(({ own, shared, inner, outer }) => [own, shared, inner, outer])
      const given = [keys.probing(orgId), keys.probingAll, nowMs / HOUR_MS, HALF_LIFE_H, MAX_FIELDS, TTL_S, ...args]
      const reply: unknown = await store.ask(async (redis) => {
        try {
          return await redis.evalsha(sha, 2, ...given)
        } catch (error) {
          if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
          return await redis.eval(chargeProbing.lua, 2, ...given)
        }
      })
      const numbers = Array.isArray(reply) ? reply.map(Number) : []
      return charges.map((_, i) => {
        const [inner = 0, outer = 0, allInner = 0, allOuter = 0] = numbers.slice(4 * i, 4 * i + 4)
        return { own: { inner, outer }, all: { inner: allInner, outer: allOuter } }
      })
    },
  }
}
