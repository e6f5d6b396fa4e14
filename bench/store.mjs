// How many bytes does Redis store for a signal, and how long does an index take to read all of them?
//
//   node build.mjs && node bench/store.mjs [--images N] [--parallel N] [--default-limits] [--json]
//
// A private Redis that is on disk at every write, filled as an import fills it: images of a bank with one signal each, 500 at a time. Bytes are what
// Redis reports, minus what it reported when it was empty: table, change stream, bank, everything. Every image is read and checked: its hash follows
// from its id.
//
// The longest event loop delay includes what the system's scheduler adds while other threads are busy.
//
// --default-limits keeps the table as a Redis with its default limits for packed hashes would.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { formatUuid } from '../dist/packages/core/src/ids.js'
import { HASH_BYTES, hashFromBytes } from '../dist/packages/hash/src/hash256.js'
import { readConfig } from '../dist/src/boot/config.js'
import { openRedisServer } from '../dist/src/store/embedded/embedded-redis.js'
import { createImageStore } from '../dist/src/store/images/images.js'
import { createImageReader } from '../dist/src/store/images/reader/image-reader.js'
import { createBankStore } from '../dist/src/store/organisations/banks.js'
import { openStore } from '../dist/src/store/redis/client.js'
import { keys } from '../dist/src/store/redis/keys.js'
import { IMAGE_SHARDS } from '../dist/src/store/scripts/shards.js'
import { makeKeyring } from '../dist/src/store/sealing/seal.js'
import { progress } from './report.mjs'

const { values: args } = parseArgs({
  options: {
    images: { type: 'string', default: '100000' },
    parallel: { type: 'string', default: '4' },
    'default-limits': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const IMAGES = Number(args.images)
const PARALLEL = Number(args.parallel)
const BATCH = 500
const BANK = 'ncii-hotline'
const ONE_BY_ONE = Math.min(IMAGES, 20_000)
const GETS = Math.min(IMAGES, 2_000)

const dataDir = mkdtempSync(join(tmpdir(), 'tabir-bench-'))
const config = readConfig({ PATH: process.env.PATH, TABIR_DATA_DIR: dataDir })
const keyring = makeKeyring([randomBytes(32)])
let server = await openRedisServer(config)
try {
  if (args['default-limits']) await asked(setDefaultLimits)
  const emptyBytes = await asked(usedBytes)
  const filledInMs = await timeMs(() => withStore(fill))
  const usage = await asked(async (redis) => ({
    all: (await usedBytes(redis)) - emptyBytes,
    table: await tableBytes(redis),
    stream: await redis.memory('USAGE', keys.changes, 'SAMPLES', 0),
    encoding: await redis.object('ENCODING', keys.images(0)),
  }))
  const getUs = await withStore((store) => asked((redis) => serverUsPerGet(store, redis)))
  const oneByOneUs = await withStore(readOneByOne)
  const read = await readColumns(() => {})
  const check = checker()
  await readColumns(check.take)
  check.end()

  await server.stop()
  const redisStartMs = await timeMs(async () => {
    server = await openRedisServer(config)
  })

  report({
    images: IMAGES,
    bytesPerSignal: perImage(usage.all),
    tableBytesPerSignal: perImage(usage.table),
    streamBytesPerSignal: perImage(usage.stream),
    encoding: usage.encoding,
    putUsPerImage: perImage(1e3 * filledInMs),
    getServerUs: getUs,
    oneByOneUsPerImage: oneByOneUs,
    readUsPerImage: perImage(1e3 * read.wallMs),
    readMs: Math.round(read.wallMs),
    readMainThreadUsPerImage: perImage(1e3 * read.mainMs),
    longestDelayMs: Number(read.longestDelayMs.toFixed(1)),
    redisStartMs: Math.round(redisStartMs),
    redis: server.version,
    machine: `${cpus()[0]?.model ?? 'unknown'} x${cpus().length}, Node ${process.version}`,
  })
} finally {
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
}

async function fill(store) {
  await createBankStore(store).add({ name: BANK, orgId: 'bench', thresholdBits: {}, createdAtMs: Date.now() }, 'operator')
  const images = createImageStore(store, keyring)
  const draw = progress('images', IMAGES)
  let given = 0
  let done = 0
  const writer = async () => {
    while (given < IMAGES) {
      const count = Math.min(BATCH, IMAGES - given)
      given += count
      await images.put(Array.from({ length: count }, newImage))
      done += count
      draw(done)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, writer))
}

/** As `registration.ts` makes them of an import's lines, with an id that is also the hash. */
function newImage() {
  const id = randomBytes(16)
  id[6] = 0x80 | (id[6] & 0x0f)
  id[8] = 0x80 | (id[8] & 0x3f)
  const signal = { type: 'pdq', view: 'whole', quality: 100, hash: hashFromBytes(Buffer.concat([id, id])) }
  return {
    id: formatUuid(id),
    image: {
      bank: BANK,
      tier: 'ngo-attested',
      category: 'nude',
      ref: undefined,
      createdAtMs: Date.now(),
      signals: [signal],
    },
  }
}

async function readColumns(take) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const before = performance.eventLoopUtilization()
  delay.enable()
  let images = 0
  const wallMs = await timeMs(async () => {
    for await (const columns of createImageReader({ url: undefined, socket: server.socket }, keyring).columns()) {
      images += columns.images
      take(columns)
    }
  })
  delay.disable()
  assert.equal(images, IMAGES, 'every image was read, none twice')
  const mainMs = performance.eventLoopUtilization(before).active
  return { wallMs, mainMs, longestDelayMs: delay.max / 1e6 }
}

/** Checks that every image is what was stored. Up to a million, also that none came twice. */
function checker() {
  const seen = new Set()
  return {
    take({ images, ids, banks, bankNames, signals: { pdq } }) {
      assert.equal(pdq.count, images)
      const idBytes = Buffer.from(ids.buffer, ids.byteOffset, ids.length)
      for (let i = 0; i < images; i++) {
        const id = idBytes.subarray(16 * i, 16 * i + 16)
        const hash = pdq.hashes.subarray(HASH_BYTES * i, HASH_BYTES * i + HASH_BYTES)
        assert.ok(id.equals(hash.subarray(0, 16)) && id.equals(hash.subarray(16)) && pdq.images[i] === i)
        assert.equal(bankNames[banks[i]], BANK)
        if (IMAGES <= 1_000_000) seen.add(id.toString('latin1'))
      }
    },
    end: () => assert.ok(IMAGES > 1_000_000 || seen.size === IMAGES),
  }
}

function failed(error) {
  throw error
}

async function readOneByOne(store) {
  let images = 0
  const ms = await timeMs(async () => {
    for await (const shard of createImageStore(store, keyring).all(failed)) {
      images += shard.length
      if (images >= ONE_BY_ONE) break
    }
  })
  return Number(((1e3 * ms) / images).toFixed(2))
}

async function serverUsPerGet(store, redis) {
  const ids = []
  for await (const shard of createImageStore(store, keyring).all(failed)) {
    ids.push(...shard.map(({ id }) => id))
    if (ids.length >= GETS) break
  }
  await redis.config('RESETSTAT')
  const found = await createImageStore(store, keyring).get(ids)
  assert.ok(found.every((image) => image !== undefined))
  return Number(/cmdstat_hget:.*usec_per_call=([\d.]+)/.exec(await redis.info('commandstats'))?.[1])
}

async function tableBytes(redis) {
  let bytes = 0
  for (let from = 0; from < IMAGE_SHARDS; from += 1024) {
    const pipeline = redis.pipeline()
    for (let shard = from; shard < from + 1024; shard++) pipeline.memory('USAGE', keys.images(shard), 'SAMPLES', 0)
    for (const [, size] of await pipeline.exec()) bytes += Number(size ?? 0)
  }
  return bytes
}

async function usedBytes(redis) {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
}

async function setDefaultLimits(redis) {
  await redis.config('SET', 'hash-max-listpack-entries', '128')
  await redis.config('SET', 'hash-max-listpack-value', '64')
}

/** Over a connection of its own, so that its memory does not count. */
async function asked(question) {
  const redis = new Redis(server.socket)
  try {
    return await question(redis)
  } finally {
    redis.disconnect()
  }
}

async function withStore(work) {
  const store = await openStore({ url: undefined, socket: server.socket })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function timeMs(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function perImage(value) {
  return Number((value / IMAGES).toFixed(2))
}

function report(result) {
  if (args.json) console.log(JSON.stringify(result))
  else console.table(result)
}
