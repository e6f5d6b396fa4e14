// What Redis stores for a case and for a picture of one, written as the service writes them.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { formatUuid } from '../../dist/packages/core/src/ids.js'
import { CASES_BANK_NAME } from '../../dist/packages/core/src/matching/bank.js'
import { readConfig } from '../../dist/src/boot/config.js'
import { openRedisServer } from '../../dist/src/store/embedded/embedded-redis.js'
import { createImageStore } from '../../dist/src/store/images/images.js'
import { openStore } from '../../dist/src/store/redis/client.js'
import { makeKeyring } from '../../dist/src/store/sealing/seal.js'
import { startService } from '../../dist/test/helpers/service.js'

const CASES = 1000
const PICTURES = 4000
const AT_ONCE = 50
const FACTS = { bank: CASES_BANK_NAME, tier: 'self-reported', category: undefined, ref: undefined }

/** @param sets signals of registered pictures, used in rotation. @returns bytes of Redis's data for each. */
export async function redisBytes(sets) {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-bench-'))
  const server = await openRedisServer(readConfig({ PATH: process.env.PATH, TABIR_DATA_DIR: folder }))
  const endings = []
  const service = await startService(
    { teardown: (end) => endings.unshift(end) },
    { redis: { socket: server.socket, dataDir: folder, server } },
  )
  const store = await openStore({ url: undefined, socket: server.socket })
  const redis = new Redis(server.socket)
  const each = async (count, write) => {
    await together(AT_ONCE, write) // what is made once
    await service.services.settled()
    const before = await usedBytes(redis)
    for (let i = 0; i < count; i += AT_ONCE) await together(AT_ONCE, write)
    await service.services.settled()
    return ((await usedBytes(redis)) - before) / count
  }
  try {
    const payload = { adult: true, category: 'nude' }
    const redisBytesPerCase = await each(CASES, async () => {
      const { statusCode, body } = await service.app.inject({ method: 'POST', url: '/v1/cases', payload })
      if (statusCode >= 300) throw new Error(body)
    })
    const images = createImageStore(store, makeKeyring([randomBytes(32)]))
    let number = 0
    const redisBytesPerPicture = await each(PICTURES, async () => {
      const signals = sets[number++ % sets.length].map(({ hashes: [hash], ...rest }) => ({ ...rest, hash }))
      await images.put([{ id: formatUuid(randomBytes(16)), image: { ...FACTS, createdAtMs: Date.now(), signals } }])
    })
    return { redisBytesPerPicture, redisBytesPerCase }
  } finally {
    redis.disconnect()
    await store.close()
    for (const end of endings) await end()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function together(count, work) {
  return Promise.all(Array.from({ length: count }, work))
}

async function usedBytes(redis) {
  return Number(/^used_memory_dataset:(\d+)/m.exec(await redis.info('memory'))[1])
}
