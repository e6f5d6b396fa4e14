// The contract between who asks for a picture to be hashed and who hashes it.

import { z } from 'zod'

export const QUEUE_PREFIX = '{tabir}'
export const HASH_IMAGE_QUEUE = 'hash-image'

/** Whether its details are to be found besides its hashes, which takes several times as long. */
export const DETAILS_WANTED = ['none', 'also'] as const
export type DetailsWanted = (typeof DETAILS_WANTED)[number]

/** Where the picture waits and the ticket that fetches it, once. Never the picture, never a hash: Redis remembers jobs. */
export const HashImageJob = z.strictObject({
  handoffUrl: z.url({ protocol: /^https?$/ }),
  ticket: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  purpose: z.enum(['submission', 'query']),
  details: z.enum(DETAILS_WANTED),
})
export type HashImageJob = z.infer<typeof HashImageJob>

/**
 * BullMQ's scale, 1 first, of somebody who has nothing else waiting: what waits is added to it, a small photograph as 1. So a person who waits comes
 * before a platform's scan, with 20 pictures too; who sends many times as much does not.
 */
export const JOB_PRIORITY = { submission: 1, query: 41 } as const
export type JobPurpose = keyof typeof JOB_PRIORITY

/** An image lives in memory no longer than this, whatever happens. */
export const IMAGE_TTL_MS = 30_000
/** One try at decoding and hashing. */
export const HASHING_TIME_LIMIT_MS = 10_000
