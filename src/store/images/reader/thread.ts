// A worker thread that reads a part of all images over its own connection: shard by shard, unsealed and laid out in columns.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { Redis } from 'ioredis'
import { commandTimeoutMs, connectForRequests, type RedisTarget } from '../../redis/client.js'
import { keys } from '../../redis/keys.js'
import { IMAGE_SHARDS } from '../../scripts/shards.js'
import { SealError, type SealKey, unsealWith } from '../../sealing/seal.js'
import { imageContext } from '../image-record.js'
import { ColumnsBuilder, type ImageColumns } from './columns.js'
import { ReplyError, ReplyReader } from './replies.js'

/** What the thread is started with. */
export interface ReadingOrder {
  readonly redis: RedisTarget
  readonly keys: readonly SealKey[]
  /** It reads the shards `first`, `first + step` and so on. */
  readonly first: number
  readonly step: number
}

/** Messages from the thread. For each `columns` the receiver sends back one message, of any content, once it has processed it. */
export type ReadingNews =
  | { readonly kind: 'columns'; readonly columns: ImageColumns }
  | { readonly kind: 'done' }
  /** `away`: Redis is unavailable. `sealed`: a record does not open. `broken`: a bug. */
  | { readonly kind: 'away' | 'sealed' | 'broken'; readonly message: string }

/** Shards requested and not read yet. Keeps Redis and the connection busy, and the replies in transit below a few MB. */
const SHARDS_AHEAD = 64
/** Bytes of replies at once. The longest record (`RECORD.maxRows`) has 701 KB; most have a few KB. */
const INPUT_BYTES = 1 << 20
/** Batches sent and not processed yet: a few MB as well. */
const BATCHES_AHEAD = 4

async function obey(order: ReadingOrder, port: MessagePort): Promise<void> {
  const redis = connectForRequests(order.redis)
  let news: ReadingNews = { kind: 'done' }
  try {
    await redis.connect().catch(away)
    await redis.ping().catch(away) // now the client's own commands on connecting have been answered too
    await readShards(redis, order, port)
  } catch (error) {
    news = newsOf(error)
  }
  redis.disconnect()
  port.postMessage(news)
  port.close()
}

/** Takes over the socket: from here on the client only sees that it closes. */
function readShards({ stream }: Redis, order: ReadingOrder, port: MessagePort): Promise<void> {
  const { first, step } = order
  const silenceMs = commandTimeoutMs(order.redis)
  const shards = Math.ceil((IMAGE_SHARDS - first) / step)
  return new Promise((resolve, reject) => {
    const builder = new ColumnsBuilder()
    let batchesAhead = 0
    const tell = () => {
      const { columns, memory } = builder.take()
      port.postMessage({ kind: 'columns', columns } satisfies ReadingNews, [memory])
      if (++batchesAhead === BATCHES_AHEAD) stream.pause()
    }
    port.on('message', () => {
      if (batchesAhead-- === BATCHES_AHEAD) stream.setTimeout(silenceMs).resume()
    })

    const bytes = new Uint8Array(INPUT_BYTES)
    const reader = new ReplyReader(bytes, (idAt, idEnd, from, to) => {
      if (idEnd - idAt !== 16) throw new RangeError('an image id has 16 bytes')
      const record = unsealWith(order.keys, bytes.subarray(from, to), imageContext(bytes.subarray(idAt, idEnd)))
      bytes.set(record, from)
      builder.add(bytes, idAt, from, from + record.length)
      if (builder.isFull) tell()
    })
    let asked = 0
    let read = 0
    const ask = () => {
      let commands = ''
      for (; asked < shards && asked - read < SHARDS_AHEAD; asked++) commands += hgetall(keys.images(first + step * asked))
      if (commands !== '') stream.write(commands)
    }
    const end = (error?: unknown) => {
      stream.removeAllListeners('data').destroy()
      if (error === undefined) resolve()
      else reject(error)
    }
    stream.removeAllListeners('data').on('data', (piece: Buffer) => {
      try {
        read += reader.write(piece)
        if (read === shards) {
          if (builder.images > 0) tell()
          return end()
        }
        if (asked - read <= SHARDS_AHEAD / 2) ask()
      } catch (error) {
        end(error)
      }
    })
    stream.once('close', () => reject(new UnavailableError('the connection to Redis was lost')))
    stream.setTimeout(silenceMs).on('timeout', () => {
      if (!stream.isPaused()) end(new UnavailableError('Redis does not answer'))
    })
    ask()
  })
}

function hgetall(key: string): string {
  return `*2\r\n$7\r\nHGETALL\r\n$${key.length}\r\n${key}\r\n`
}

class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
}

function away(error: unknown): never {
  throw new UnavailableError(error instanceof Error ? error.message : 'Redis cannot be reached')
}

/** Error replies that pass by waiting. The operator has to see any other. */
const NOT_NOW = /^(LOADING|BUSY|MASTERDOWN)/

function newsOf(error: unknown): ReadingNews {
  const message = error instanceof Error ? error.message : 'unknown'
  const isUnavailable = error instanceof UnavailableError || (error instanceof ReplyError && NOT_NOW.test(message))
  if (isUnavailable) return { kind: 'away', message }
  return { kind: error instanceof SealError ? 'sealed' : 'broken', message }
}

if (parentPort !== null) await obey(workerData, parentPort)
