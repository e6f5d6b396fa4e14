// Reads the store, to check that a request changed no value.

import type { Redis } from 'ioredis'

/**
 * Keys that change with any request or with time: queues, heartbeats, counts of requests, days of use of API keys, audited acts, users of seal keys,
 * the progress of watches, and the time that processes agreed on. None of them is about a picture.
 */
const BESIDE =
  /:(?:hash-image|hash-video|case-life|limit|worker-heartbeats|agreed-time|watch-cursor|watch-holder|audit[^:]*|api-key-uses|seal-key-users)(?::|$)/

/** All other values of the store, by key. */
export async function everythingIn(redis: Redis): Promise<Readonly<Record<string, string>>> {
  const names = (await redis.keys('{tabir}:*')).filter((name) => !BESIDE.test(name)).toSorted()
  const values = await Promise.all(names.map((name) => redis.dumpBuffer(name)))
  return Object.fromEntries(names.map((name, i) => [name, values[i]?.toString('base64') ?? '']))
}
