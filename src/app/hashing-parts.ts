// The hashing parts: how a picture gets to a worker. It waits in the pending images, a job in the queue refers to it, and the private
// listener hands it out.

import { listenForWorkers } from '../handoff/listener.js'
import { PendingImages } from '../handoff/pending-images.js'
import { IMAGE_TTL_MS } from '../jobs/hash-image-job.js'
import { createHashing } from '../services/intake/hashing.js'
import { createPictureFetching } from '../services/intake/picture-fetching.js'
import { onceRedisAnswers } from './first-answer.js'
import { openQueue } from './hashing-queue.js'
import type { StoreParts } from './store-parts.js'

export type HashingParts = Awaited<ReturnType<typeof openHashingParts>>

/** Without Redis a queue may wait for a connection that never comes. */
const STOP_TIMEOUT_MS = 1000

/** @throws {Error} if the address cannot be listened on */
export async function openHashingParts({ options, lifecycle }: StoreParts) {
  const pendingImages = new PendingImages(IMAGE_TTL_MS, options.clock)
  const listener = lifecycle.keep('listener for workers', await listenForWorkers(pendingImages, options.handoff))
  const closing = new AbortController()
  const patience = { onWaiting: options.onWaiting ?? (() => {}), signal: closing.signal }
  const queue = onceRedisAnswers(() => openQueue(options.redis), patience)
  queue.catch(() => {}) // reported by `queue` below
  const closeQueue = async () => {
    closing.abort()
    const opened = await queue.catch(() => undefined)
    await opened?.close()
  }
  lifecycle.add('queue of pictures', closeQueue, STOP_TIMEOUT_MS)
  // Stopped before the listener, so that waiting requests are refused at once instead of when the connection breaks.
  lifecycle.keep('pending images', pendingImages)
  return {
    pendingImages,
    /** Rejects if the queue cannot be opened. */
    queue,
    services: {
      hashing: createHashing({
        pendingImages,
        handoffUrl: listener.url,
        enqueue: async (job, priority) => (await queue).enqueue(job, priority),
      }),
      pictures: createPictureFetching(options.fetchFrom),
    },
  }
}
