// When a batch of the feed ends: by the mixture of its images and by its age.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { ORIGIN_BYTES } from '../../src/services/index/image-ids.js'
import { createFeedBatches, FEED_DELAY } from '../../src/store/exchange/feed-batches.js'
import { keys } from '../../src/store/redis/keys.js'
import { startStore } from '../helpers/redis.js'

const { store, redis } = await startStore(t)
const batches = createFeedBatches(store, FEED_DELAY, ORIGIN_BYTES)

/** Adds waiting images of cases with these sizes, as the scripts do. @param ageMs how long they have waited. */
async function waiting(ageMs: number, sizes: readonly number[], kind = 'c') {
  const revision = await redis.incr(keys.revision)
  for (const size of sizes) {
    const origin = randomBytes(ORIGIN_BYTES)
    const members = Array.from({ length: size }, () => Buffer.concat([Buffer.from(kind), origin, randomBytes(10)]))
    await redis.zadd(keys.feedWaiting, ...members.flatMap((member) => [revision, member]))
  }
  await redis.set(keys.feedWaitingSince, Date.now() - ageMs)
}
const isOpen = async () => {
  await batches.end()
  return (await redis.exists(keys.feedWaiting)) === 1
}

t.test('a batch of the feed ends when its cases are mixed, after a minute at least and an hour at most', async (t) => {
  await batches.end()
  for (const [ageMs, sizes, stays, what] of [
    [0, [3, 3, 3], true, 'mixed, in the first minute'],
    [FEED_DELAY.minMs, [3, 3, 3], false, 'mixed'],
    [FEED_DELAY.minMs, [5], true, 'one case'],
    [FEED_DELAY.minMs, [6, 6], true, 'two cases'],
    [FEED_DELAY.minMs, [2, 2, 2], true, 'few'],
    [FEED_DELAY.minMs, [20, 3, 3], true, 'nearly all of one case'],
    [FEED_DELAY.minMs, [900, 200, 200], true, 'many, nearly all of one case'],
    [FEED_DELAY.maxMs, [5], false, 'an hour'],
  ] as const) {
    await redis.del(keys.feedWaiting, keys.feedWaitingSince)
    await waiting(ageMs, sizes)
    t.equal(await isOpen(), stays, what)
    t.equal(await isOpen(), stays, `${what}, checked again`)
  }
  await redis.del(keys.feedWaiting)
  await waiting(FEED_DELAY.minMs, [3, 3, 3])
  await waiting(FEED_DELAY.minMs, [5], 's')
  t.equal(await isOpen(), true, 'images that were in the feed before are mixed separately')
})

t.test('a batch that began while the clock of Redis was ahead stays open no longer than others', async (t) => {
  await redis.del(keys.feedWaiting, keys.feedWaitingSince)
  await waiting(-8 * FEED_DELAY.maxMs, [5])
  const { againAfterMs } = await batches.end()
  t.ok(againAfterMs !== undefined && againAfterMs <= FEED_DELAY.maxMs)
  await redis.decrby(keys.feedWaitingSince, FEED_DELAY.maxMs)
  t.equal(await isOpen(), false)
})

t.test('a batch of the feed is read by the end of the one before, and a forgotten end is unknown', async (t) => {
  await redis.del(keys.feedWaiting, keys.feedWaitingSince)
  const { revision } = await batches.end()
  t.equal(await batches.after(revision), undefined)
  await waiting(FEED_DELAY.minMs, [4, 4, 4])
  const { revision: end, againAfterMs } = await batches.end()
  t.equal(againAfterMs, undefined)
  const batch = await batches.after(revision)
  t.match(batch, { end })
  t.equal(batch === undefined || batch === 'unknown' ? 0 : new Set(batch.ids).size, 12)
  t.equal(await batches.after(end + 1), 'unknown')
  await redis.del(keys.feedBatch(end))
  t.equal(await batches.after(revision), 'unknown')
})
