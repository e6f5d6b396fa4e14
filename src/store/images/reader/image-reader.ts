// Reads all registered images when an index starts. Reading, unsealing and layout run on a worker thread.

import { on } from 'node:events'
import { setImmediate as yieldToEventLoop } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Problem } from '../../../domain/problem.js'
import type { RedisTarget } from '../../redis/client.js'
import { type Keyring, SealError } from '../../sealing/seal.js'
import type { ImageColumns } from './columns.js'
import type { ReadingNews, ReadingOrder } from './thread.js'

export interface ImageReader {
  /**
   * Yields every image at most once, in unordered batches.
   *
   * Not a snapshot. An image that exists from the first call to the end is read. One that is stored or erased meanwhile may be missing; one
   * that is replaced is read in its old or new form. So read the revision first, and follow the change stream from there afterwards.
   *
   * Yields to the event loop between batches; a batch takes less than a millisecond of it, besides the caller's work. A slow caller pauses the
   * reading, with at most ten batches in memory. Returning early ends the thread.
   *
   * @throws {Problem} store-unavailable when Redis cannot be read or is silent for 3 s. {SealError} when a record does not open. Batches
   *   yielded before are valid.
   *
   * Cost: 0.8 to 1.3 µs an image of one signal, on the thread, and 0.1 µs here; 0.1 to 0.2 s until the thread has started.
   */
  columns(): AsyncGenerator<ImageColumns>
}

const RETRY_AFTER_S = 2

/** @param redis address of the store; the thread makes its own connection. */
export function createImageReader(redis: RedisTarget, keyring: Keyring): ImageReader {
  return {
    async *columns() {
      keyring.refresh() // the thread cannot reload the ring by itself
      const workerData: ReadingOrder = { redis, keys: keyring.keys }
      // The thread gets neither flags nor environment of this process: they may contain secrets.
      const thread = new Worker(THREAD, { workerData, execArgv: [], env: {}, name: 'image-reader' })
      thread.on('error', () => {}) // after an early return; before that, `newsFrom` throws it
      try {
        for await (const news of newsFrom(thread)) {
          if (news.kind === 'done') return
          if (news.kind !== 'columns') throw failure(news)
          yield news.columns
          thread.postMessage('taken')
          await yieldToEventLoop()
        }
        throw new Error('the thread that reads images ended before it was done')
      } finally {
        await thread.terminate()
      }
    },
  }
}

const THREAD = new URL('./thread.js', import.meta.url)

/** The thread's messages until it ends. @throws errors that the thread did not catch. */
async function* newsFrom(thread: Worker): AsyncGenerator<ReadingNews> {
  for await (const [news] of on(thread, 'message', { close: ['exit'] })) yield news
}

function failure({ kind, message }: Exclude<ReadingNews, { readonly kind: 'done' | 'columns' }>): Error {
  if (kind === 'away') return new Problem('store-unavailable', { retryAfterS: RETRY_AFTER_S, cause: new Error(message) })
  return kind === 'sealed' ? new SealError(message) : new Error(message)
}
