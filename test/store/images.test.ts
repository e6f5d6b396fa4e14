import { createHash, randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES } from '../../packages/core/src/matching/signal-types.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { encodeImage } from '../../src/store/images/image-record.js'
import { createImageStore } from '../../src/store/images/images.js'
import { IMAGE_TABLE, sealedShards } from '../../src/store/images/sealed-images.js'
import type { Store } from '../../src/store/redis/client.js'
import { imageShard, keys } from '../../src/store/redis/keys.js'
import { IMAGE_SHARDS } from '../../src/store/scripts/shards.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { startStore } from '../helpers/redis.js'
import { longestVideo } from './sample-images.js'

// The longest possible record of a picture: texts of maximum length and a signal of every type.
const longest: RegisteredImage = {
  bank: 'b'.repeat(63),
  tier: 'ngo-attested',
  category: 'nude',
  ref: 'r'.repeat(255),
  createdAtMs: 2 ** 47,
  signals: SIGNAL_TYPE_NAMES.map((type) => ({ type, view: 'whole', quality: 100, hash: hashFromBytes(randomBytes(32)) })),
}

t.test('stored images are read in the order asked for, until they are erased', async (t) => {
  const { images } = await open(t)
  const [first, second, third] = [newId(), newId(), newId()]
  const other = { ...longest, ref: undefined, category: undefined, isByHashes: true as const }
  t.equal(await images.put([image(first, longest), image(second, other)]), 1)

  t.same(await images.get([second, third, first]), [other, undefined, longest])
  t.equal(await images.put([image(second, longest)]), 2, 'replaced')
  t.same(await images.get([second]), [longest])
  t.equal(await images.erase(second), 3)
  t.equal(await images.erase(second), undefined)
  t.same(await images.get([second, first]), [undefined, longest])
})

t.test('many hashes are encoded in several steps, so that other requests run in between', async (t) => {
  const { store } = await startStore(t)
  let ticks = 0
  let isOver = false
  const count = () => {
    ticks++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  t.teardown(() => {
    isOver = true
  })
  const keyring = makeKeyring([Buffer.alloc(32, 7)])
  const sealedAt: number[] = []
  const seal: typeof keyring.seal = (...given) => {
    sealedAt.push(ticks)
    return keyring.seal(...given)
  }
  const images = createImageStore(store, { ...keyring, seal })
  const all = [1, 2, 3].map((seed) => image(newId(), longestVideo(seed)))
  t.equal(await images.put(all), 1)
  t.equal(new Set(sealedAt).size, 3)
  t.same(
    await images.get(all.map(({ id }) => id)),
    all.map((each) => each.image),
  )
})

t.test('many images are read in few packets', async (t) => {
  const { images, redis } = await open(t)
  const all = Array.from({ length: 1100 }, () => image(newId(), longest))
  for (let from = 0; from < all.length; from += 100) await images.put(all.slice(from, from + 100))
  const readsSoFar = async () => Number(/total_reads_processed:(\d+)/.exec(await redis.info('stats'))?.[1])

  const before = await readsSoFar()
  const found = await images.get(all.map(({ id }) => id))
  const reads = (await readsSoFar()) - before

  t.same(
    found,
    all.map(({ image }) => image),
  )
  t.ok(reads < 30, `in ${reads} reads of Redis`)
})

t.test('long videos are read in the order asked for, in several replies of bounded size', async (t) => {
  const { images, redis } = await open(t)
  const videos = [0, 1, 2, 3, 4, 5, 6, 7].map((seed) => ({ id: newId(), image: longestVideo(seed) }))
  for (const video of videos) await images.put([video])
  const scriptsSoFar = async () => Number(/cmdstat_eval:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0)
  const before = await scriptsSoFar()
  const asked = [...videos.slice(4), { id: newId(), image: undefined }, ...videos.slice(0, 4)]
  const found = await images.get(asked.map(({ id }) => id))
  const scripts = (await scriptsSoFar()) - before
  t.same(
    found.map(recordOf),
    asked.map(({ image }) => recordOf(image)),
  )
  t.equal(scripts, 2, '5.6 MB in replies of at most 4.7 MB')
  const { signals: _, video, ...facts } = longestVideo(0)
  t.same(
    await images.facts(asked.map(({ id }) => id)),
    asked.map(({ image }) => image && { ...facts, video: { durationMs: video?.durationMs } }),
  )
  const pieces: number[] = []
  for await (const piece of images.inPieces(asked.map(({ id }) => id))) pieces.push(piece.length)
  t.same(pieces, [1, 1, 1, 1, 2, 1, 1, 1], 'one video at a time is unsealed')
  let read = 0
  for await (const shard of images.all(() => t.fail())) read += shard.length
  t.equal(read, videos.length)
})

t.test(
  'filled shards are read once each, also at the ends of what is looked at together, and fewer at a time once they have much',
  async (t) => {
    const { store, redis } = await open(t)
    const batchesOf = async (shards: readonly number[], bytes: number) => {
      await redis.flushdb()
      for (const shard of shards) await redis.hset(keys.images(shard), String(shard), Buffer.alloc(bytes))
      const batches: number[] = []
      const reading: Store = {
        ...store,
        ask: (question) => {
          batches.push(0)
          return store.ask(question)
        },
      }
      const read: number[] = []
      for await (const entries of sealedShards(reading, IMAGE_TABLE)) {
        for (const [id] of entries) read.push(Number(id))
        batches.push((batches.pop() ?? 0) + entries.length)
      }
      t.same(read, shards)
      return batches.filter((count) => count > 0)
    }
    const ends = [0, 1, 4094, 4095, 4096, 8191, 8192, IMAGE_SHARDS - 2, IMAGE_SHARDS - 1]
    t.same(await batchesOf(ends, 1), [4, 2, 1, 2])
    const many = Array.from({ length: 700 }, (_, i) => i)
    t.same(await batchesOf(many, 1), [256, 256, 188])
    t.same(await batchesOf(many, 20_000), [256, 128, 256, 60], '5 MB are more than wanted')
  },
)

function recordOf(image: RegisteredImage | undefined): string | undefined {
  return image && createHash('sha256').update(encodeImage(image)).digest('hex')
}

t.test('a record that was moved to another image or changed does not open', async (t) => {
  const { images, redis } = await open(t)
  const [id, otherId] = [newId(), newId()]
  await images.put([image(id, longest)])
  const sealed = (await redis.hgetBuffer(...placeOf(id))) ?? Buffer.alloc(0)

  await redis.hset(...placeOf(otherId), sealed)
  await t.rejects(images.get([otherId]), { name: 'SealError' })
  sealed[40] = (sealed[40] ?? 0) ^ 1
  await redis.hset(...placeOf(id), sealed)
  await t.rejects(images.get([id]), { name: 'SealError' })
})

t.test('in a private Redis the table stays packed with 10 million images of the longest records', async (t) => {
  const { images, redis } = await open(t)
  const inOneShard = Array.from({ length: Math.ceil(1.2 * (10_000_000 / IMAGE_SHARDS)) }, () => {
    const bytes = randomBytes(16)
    bytes.writeUInt16BE(7, 14)
    return image(formatUuid(bytes), longest)
  })
  for (let from = 0; from < inOneShard.length; from += 100) await images.put(inOneShard.slice(from, from + 100))

  t.equal(await redis.hlen(keys.images(7)), inOneShard.length)
  t.equal(await redis.object('ENCODING', keys.images(7)), 'listpack')
})

async function open(t: Test) {
  const { store, redis } = await startStore(t)
  return { store, images: createImageStore(store, makeKeyring([Buffer.alloc(32, 7)])), redis }
}

const newId = () => formatUuid(randomBytes(16))
const image = (id: string, registered: RegisteredImage) => ({ id, image: registered })

function placeOf(id: string): [string, Buffer] {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  return [keys.images(imageShard(bytes)), bytes]
}
