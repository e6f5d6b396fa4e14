// The hashing parts: a picture or video waits in this process's memory, a job in Redis names its ticket, and a worker fetches it from the private
// listener.

import { VIDEO_LIMITS } from '../domain/media/video-limits.js'
import { listenForWorkers } from '../handoff/listener.js'
import { PendingImages } from '../handoff/pending-images.js'
import { createPendingVideos } from '../handoff/pending-videos.js'
import { HASH_IMAGE_QUEUE, IMAGE_TTL_MS } from '../jobs/hash-image-job.js'
import { HASH_VIDEO_QUEUE } from '../jobs/hash-video-job.js'
import { createHashing } from '../services/intake/hashing.js'
import { createPictureFetching } from '../services/intake/picture-fetching.js'
import { createVideoHashing } from '../services/intake/video-hashing.js'
import { reused } from '../services/load/reused.js'
import { countAlive, lackVideoDecoders } from '../store/redis/heartbeats.js'
import { onceRedisAnswers } from './first-answer.js'
import { openQueue } from './hashing-queue.js'
import type { StoreParts } from './store-parts.js'

export type HashingParts = Awaited<ReturnType<typeof openHashingParts>>

/** Maximum time to close a queue: while Redis is unavailable, closing may never finish. */
const STOP_TIMEOUT_MS = 1000
/** How long an answer of `lackDecoders` is reused: each video upload and each page asks for it. */
const DECODERS_KNOWN_MS = 1000

/** @throws {Error} if the address cannot be listened on */
export async function openHashingParts({ options, lifecycle, store }: StoreParts) {
  const pendingImages = new PendingImages(IMAGE_TTL_MS, options.clock)
  const videoLimits = { ...VIDEO_LIMITS, ...options.videoLimits }
  const pendingVideos = createPendingVideos(videoLimits.ttlMs)
  const listener = lifecycle.keep(
    'listener for workers',
    await listenForWorkers(pendingImages, options.handoff, pendingVideos),
  )
  const closing = new AbortController()
  const patience = { onWaiting: options.onWaiting ?? (() => {}), signal: closing.signal }
  const open = (name: string, what: string) => {
    const queue = onceRedisAnswers(() => openQueue(options.redis, name), patience)
    queue.catch(() => {}) // reported by `queues` below
    const close = async () => {
      closing.abort()
      const opened = await queue.catch(() => undefined)
      await opened?.close()
    }
    lifecycle.add(what, close, STOP_TIMEOUT_MS)
    return queue
  }
  const queue = open(HASH_IMAGE_QUEUE, 'queue of pictures')
  const videoQueue = open(HASH_VIDEO_QUEUE, 'queue of videos')
  // Stopped before the listener, so that waiting requests are refused at once instead of when the connection breaks.
  lifecycle.keep('pending images', pendingImages)
  lifecycle.keep('pending videos', pendingVideos)
  return {
    pendingImages,
    /** Rejects if a queue cannot be opened. */
    queues: Promise.all([queue, videoQueue]),
    /** Cancels all pictures and videos that wait. */
    cancel() {
      pendingImages.close()
      pendingVideos.close()
    },
    services: {
      hashing: createHashing({
        pendingImages,
        handoffUrl: listener.url,
        enqueue: async (job, priority) => (await queue).enqueue(job, priority),
      }),
      videoHashing: createVideoHashing({
        pendingVideos,
        handoffUrl: listener.url,
        enqueue: async (job, priority) => (await videoQueue).enqueue(job, priority),
        limits: videoLimits,
        lackDecoders: reused(() => lackVideoDecoders(store), DECODERS_KNOWN_MS, options.clock),
        lackWorkers: async () => (await countAlive(store, 'workers')).alive === 0,
      }),
      pictures: createPictureFetching(options.fetchFrom),
    },
  }
}
