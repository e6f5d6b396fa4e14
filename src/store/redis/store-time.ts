// The time of Redis's clock: every process reads the same one, so clocks of hosts do not matter.

import type { Redis } from 'ioredis'

/** @returns [epoch ms] */
export async function storeTimeMs(redis: Pick<Redis, 'time'>): Promise<number> {
  const [seconds, microseconds] = await redis.time()
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
}
