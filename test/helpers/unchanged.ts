// Whether the store is as it was, value by value.

import type { Redis } from 'ioredis'

/**
 * What goes on whatever is asked: queues and signs of life, how often somebody asked, days on which keys were used, acts of those who
 * decide, which processes seal, and how far a comparison has come. None of it says anything of a picture.
 */
const BESIDE =
  /:(?:hash-image|hash-video|case-life|limit|worker-heartbeats|watch-cursor|watch-holder|audit[^:]*|api-key-uses|seal-key-users)(?::|$)/

/** Every other value of the store as it lies there, by its key. */
export async function everythingIn(redis: Redis): Promise<Readonly<Record<string, string>>> {
  const names = (await redis.keys('{tabir}:*')).filter((name) => !BESIDE.test(name)).toSorted()
  const values = await Promise.all(names.map((name) => redis.dumpBuffer(name)))
  return Object.fromEntries(names.map((name, i) => [name, values[i]?.toString('base64') ?? '']))
}
