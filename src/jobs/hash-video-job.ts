// Jobs from the api to the workers: hash a video. A queue of their own, so that pictures do not wait behind minutes of video.

import { z } from 'zod'
import { HashImageJob, JOB_PRIORITY } from './hash-image-job.js'

export const HASH_VIDEO_QUEUE = 'hash-video'

/**
 * As `HashImageJob`, without details. The purpose `vpdq` gives only the hashes of vPDQ.
 * cost: absent for an ordinary video. `large` may take minutes, and waits until no ordinary one does. `waited` is a large one that has waited long: it
 * gets every other turn.
 */
export const HashVideoJob = HashImageJob.omit({ details: true }).extend({
  purpose: z.enum(['submission', 'query', 'vpdq']),
  cost: z.enum(['large', 'waited']).optional(),
})
export type HashVideoJob = z.infer<typeof HashVideoJob>
export type VideoPurpose = HashVideoJob['purpose']
/** Added to the priority of large videos. No other penalty is as high. */
export const LARGE_VIDEO_BEHIND = 1_000_000
export const VIDEO_PRIORITY = { ...JOB_PRIORITY, vpdq: JOB_PRIORITY.query } as const satisfies Record<VideoPurpose, number>
