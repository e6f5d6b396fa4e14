// Which images of cases the feed tells together. The store says where a batch ends, so that all processes tell the same.

import { formatUuid, parseUuid } from '../../domain/ids.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { endFeedBatch } from '../scripts/organisations/feed-batches.js'

/** How long images of cases wait to be told with others. */
export interface FeedDelay {
  /** A batch stays open for so long, so that others may come. */
  readonly minMs: number
  /** Then it ends, whatever is in it. 0: nothing waits. */
  readonly maxMs: number
}

/**
 * Within a minute of a busy hour others come. An hour is what an image that nobody comes beside waits for followers of the feed, while everybody
 * who asks is told of it at once.
 */
export const FEED_DELAY: FeedDelay = { minMs: 60_000, maxMs: 3_600_000 }

export interface FeedBatches {
  /**
   * Ends the open batch if that may be done now.
   * @returns where the last one ended, and after how long it is worth asking again.
   */
  end(): Promise<{ readonly revision: number; readonly againAfterMs: number | undefined }>
  /** The batch after the one that ended at `revision`, if there is one; `unknown` when that is not remembered. */
  after(revision: number): Promise<{ readonly end: number; readonly ids: readonly string[] } | undefined | 'unknown'>
  /** Which of these images are new ones of cases that wait. */
  newAmong(imageIds: readonly string[]): Promise<ReadonlySet<string>>
}

/**
 * A batch is mixed when it has so many images, of so many cases, and no case has more than half of them; and likewise those among them that
 * were told before. Who sees one with three images of each of three cases guesses one in four pairs of one case right.
 */
const MIXED = { images: 8, cases: 3 } as const
const ID_BYTES = 16
const NEW = Buffer.from('c')

/** @param originBytes of an id that are its case's. */
export function createFeedBatches(store: Store, { minMs, maxMs }: FeedDelay, originBytes: number): FeedBatches {
  const places = [keys.feedBatches, keys.feedWaiting, keys.feedWaitingSince, keys.revision]
  const args = [keys.prefix, Math.min(minMs, maxMs), maxMs, MIXED.images, MIXED.cases, originBytes]
  return {
    async end() {
      const reply = await store.ask((redis) => redis.eval(endFeedBatch.lua, places.length, ...places, ...args))
      const [revision, againAfterMs] = Array.isArray(reply) ? reply.map(Number) : []
      if (revision === undefined || againAfterMs === undefined) throw new Error('where a batch ends is two numbers')
      return { revision, againAfterMs: againAfterMs < 0 ? undefined : againAfterMs }
    },
    async after(revision) {
      const [own, [next]] = await store.ask((redis) =>
        Promise.all([
          redis.zscore(keys.feedBatches, String(revision)),
          redis.zrangebyscore(keys.feedBatches, `(${revision}`, '+inf', 'LIMIT', 0, 1),
        ]),
      )
      if (own === null) return 'unknown'
      if (next === undefined) return undefined
      const end = Number(next)
      const bytes = await store.ask((redis) => redis.getBuffer(keys.feedBatch(end)))
      if (bytes === null) return 'unknown'
      const ids = Array.from({ length: bytes.length / ID_BYTES }, (_, i) =>
        formatUuid(bytes.subarray(ID_BYTES * i, ID_BYTES * i + ID_BYTES)),
      )
      return { end, ids }
    },
    async newAmong(imageIds) {
      if (imageIds.length === 0) return new Set()
      const members = imageIds.map((id) => Buffer.concat([NEW, bytesOf(id)]))
      const scores = await store.ask((redis) => redis.zmscore(keys.feedWaiting, ...members))
      return new Set(imageIds.filter((_, i) => scores[i] !== null))
    },
  }
}

function bytesOf(id: string): Uint8Array {
  const bytes = parseUuid(id)
  if (bytes === undefined) throw new RangeError('an image id is a UUID')
  return bytes
}
