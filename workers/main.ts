// Process entry: BullMQ workers. They know Redis and the hand-off; they have no seal key and never decode a picture.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'bullmq'
import { readConfig } from '../src/config.js'
import { CONFINES } from '../src/domain/confines.js'
import { onceRedisAnswers } from '../src/first-answer.js'
import { visitHandoffs } from '../src/handoff/visit.js'
import { HASH_IMAGE_QUEUE, HASHING_TIME_LIMIT_MS, QUEUE_PREFIX } from '../src/jobs/hash-image.js'
import { lineClient } from '../src/net/private-line.js'
import { hearHangups, leaveMemoryOutOfDumps, orRefuseToStart, refuseToStart, stopOnSignal } from '../src/process.js'
import { connectForWaiting, openStore } from '../src/store/redis/client.js'
import { checkFormat } from '../src/store/redis/format.js'
import { BEAT_EVERY_MS } from '../src/store/redis/heartbeats.js'
import { startTracing } from '../src/tracing.js'
import { keepBeating } from './beating.js'
import { findCage, ownFiles } from './cage.js'
import { keepCases } from './case-life.js'
import { hashImageHandler } from './hash-image.js'
import { collectAtOnce } from './heap.js'
import { checkDecoderFloors } from './media/libvips.js'
import { openSandbox } from './sandbox.js'
import { secretPaths } from './secret-paths.js'
import { traced } from './traced.js'

/** One image's whole time; the supervisor waits a little longer. */
const FINISH_WITHIN_MS = 30_000
/** Pictures that are here before a child is free for them: one that is done begins with the next at once, while its answer is on its way. */
const PICTURES_AHEAD = 1

leaveMemoryOutOfDumps()
hearHangups() // they have nothing to read again
collectAtOnce()
const config = orRefuseToStart(() => readConfig(process.env))
orRefuseToStart(() => checkDecoderFloors())

const tracing = config.tracesUrl === undefined ? undefined : await startTracing(config.tracesUrl, 'tabir-workers')
const target = { url: config.redisUrl, socket: config.redisSocket }
const warn = (line: string) => console.error(line)
await onceRedisAnswers(checkStore, { onWaiting: warn }).catch(refuseToStart)
const redis = connectForWaiting(target)
const visit = visitHandoffs(lineClient(readCa(config.handoffCaFile)))
const sandbox = openSandbox({
  children: config.hashers,
  memoryMb: config.hasherMemoryMb,
  timeLimitMs: HASHING_TIME_LIMIT_MS,
  entry: [fileURLToPath(new URL('./media/child.js', import.meta.url))],
  onOutOfMemory: () =>
    console.error(JSON.stringify({ level: 'warn', msg: 'an image needs more memory than TABIR_HASHER_MEMORY_MB allows' })),
  cage: findCage({
    readable: ownFiles(),
    hidden: secretPaths(config),
  }),
})
await sandbox.ready
const held = await sandbox.confines
const lacking = CONFINES.filter((confine) => !held.includes(confine))
console.log(JSON.stringify({ msg: 'what holds for children that decode', held, lacking }))
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
    connection: redis,
    concurrency: config.hashers + PICTURES_AHEAD,
    stalledInterval: 10_000,
    lockDuration: 30_000,
  },
)
worker.on('error', () => {}) // Redis is unavailable; the worker's own connection comes back by itself
await worker.waitUntilReady().catch(refuseToStart)
const keeper = keepCases({
  target,
  connection: redis,
  eraseEveryMs: config.eraseEveryS * 1000,
  now: Date.now,
  warn,
})
const beating = keepBeating({
  redis,
  everyMs: BEAT_EVERY_MS,
  isFit: () => worker.isRunning() && sandbox.pids.length > 0,
  lacking,
})

stopOnSignal(async () => {
  const isUnavailable = redis.status !== 'ready'
  // Without Redis there is no job to finish, and nobody to tell; it may also go away in the middle of this.
  await Promise.race([Promise.all([beating.close(), worker.close(isUnavailable), keeper.close()]), sleep(FINISH_WITHIN_MS)])
  await sandbox.close()
  visit.close()
  redis.disconnect()
  await tracing?.close()
})
process.send?.({ ready: true }) // and not before a signal stops it as it should

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
    return refuseToStart(new Error('The file of TABIR_HANDOFF_CA cannot be read.'))
  }
}
