// Jobs from the api to the workers: hash a video. A queue of their own, so that pictures do not wait behind minutes of video.

import { z } from 'zod'
import { HashImageJob, JOB_PRIORITY } from './hash-image-job.js'

export const HASH_VIDEO_QUEUE = 'hash-video'

/** As `HashImageJob`, without details. The purpose `vpdq` gives only the hashes of vPDQ. */
export const HashVideoJob = HashImageJob.omit({ details: true }).extend({ purpose: z.enum(['submission', 'query', 'vpdq']) })
export type HashVideoJob = z.infer<typeof HashVideoJob>
export type VideoPurpose = HashVideoJob['purpose']
export const VIDEO_PRIORITY = { ...JOB_PRIORITY, vpdq: JOB_PRIORITY.query } as const satisfies Record<VideoPurpose, number>
