// The hashing parts: a picture's way to a worker. It waits at the desk, a job in the queue leads to it, and the private listener hands it out.

import { listenForWorkers } from '../handoff/listener.js'
import { PendingImages } from '../handoff/pending-images.js'
import { IMAGE_TTL_MS } from '../jobs/hash-image.js'
import { createHashing } from '../services/intake/hashing.js'
import { createPictureFetching } from '../services/intake/picture-fetching.js'
import { onceRedisAnswers } from './first-answer.js'
import { openQueue } from './hashing-queue.js'
import type { StoreParts } from './store-parts.js'

export type HashingParts = Awaited<ReturnType<typeof openHashingParts>>

/** Without Redis a queue may wait for a connection that does not come. */
const STOP_TIMEOUT_MS = 1000

/** @throws {Error} when the address cannot be listened on. */
export async function openHashingParts({ options, lifecycle }: StoreParts) {
  const pendingImages = new PendingImages(IMAGE_TTL_MS, options.clock)
  const listener = lifecycle.keep('listener for workers', await listenForWorkers(pendingImages, options.handoff))
  const closing = new AbortController()
  const patience = { onWaiting: options.onWaiting ?? (() => {}), signal: closing.signal }
  const queue = onceRedisAnswers(() => openQueue(options.redis), patience)
  queue.catch(() => {}) // `queue` below tells of it
  const closeQueue = async () => {
    closing.abort()
    const opened = await queue.catch(() => undefined)
    await opened?.close()
  }
  lifecycle.add('queue of pictures', closeQueue, STOP_TIMEOUT_MS)
  // Stopped before the listener is: those whose picture no worker will answer hear so now, and not when a connection breaks.
  lifecycle.keep('desk', pendingImages)
  return {
    pendingImages,
    /** @throws when it cannot be had. */
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
