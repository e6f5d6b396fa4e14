// Jobs from the api to the workers: hash a picture.

import { z } from 'zod'

export const QUEUE_PREFIX = '{tabir}'
export const HASH_IMAGE_QUEUE = 'hash-image'

/** Whether details are computed besides hashes. They take several times as long as hashes. */
export const DETAILS_WANTED = ['none', 'also'] as const
export type DetailsWanted = (typeof DETAILS_WANTED)[number]

/** The address and the single-use ticket to fetch the picture with. Contains no picture and no hash, because Redis keeps jobs. */
export const HashImageJob = z.object({
  handoffUrl: z.url({ protocol: /^https?$/ }),
  ticket: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  purpose: z.enum(['submission', 'query']),
  details: z.enum(DETAILS_WANTED),
})
export type HashImageJob = z.infer<typeof HashImageJob>

/**
 * BullMQ priorities (1 is first) for a caller without waiting work. The caller's waiting work is added: 1 for each small photograph. So a
 * person's 20th picture precedes a platform's first one, and the hundredth does not.
 */
export const JOB_PRIORITY = { submission: 1, query: 41 } as const
export type JobPurpose = keyof typeof JOB_PRIORITY

/** Maximum time that a picture stays in memory. */
export const IMAGE_TTL_MS = 30_000
/** Time limit for one attempt to decode and hash a picture. */
export const HASHING_TIME_LIMIT_MS = 10_000
