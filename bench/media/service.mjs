// The service that files are sent to: a running one, or its own, whose processes are restarted as the supervisor does it.

import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { environmentFor } from '../../dist/src/boot/config.js'
import { keepPart } from '../../dist/src/boot/kept-part.js'
import { apiEnvironment, openService } from '../service.mjs'

const ENTRIES = { api: '../../dist/src/boot/server.js', workers: '../../dist/workers/main.js' }
const TIMING = { firstRetryMs: 500, longestRetryMs: 4000, soundAfterMs: 10_000 }
const STOP_TIMEOUT_MS = 35_000
const READY_TIMEOUT_MS = 60_000

/**
 * Standard output is for figures, so what the processes log goes to standard error.
 *
 * @returns `{ key, ready }`: a key that may match, and what waits until all processes are ready and gives the address, which a restart changes.
 *   After a minute in vain it fails.
 */
export async function startService(defer) {
  const service = await openService(defer)
  const own = { PATH: process.env.PATH, TABIR_DATA_DIR: service.dataDir, TABIR_LOG_LEVEL: 'warn' }
  const environments = {
    api: apiEnvironment(service),
    workers: environmentFor('workers', { socket: service.redis.socket }, own),
  }
  const context = { ...TIMING, now: Date.now, warn: (text) => console.error(text) }
  const keep = (name) => {
    const args = ['-c', 'exec "$0" "$1" >&2', process.execPath, fileURLToPath(new URL(ENTRIES[name], import.meta.url))]
    const command = { name, command: '/bin/sh', args, env: environments[name], stopTimeoutMs: STOP_TIMEOUT_MS }
    const part = keepPart(command, { onReady: () => {} }, context)
    defer(part.stop)
    return part
  }
  const workers = keep('workers')
  const api = keep('api')
  const ready = async () => {
    for (const sinceMs = Date.now(); Date.now() - sinceMs < READY_TIMEOUT_MS; await sleep(50)) {
      const url = api.url()
      if (workers.isReady() && url !== undefined) return new URL(url).origin
    }
    throw new Error('the service is not ready')
  }
  await ready()
  return { key: service.key, ready }
}
