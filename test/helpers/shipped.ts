// A deployment with the Redis and the volumes of the compose file and the manifests.

import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { keyringOf } from '../../src/store/sealing/seal-keys.js'
import { freePorts } from './ports.js'
import { startRedis } from './redis.js'
import { post } from './requests.js'
import { keyFor, openCase, randomHashText, startService } from './service.js'

const SEAL_KEYS = `first:${Buffer.alloc(32, 9).toString('base64')}`

export async function startShipped(t: Test) {
  const volumes = mkdtempSync(join(tmpdir(), 'tabir-volumes-'))
  t.teardown(() => rmSync(volumes, { recursive: true, force: true }))
  const redis = await startRedis(t)
  const [port = 0] = await freePorts(1)
  const listen = async () => {
    const operator = new Redis(redis.socket)
    await operator.config('SET', 'port', port)
    operator.disconnect()
  }
  await listen()
  // Redis's own folder is the volume, under both its names.
  for (const name of ['redis-data', 'data-redis-0']) symlinkSync(join(redis.dataDir, 'redis'), join(volumes, name))
  const withdrawalsFolder = join(volumes, 'withdrawals')
  const settings = { dataDir: volumes, sealKeys: SEAL_KEYS, sealKeyFile: undefined }
  const open = () => startService(t, { redis, keyring: (isFirstUse) => keyringOf(settings, isFirstUse), withdrawalsFolder })
  let service = await open()
  const { headers } = await keyFor(service, 'an NGO', undefined, 'ngo')
  const [kept, taken] = [randomHashText(), randomHashText()]
  const [keptCase, takenCase] = [await openCase(service.app), await openCase(service.app)]
  for (const [own, hash] of [
    [keptCase, kept],
    [takenCase, taken],
  ] as const)
    await post(
      service.app,
      `${own.url}/hashes`,
      { images: [{ signals: [{ type: 'pdq', hash, quality: 100 }] }] },
      own.headers,
    )

  const stop = async () => {
    await service.app.close()
    await service.services.close()
    await redis.server.stop()
    for (const api of ['data-api-0', 'data-api-1'])
      cpSync(withdrawalsFolder, join(volumes, api, 'withdrawals'), { recursive: true })
  }
  return {
    env: {
      TABIR_TEST_VOLUMES: volumes,
      TABIR_TEST_REDIS: `127.0.0.1:${port}`,
      TABIR_SEAL_KEYS: SEAL_KEYS,
      TABIR_REDIS_PASSWORD: 'of-compose',
    },
    volumes,
    /** Withdraws one of the two pictures, and stops all processes. */
    async withdrawAndStop() {
      await service.app.inject({ method: 'DELETE', url: takenCase.url, headers: takenCase.headers })
      await stop()
    },
    stop,
    /** Restarts all processes. @returns the number of matches of the kept picture and of the withdrawn one. */
    async found() {
      await redis.reopen()
      await listen()
      service = await open()
      const queries = [kept, taken].map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
      const answer = await post(service.app, '/v1/match', { queries }, headers)
      return answer.json<{ results: { matches: unknown[] }[] }>().results.map(({ matches }) => matches.length)
    },
  }
}
