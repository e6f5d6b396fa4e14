import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import type { StoredImage } from '../../src/store/images/image-reads.js'
import { encodeImage, imageContext, RECORD } from '../../src/store/images/image-record.js'
import { createImageStore, type Images } from '../../src/store/images/images.js'
import { BATCH_IMAGES } from '../../src/store/images/reader/columns.js'
import { createImageReader } from '../../src/store/images/reader/image-reader.js'
import { openStore } from '../../src/store/redis/client.js'
import { imageShard, keys } from '../../src/store/redis/keys.js'
import { IMAGE_SHARDS } from '../../src/store/scripts/shards.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { startRedis } from '../helpers/redis.js'
import { anyImage, anyImageOrVideo, comparable, comparablesOf, longestVideo } from './sample-images.js'

const secret = Buffer.alloc(32, 7)
const plain: RegisteredImage = {
  bank: 'cases',
  tier: 'self-reported',
  category: undefined,
  ref: undefined,
  createdAtMs: 1,
  signals: [{ type: 'pdq', view: 'whole', quality: 90, hash: hashFromBytes(Buffer.alloc(32, 3)) }],
}
const plainImage = fc.constant(plain)
/** So many that the thread has not read all of them when the first batch arrives: it pauses until batches are taken. */
const MANY = 12 * BATCH_IMAGES

t.test('an empty store has no images', async (t) => {
  const { read } = await open(t)
  t.same(await read(), [])
})

t.test('the reader returns the same images as reading them one by one', async (t) => {
  const { images, read, redis } = await open(t)
  const given = [
    ...someImages(BATCH_IMAGES + 1000, anyImageOrVideo),
    ...someImages(5, fc.nat().map(longestVideo)),
    ...someImages(
      50,
      anyImage.map((image) => ({ ...image, signals: [] })),
    ),
  ]
  await putAll(images, given)
  for (const image of someImages(20, anyImage)) {
    const record = encodeImage(image.image)
    record[RECORD.categoryAt] = 250
    if (image.image.signals.length > 0) record[record.length - RECORD.signalBytes] = 250
    await redis.hset(...placed(image.id, record))
  }

  const oneByOne: string[] = []
  for await (const shard of images.all(() => t.fail()))
    for (const { id, image } of shard) oneByOne.push(comparable(id, image))
  t.equal(oneByOne.length, given.length + 20)
  t.same((await read()).sort(), oneByOne.sort())
})

t.test('images that stay in the store are read once, despite concurrent writes and erasures', async (t) => {
  const { images, reader } = await open(t)
  const kept = someImages(MANY, plainImage)
  const erased = someImages(500, plainImage)
  const added = someImages(500, plainImage)
  await putAll(images, [...kept, ...erased])
  const replaced = kept.splice(0, 500)
  const replacement = replaced.map(({ id, image }) => ({ id, image: { ...image, bank: 'another' } }))

  const read: string[] = []
  for await (const columns of reader.columns()) {
    if (read.length === 0) {
      await Promise.all([...erased.map(({ id }) => images.erase(id)), putAll(images, added), putAll(images, replacement)])
    }
    read.push(...comparablesOf(columns))
  }

  const seen = new Set(read)
  const texts = (all: readonly StoredImage[]) => all.map(({ id, image }) => comparable(id, image))
  t.equal(seen.size, read.length, 'nothing twice')
  t.ok(texts(kept).every((text) => seen.has(text)))
  const instead = texts(replacement)
  const either = texts(replaced).map((old, i) => seen.has(old) !== seen.has(instead[i] ?? ''))
  t.ok(either.every(Boolean), 'a replaced image is read once, in its old or new form')
  const ever = new Set(
    [...kept, ...erased, ...added, ...replaced, ...replacement].map(({ id, image }) => comparable(id, image)),
  )
  t.ok(
    read.every((text) => ever.has(text)),
    'nothing that was never stored',
  )
})

t.test('a record that was changed, moved or sealed with another key stops the reading', async (t) => {
  const { read, redis } = await open(t)
  const record = encodeImage(plain)
  const [shard, id, sealed] = placed(formatUuid(Buffer.alloc(16, 1)), record)
  const [otherShard, otherId] = placed(formatUuid(Buffer.alloc(16, 2)), record)
  const [, , foreign] = placed(formatUuid(id), record, Buffer.alloc(32, 8))

  await redis.hset(otherShard, otherId, sealed)
  await t.rejects(read(), { name: 'SealError' }, 'moved')
  await redis.del(otherShard)
  await redis.hset(shard, id, changed(sealed))
  await t.rejects(read(), { name: 'SealError' }, 'changed')
  await redis.hset(shard, id, foreign)
  await t.rejects(read(), { name: 'SealError' }, 'of another key')
  await redis.hset(shard, id, sealed)
  t.same(await read(), [comparable(formatUuid(id), plain)])
})

t.test('a Redis that is missing or goes away is reported as unavailable', async (t) => {
  const { images, reader, server } = await open(t)
  const nowhere = createImageReader({ url: undefined, socket: '/nowhere/redis.sock' }, makeKeyring([secret]))
  await t.rejects(nowhere.columns().next(), { code: 'store-unavailable' })

  await putAll(images, someImages(MANY, plainImage))
  const reading = reader.columns()
  await reading.next()
  server.kill()
  await server.exited
  await t.rejects(drain(reading), { code: 'store-unavailable' })
})

t.test('a Redis that stops answering is reported as unavailable', async (t) => {
  const { images, reader, redis } = await open(t)
  await putAll(images, someImages(MANY, plainImage))
  const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1])
  const reading = reader.columns()
  await reading.next()
  process.kill(pid, 'SIGSTOP')
  t.teardown(() => process.kill(pid, 'SIGCONT'))

  await t.rejects(drain(reading), { code: 'store-unavailable' })
})

t.test('a caller that stops early leaves no thread and no connection', async (t) => {
  const { images, reader, redis } = await open(t)
  await putAll(images, someImages(MANY, plainImage))
  const connections = async () =>
    String(await redis.client('LIST'))
      .trim()
      .split('\n').length
  const before = await connections()
  for await (const { images: count } of reader.columns()) {
    t.equal(count, BATCH_IMAGES)
    const opened = (await connections()) - before
    t.ok(opened === 1 || opened === 2, 'a connection for each thread that has started')
    break
  }

  while ((await connections()) > before) await new Promise((resolve) => setTimeout(resolve, 10))
  t.notOk(process.getActiveResourcesInfo().includes('Worker'))
})

t.test('a slow caller pauses the reading', async (t) => {
  const { images, reader, redis } = await open(t)
  await putAll(images, someImages(MANY, plainImage))
  const shardsRead = async () => Number(/cmdstat_hgetall:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0)
  const reading = reader.columns()
  await reading.next()
  for (let before = -1, now = 0; now > before; now = await shardsRead()) {
    before = now
    await new Promise((resolve) => setTimeout(resolve, 200))
  }

  t.ok((await shardsRead()) < IMAGE_SHARDS)
  await drain(reading)
  t.equal(await shardsRead(), IMAGE_SHARDS)
})

t.test('the event loop runs between two batches, even if both are ready', async (t) => {
  const { images, reader } = await open(t)
  await putAll(images, someImages(6 * BATCH_IMAGES, plainImage))
  let turns = 0
  const turn = () => {
    turns++
    immediate = setImmediate(turn)
  }
  let immediate = setImmediate(turn)
  const ticksAtBatch: number[] = []
  for await (const _ of reader.columns()) {
    ticksAtBatch.push(turns)
    const untilMs = performance.now() + 500
    while (ticksAtBatch.length === 1 && performance.now() < untilMs); // the thread reads on while this one is busy
  }
  clearImmediate(immediate)

  t.ok(ticksAtBatch.every((at, i) => i === 0 || at > (ticksAtBatch[i - 1] ?? at)))
})

async function open(t: Test) {
  const { socket, server } = await startRedis(t)
  const target = { url: undefined, socket }
  const store = await openStore(target)
  const redis = new Redis(socket)
  redis.on('error', () => {})
  t.teardown(async () => {
    redis.disconnect()
    await store.close()
  })
  const keyring = makeKeyring([secret])
  const reader = createImageReader(target, keyring)
  const read = async () => {
    const all: string[] = []
    for await (const columns of reader.columns()) all.push(...comparablesOf(columns))
    return all
  }
  return { images: createImageStore(store, keyring), reader, read, redis, server }
}

function someImages(count: number, kind: fc.Arbitrary<RegisteredImage>): StoredImage[] {
  return fc.sample(kind, count).map((image) => ({ id: formatUuid(randomBytes(16)), image }))
}

async function putAll(images: Images, all: readonly StoredImage[]): Promise<void> {
  for (let from = 0; from < all.length; from += 500) await images.put(all.slice(from, from + 500))
}

/** Shard and field of a record, and the record sealed for them. */
function placed(id: string, record: Uint8Array, key = secret): [string, Buffer, Buffer] {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  return [keys.images(imageShard(bytes)), bytes, makeKeyring([key]).seal(record, imageContext(bytes))]
}

function changed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1
  return copy
}

async function drain(batches: AsyncGenerator<unknown>): Promise<void> {
  for await (const _ of batches);
}
