// Whether the time of an answer tells what it is about.

import type { FastifyInstance, InjectOptions } from 'fastify'

/** Less than the difference between a look-up in memory and a question to the store. */
export const NOISE_MS = 1
const MIN_ROUNDS = 6
const MAX_ROUNDS = 200

/**
 * How far the fastest answers to these requests are apart, asked in turns: what a busy machine adds to some is not what the code adds to
 * all. So it is asked again while there is a difference; one that the code makes stays.
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
