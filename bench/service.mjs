// Processes for benchmarks: a private Redis with rows, processes over it, and a shutdown that leaves nothing behind.

import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { formatUuid } from '../dist/packages/core/src/ids.js'
import { hashFromBytes } from '../dist/packages/hash/src/hash256.js'
import { environmentFor, readConfig } from '../dist/src/boot/config.js'
import { createApiKey } from '../dist/src/services/keys/access.js'
import { openRedisServer } from '../dist/src/store/embedded/embedded-redis.js'
import { createImageStore } from '../dist/src/store/images/images.js'
import { createApiKeyStore } from '../dist/src/store/organisations/api-keys.js'
import { createBankStore } from '../dist/src/store/organisations/banks.js'
import { openStore } from '../dist/src/store/redis/client.js'
import { keyringOf } from '../dist/src/store/sealing/seal-keys.js'
import { progress } from './report.mjs'
import { CHUNK_ROWS, openCorpus, ROW_WORDS } from './search/corpora.mjs'

export const BANK = 'bench-hotline'
export const CATEGORY = 'nude'

const SERVER = new URL('../dist/src/boot/server.js', import.meta.url)
const PUT_AT_ONCE = 512
const MAX_PUTS = 20
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }
const STOP_TIMEOUT_MS = 60_000

/**
 * Runs `work(defer)`, then what it deferred, the last first; also when a signal ends it, whose status is then its own, and when
 * something fails that nobody waits for.
 */
export async function run(work) {
  const undos = []
  let status
  let ended
  const end = () => {
    ended ??= undoAll(undos)
    return ended
  }
  const stop = (why) => {
    if (status === undefined && why instanceof Error) console.error(why)
    status ??= SIGNALS[why] ?? 1
    end().finally(() => process.exit(status))
  }
  const reasons = [...Object.keys(SIGNALS), 'unhandledRejection', 'uncaughtException']
  for (const reason of reasons) process.on(reason, stop)
  try {
    return await work((undo) => undos.push(undo))
  } finally {
    await end()
    if (status !== undefined) await new Promise(() => {}) // it ends in `stop`; what broke off meanwhile is no news
    for (const reason of reasons) process.off(reason, stop)
  }
}

async function undoAll(undos) {
  while (undos.length > 0) {
    try {
      await undos.pop()()
    } catch (error) {
      console.error(error)
      process.exitCode = 1
    }
  }
}

/** A private Redis, on disk at every write as in life, with a bank and an API key that may do everything measured here. */
export async function openService(defer) {
  const dataDir = mkdtempSync(join(tmpdir(), 'tabir-bench-'))
  defer(() => rmSync(dataDir, { recursive: true, force: true }))
  const { PATH, TABIR_REDIS_BIN } = process.env // not REDIS_URL: nothing here may be written to somebody's own Redis
  const open = () => openRedisServer(readConfig({ PATH, TABIR_REDIS_BIN, TABIR_DATA_DIR: dataDir }))
  let redis = await open()
  defer(() => redis.stop())
  /** `kill -9`, and started again as the supervisor does it. */
  const restartRedis = async () => {
    redis.kill()
    await redis.exited
    redis = await open()
  }
  const store = await openStore({ url: undefined, socket: redis.socket })
  defer(() => store.close())
  const keyring = keyringOf({ dataDir }, true) // the file that the api will find
  const apiKeys = createApiKeyStore(store)
  const scopes = new Set(['match', 'match:distance', 'signals:write'])
  const { keyId, key } = await createApiKey(apiKeys, { org: 'bench', kind: 'ngo', scopes, env: 'bench', nowMs: Date.now() })
  const { orgId } = await apiKeys.get(keyId)
  await createBankStore(store).add({ name: BANK, orgId, thresholdBits: {}, createdAtMs: Date.now() }, 'operator')
  return { dataDir, redis, store, keyring, key, restartRedis }
}

/** Puts the rows of the uniform corpus into Redis, each as an image of its own, and waits until Redis is at rest. */
export async function fill({ store, keyring }, rows) {
  const images = createImageStore(store, keyring)
  const corpus = openCorpus('uniform', rows)
  const draw = progress('filling Redis', rows)
  const words = new Uint32Array(CHUNK_ROWS * ROW_WORDS)
  const hashes = new Uint8Array(words.buffer)
  let before // while Redis writes one chunk, the next is sealed
  for (let firstRow = 0; firstRow < rows; firstRow += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows - firstRow)
    corpus.fill(words, firstRow, count)
    const made = Array.from({ length: count }, (_, i) => imageOf(hashFromBytes(hashes, 32 * i)))
    const puts = []
    for (let i = 0; i < count; i += PUT_AT_ONCE) puts.push(untilOnDisk(() => images.put(made.slice(i, i + PUT_AT_ONCE))))
    await before
    before = Promise.all(puts)
    draw(firstRow)
  }
  await before
  draw(rows)
  while (/aof_rewrite_(in_progress|scheduled):1/.test(await info(store, 'persistence'))) await sleep(100)
}

/** Beside other work the disk may be late. To put the same once more changes nothing. */
async function untilOnDisk(put) {
  for (let tries = 1; ; tries++) {
    try {
      return await put()
    } catch (error) {
      if (error.code !== 'store-unavailable' || tries === MAX_PUTS) throw error
      await sleep(1000)
    }
  }
}

/** As an import's line becomes one. */
function imageOf(hash) {
  const id = randomBytes(16)
  id[6] = 0x80 | (id[6] & 0x0f)
  id[8] = 0x80 | (id[8] & 0x3f)
  const signals = [{ type: 'pdq', view: 'whole', quality: 100, hash }]
  const image = { bank: BANK, tier: 'ngo-attested', category: CATEGORY, ref: undefined, createdAtMs: Date.now(), signals }
  return { id: formatUuid(id), image }
}

export function info(store, section) {
  return store.ask((redis) => redis.info(section))
}

export async function redisNumber(store, section, field) {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(await info(store, section))?.[1])
}

/**
 * The environment that the supervisor would give an api, and nothing of this process's. Without a line for each request:
 * it would be added to both sides of a ratio, and hide what a match costs beside it.
 */
export function apiEnvironment({ dataDir, redis }, settings = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(TABIR|REDIS)_/.test(name))
  const own = {
    TABIR_DATA_DIR: dataDir,
    TABIR_PORT: '0',
    TABIR_LOG_LEVEL: 'warn',
    TABIR_SNAPSHOT_INTERVAL_S: '0',
    ...settings,
  }
  return environmentFor('api', { socket: redis.socket }, { ...Object.fromEntries(inherited), ...own })
}

/**
 * Starts an api process; `entry` is one that becomes the api, after it has made itself answerable.
 * @param {any} defer
 * @param {any} service
 * @param {{ entry?: URL, settings?: Record<string, string> }} [how]
 */
export async function startApi(defer, service, { entry = SERVER, settings } = {}) {
  const part = await startPart(defer, entry, apiEnvironment(service, settings))
  return { ...part, port: Number(new URL(part.message.url).port) }
}

/**
 * Starts a process, and waits for its first message.
 * @returns its `pid` and `message`; `forkedAtMs` and `readyAfterMs`; `ask`, for what entries here answer (answers.mjs); and
 * `stop`, which gives how long stopping took.
 */
export async function startPart(defer, entry, env = process.env) {
  const forkedAtMs = performance.timeOrigin + performance.now()
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
  const child = fork(fileURLToPath(entry), { env, stdio, execArgv: [], serialization: 'advanced' })
  const exited = once(child, 'exit').then(([status, signal]) => signal ?? status)
  const stop = async () => {
    const begun = performance.now()
    child.kill('SIGTERM')
    const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exited
    clearTimeout(impatience)
    return performance.now() - begun
  }
  defer(stop)

  const waiting = new Map()
  const tooEarly = exited.then((how) => {
    throw new Error(`a process ended while it was needed (${how})`)
  })
  tooEarly.catch(() => {})
  const [message] = await Promise.race([once(child, 'message'), tooEarly])
  const readyAfterMs = performance.timeOrigin + performance.now() - forkedAtMs
  child.on('message', (/** @type {any} */ { id, answer, error }) => {
    const { resolve, reject } = waiting.get(id) ?? {}
    waiting.delete(id)
    if (error === undefined) resolve?.(answer)
    else reject?.(new Error(error))
  })
  let last = 0
  const ask = (name, order) => {
    const id = ++last
    const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
    child.send({ id, name, order })
    return Promise.race([answer, tooEarly])
  }
  return { pid: child.pid, message, forkedAtMs, readyAfterMs, ask, stop }
}

/** Of another process: what it has in memory, now or at most so far. Where /proc tells, and 0 elsewhere. */
export function residentBytes(pid, field = 'VmRSS') {
  try {
    return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    return 0
  }
}

/** A whole number that was given on the command line. */
export function wholeNumber(args, name, least = 1) {
  const value = Number(args[name])
  if (Number.isInteger(value) && value >= least) return value
  console.error(`--${name} must be a whole number from ${least}`)
  return process.exit(2)
}
