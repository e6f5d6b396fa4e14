// Reads all registered images when an index starts. Reading, unsealing and layout run on worker threads.

import { EventEmitter, on } from 'node:events'
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
   * reading, with at most ten batches in memory. Returning early ends the threads.
   *
   * @throws {Problem} store-unavailable when Redis cannot be read or is silent for 3 s. {SealError} when a record does not open. Batches
   *   yielded before are valid.
   *
   * Cost: 6 to 9 µs an image of one signal, shared by the threads, and 0.1 µs here; 0.1 to 0.2 s until they have started.
   */
  columns(): AsyncGenerator<ImageColumns>
}

const RETRY_AFTER_S = 2
/** node:crypto makes a cipher object for each record, so one thread would take the most of a start. */
const THREADS = 2

/** @param redis address of the store; each thread makes its own connection. */
export function createImageReader(redis: RedisTarget, keyring: Keyring): ImageReader {
  return {
    async *columns() {
      keyring.refresh() // the threads cannot reload the ring by themselves
      const { keys } = keyring
      const threads = Array.from({ length: THREADS }, (_, first) => {
        const workerData: ReadingOrder = { redis, keys, first, step: THREADS }
        // A thread gets neither flags nor environment of this process: they may contain secrets.
        return new Worker(THREAD, { workerData, execArgv: [], env: {}, name: 'image-reader' })
      })
      let reading = threads.length
      try {
        for await (const { thread, news } of newsFrom(threads)) {
          if (news.kind === 'columns') {
            yield news.columns
            thread.postMessage('taken')
            await yieldToEventLoop()
          } else if (news.kind !== 'done') throw failure(news)
          else if (--reading === 0) return
        }
        throw new Error('a thread that reads images ended before it was done')
      } finally {
        await Promise.all(threads.map((thread) => thread.terminate()))
      }
    },
  }
}

const THREAD = new URL('./thread.js', import.meta.url)

/** Messages until all threads have ended. @throws errors that a thread did not catch. */
async function* newsFrom(
  threads: readonly Worker[],
): AsyncGenerator<{ readonly thread: Worker; readonly news: ReadingNews }> {
  const told = new EventEmitter()
  told.on('error', () => {}) // after an early return; before that, the loop throws it
  let running = threads.length
  for (const thread of threads) {
    thread.on('message', (news: ReadingNews) => told.emit('news', { thread, news }))
    thread.on('error', (error) => told.emit('error', error))
    thread.on('exit', () => {
      if (--running === 0) told.emit('end')
    })
  }
  for await (const [one] of on(told, 'news', { close: ['end'] })) yield one
}

function failure({ kind, message }: Exclude<ReadingNews, { readonly kind: 'done' | 'columns' }>): Error {
  if (kind === 'away') return new Problem('store-unavailable', { retryAfterS: RETRY_AFTER_S, cause: new Error(message) })
  return kind === 'sealed' ? new SealError(message) : new Error(message)
}
