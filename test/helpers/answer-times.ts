// Whether the time of an answer reveals what it is about.

import type { FastifyInstance, InjectOptions } from 'fastify'

/** Less than the difference between a look-up in memory and a read from the store. */
export const NOISE_MS = 1
const MIN_ROUNDS = 6
const MAX_ROUNDS = 200

/**
 * The difference between the fastest answers to these requests, which alternate. A busy machine slows some answers, a difference in the code slows all.
 * So requests are repeated while there is a difference; one that the code causes stays.
 */
export async function spreadMs(app: FastifyInstance, requests: readonly InjectOptions[]): Promise<number> {
  const best = requests.map(() => Number.POSITIVE_INFINITY)
  const spread = () => Math.max(...best) - Math.min(...best)
  for (let round = 0; round < MIN_ROUNDS || (round < MAX_ROUNDS && spread() >= NOISE_MS); round++) {
    for (const [at, request] of requests.entries()) {
      const startedAt = performance.now()
      await app.inject(request)
      best[at] = Math.min(best[at] ?? 0, performance.now() - startedAt)
    }
  }
  return spread()
}
