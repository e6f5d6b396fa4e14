// Batches: images of cases that the feed releases together. The store decides where a batch ends, so all processes release the same.

import { formatUuid, idBytes } from '../../../packages/core/src/ids.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { endFeedBatch } from '../scripts/organisations/feed-batches.js'

/** How long images of cases wait to be released with others. */
export interface FeedDelay {
  /** A batch stays open at least this long, so that other images may join it. */
  readonly minMs: number
  /** After this it ends, whatever it contains. 0: images do not wait. */
  readonly maxMs: number
}

/**
 * In a busy hour, other images join the batch within a minute. Without them, followers of the feed see an image after an hour. Queries match it at
 * once.
 */
export const FEED_DELAY: FeedDelay = { minMs: 60_000, maxMs: 3_600_000 }

export interface FeedBatches {
  /**
   * Ends the open batch if it may end now.
   * @returns the revision at which the last batch ended, and after how long to ask again; `undefined` when no image waits.
   */
  end(): Promise<{ readonly revision: number; readonly againAfterMs: number | undefined }>
  /** The batch after the one that ended at `revision`, if there is one; `unknown` when that end is no longer stored. */
  after(revision: number): Promise<{ readonly end: number; readonly ids: readonly string[] } | undefined | 'unknown'>
  /** Which of these images are new images of cases and still wait for their batch. */
  newAmong(imageIds: readonly string[]): Promise<ReadonlySet<string>>
}

/**
 * A batch is mixed when it has at least this many new images, from at least this many cases, and no case has more than half of them. Its images
 * that were released before must meet the same limits. Example: a batch has three images of each of three cases. A reader who guesses two images of
 * the same case is right once in four times.
 */
const MIXED = { images: 8, cases: 3 } as const
const ID_BYTES = 16
const NEW = Buffer.from('c')

/** @param originBytes length of the part of an image id that is the same for all images of a case. */
export function createFeedBatches(store: Store, { minMs, maxMs }: FeedDelay, originBytes: number): FeedBatches {
  const scriptKeys = [keys.feedBatches, keys.feedWaiting, keys.feedWaitingSince, keys.revision]
  const args = [keys.prefix, Math.min(minMs, maxMs), maxMs, MIXED.images, MIXED.cases, originBytes]
  return {
    async end() {
      const reply = await store.ask((redis) => redis.eval(endFeedBatch.lua, scriptKeys.length, ...scriptKeys, ...args))
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
      const members = imageIds.map((id) => Buffer.concat([NEW, idBytes(id)]))
      const scores = await store.ask((redis) => redis.zmscore(keys.feedWaiting, ...members))
      return new Set(imageIds.filter((_, i) => scores[i] !== null))
    },
  }
}
