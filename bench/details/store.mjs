// How many bytes Redis stores for the details of a picture, in addition to its hashes.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { formatUuid } from '../../dist/packages/core/src/ids.js'
import { CASES_BANK_NAME } from '../../dist/packages/core/src/matching/bank.js'
import { MAX_DETAIL_ROWS, MAX_POINTS } from '../../dist/packages/hash/src/details/rows.js'
import { HASH_BYTES, hashFromBytes } from '../../dist/packages/hash/src/hash256.js'
import { readConfig } from '../../dist/src/boot/config.js'
import { openRedisServer } from '../../dist/src/store/embedded/embedded-redis.js'
import { createImageStore } from '../../dist/src/store/images/images.js'
import { openStore } from '../../dist/src/store/redis/client.js'
import { makeKeyring } from '../../dist/src/store/sealing/seal.js'

const IMAGES = 10_000
const AT_ONCE = 250
const SIGNALS = 29
const SIZE = { width: 480, height: 360 }

/** @returns bytes an image: what Redis says it stores more for pictures with details than for as many without. */
export async function storeBytes() {
  return (await usedFor(true)) - (await usedFor(false))
}

async function usedFor(isDetailed) {
  const dataDir = mkdtempSync(join(tmpdir(), 'tabir-bench-'))
  const server = await openRedisServer(readConfig({ PATH: process.env.PATH, TABIR_DATA_DIR: dataDir }))
  const store = await openStore({ url: undefined, socket: server.socket })
  const redis = new Redis(server.socket)
  try {
    const images = createImageStore(store, makeKeyring([randomBytes(32)]))
    const used = async () => storedBytes(await redis.info('memory'))
    const before = await used()
    for (let i = 0; i < IMAGES; i += AT_ONCE) await images.put(Array.from({ length: AT_ONCE }, () => newImage(isDetailed)))
    return ((await used()) - before) / IMAGES
  } finally {
    redis.disconnect()
    await store.close()
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** What is stored: without what the scripts' garbage and clients' buffers take at the moment, up to 400 bytes an image. */
function storedBytes(info) {
  const field = (name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  return field('used_memory') - field('used_memory_vm_total') - field('mem_clients_normal') - field('mem_aof_buffer')
}

function newImage(isDetailed) {
  const hash = () => hashFromBytes(randomBytes(HASH_BYTES))
  const image = {
    bank: CASES_BANK_NAME,
    tier: 'self-reported',
    category: undefined,
    ref: undefined,
    createdAtMs: Date.now(),
    signals: Array.from({ length: SIGNALS }, () => ({ type: 'pdq-area', view: 'crop', quality: 100, hash: hash() })),
  }
  const id = formatUuid(randomBytes(16))
  if (!isDetailed) return { id, image }
  const rows = Array.from({ length: MAX_DETAIL_ROWS }, (_, i) => ({ place: i, pose: i, hash: hash() }))
  const points = Array.from({ length: MAX_POINTS }, (_, i) => ({ column: i % 32, row: i % 31, hash: hash() }))
  return { id, image: { ...image, details: { ...SIZE, subjectGroup: 1, rows } }, points: { ...SIZE, points } }
}
