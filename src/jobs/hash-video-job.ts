// Jobs from the api to the workers: hash a video. A queue of their own, so that pictures do not wait behind minutes of video.

import type { z } from 'zod'
import { HashImageJob } from './hash-image-job.js'

export const HASH_VIDEO_QUEUE = 'hash-video'

/** As for pictures. Videos have no details. */
export const HashVideoJob = HashImageJob.omit({ details: true })
export type HashVideoJob = z.infer<typeof HashVideoJob>
