// Process entry: BullMQ workers. They know Redis and the hand-off; they have no seal key and never decode a picture.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { onceRedisAnswers } from '../src/app/first-answer.js'
import { createLifecycle, startOrStop } from '../src/app/lifecycle.js'
import { readConfig } from '../src/boot/config.js'
import { hearHangups, leaveMemoryOutOfDumps, orRefuseToStart, refuseToStart, stopOnSignal } from '../src/boot/process.js'
import { startTracing } from '../src/boot/tracing.js'
import { ISOLATION_LAYERS } from '../src/domain/isolation-layers.js'
import { type HandoffVisit, visitHandoffs } from '../src/handoff/visit.js'
import { HASH_IMAGE_QUEUE, HASHING_TIME_LIMIT_MS, QUEUE_PREFIX } from '../src/jobs/hash-image.js'
import { lineClient } from '../src/net/private-line.js'
import { connectForWaiting, openStore } from '../src/store/redis/client.js'
import { checkFormat } from '../src/store/redis/format.js'
import { HEARTBEAT_INTERVAL_MS } from '../src/store/redis/heartbeats.js'
import { keepCases } from './case-life.js'
import { hashImageHandler } from './hash-image.js'
import { collectAtOnce } from './heap.js'
import { keepHeartbeat } from './heartbeat.js'
import { checkDecoderFloors } from './media/libvips.js'
import { openSandbox, type Sandbox } from './sandbox.js'
import { findSandboxCommand, ownFiles } from './sandbox-command.js'
import { secretPaths } from './secret-paths.js'
import { traced } from './traced.js'

/** One image's whole time; the supervisor waits a little longer. */
const FINISH_TIMEOUT_MS = 30_000
/** Pictures that are here before a child is free for them: one that is done begins with the next at once, while its answer is on its way. */
const PICTURES_AHEAD = 1

leaveMemoryOutOfDumps()
hearHangups() // they have nothing to read again
collectAtOnce()
const config = orRefuseToStart(() => readConfig(process.env))
orRefuseToStart(() => checkDecoderFloors())

const target = { url: config.redisUrl, socket: config.redisSocket }
const warn = (line: string) => console.error(line)
const lifecycle = createLifecycle()
await startOrStop(lifecycle, start, (error) => warn(String(error))).catch(refuseToStart)
stopOnSignal(lifecycle.stop)
process.send?.({ ready: true }) // and not before a signal stops it as it should

async function start(): Promise<void> {
  if (config.tracesUrl !== undefined) lifecycle.keep('tracing', await startTracing(config.tracesUrl, 'tabir-workers'))
  await onceRedisAnswers(checkStore, { onWaiting: warn })
  const redis = connectForWaiting(target)
  lifecycle.add('redis', () => redis.disconnect())
  const visit = lifecycle.keep('hand-offs', visitHandoffs(lineClient(readCa(config.handoffCaFile))))
  const sandbox = lifecycle.keep('sandbox', createSandbox())
  await sandbox.ready
  const held = await sandbox.isolationLayers
  const lacking = ISOLATION_LAYERS.filter((layer) => !held.includes(layer))
  console.log(JSON.stringify({ msg: 'what holds for children that decode', held, lacking }))

  const jobs: { close(): Promise<unknown> }[] = []
  // Stopped together, so that each may take all of the time. Without Redis there is no job to finish, and it may go away in the middle of this.
  lifecycle.add('jobs', () => Promise.all(jobs.map((job) => job.close())), FINISH_TIMEOUT_MS)
  const worker = createWorker(redis, visit, sandbox)
  jobs.push({ close: () => worker.close(redis.status !== 'ready') })
  await worker.waitUntilReady()
  const eraseIntervalMs = config.eraseIntervalS * 1000
  jobs.push(keepCases({ target, connection: redis, eraseIntervalMs, now: Date.now, warn }))
  const isFit = () => worker.isRunning() && sandbox.pids.length > 0
  jobs.push(keepHeartbeat({ redis, intervalMs: HEARTBEAT_INTERVAL_MS, isFit, lacking }))
}

function createSandbox(): Sandbox {
  return openSandbox({
    children: config.hashers,
    memoryMb: config.hasherMemoryMb,
    timeLimitMs: HASHING_TIME_LIMIT_MS,
    entry: [fileURLToPath(new URL('./media/child.js', import.meta.url))],
    onOutOfMemory: () =>
      warn(JSON.stringify({ level: 'warn', msg: 'an image needs more memory than TABIR_HASHER_MEMORY_MB allows' })),
    sandboxCommand: findSandboxCommand({ readable: ownFiles(), hidden: secretPaths(config) }),
  })
}

function createWorker(connection: Redis, visit: HandoffVisit, sandbox: Sandbox): Worker {
  const hashImage = traced(hashImageHandler({ visit, sandbox }))
  const worker = new Worker(
    HASH_IMAGE_QUEUE,
    async (job) => {
      try {
        return await hashImage(job.data)
      } catch {
        // A fixed text: whatever went wrong, BullMQ would write its words into Redis.
        throw new Error('hand-off unreachable')
      }
    },
    {
      prefix: QUEUE_PREFIX,
      connection,
      concurrency: config.hashers + PICTURES_AHEAD,
      stalledInterval: 10_000,
      lockDuration: 30_000,
    },
  )
  worker.on('error', () => {}) // Redis is unavailable; the worker's own connection comes back by itself
  return worker
}

/** Cases must not be ended in a store that this version would misread. */
async function checkStore(): Promise<void> {
  const store = await openStore(target)
  try {
    await checkFormat(store)
  } finally {
    await store.close()
  }
}

function readCa(file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file)
  } catch {
    throw new Error('The file of TABIR_HANDOFF_CA cannot be read.')
  }
}
