// Process entry: BullMQ workers. They have access to Redis and the hand-off. They have no seal key and never decode a picture.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { onceRedisAnswers } from '../src/app/first-answer.js'
import { createLifecycle, startOrStop } from '../src/app/lifecycle.js'
import { readConfig } from '../src/boot/config.js'
import { exitOnError, leaveMemoryOutOfDumps, onHangups, refuseToStart, stopOnSignal } from '../src/boot/process.js'
import { startTracing } from '../src/boot/tracing.js'
import { ISOLATION_LAYERS } from '../src/domain/isolation-layers.js'
import { messageOf } from '../src/domain/message-of.js'
import { type HandoffVisit, visitHandoffs } from '../src/handoff/visit.js'
import { HASH_IMAGE_QUEUE, HASHING_TIME_LIMIT_MS, HashImageJob, QUEUE_PREFIX } from '../src/jobs/hash-image-job.js'
import { HASH_VIDEO_QUEUE, HashVideoJob } from '../src/jobs/hash-video-job.js'
import { knownJobs } from '../src/jobs/known-jobs.js'
import { createPrivateClient } from '../src/net/private-line.js'
import { connectForWaiting, openStore } from '../src/store/redis/client.js'
import { checkFormat } from '../src/store/redis/format.js'
import { HEARTBEAT_INTERVAL_MS } from '../src/store/redis/heartbeats.js'
import { keepCases } from './case-life.js'
import { HEIC_OFF } from './frames.js'
import { type HashImageOutcome, hashImageHandler } from './hash-image-job.js'
import { createVideoTurns, hashVideoHandler } from './hash-video-job.js'
import { collectAtOnce } from './heap.js'
import { keepHeartbeat } from './heartbeat.js'
import { checkHeifDecoder } from './media/libheif.js'
import { checkDecoderFloors } from './media/libvips.js'
import { type FoundFfmpeg, ffmpegFiles, findFfmpeg } from './media/video/find-ffmpeg.js'
import { openSandbox, type Sandbox } from './sandbox.js'
import { findSandboxCommand, ownFiles } from './sandbox-command.js'
import { secretPaths } from './secret-paths.js'
import { traced } from './traced.js'
import { openVideoSandbox, type VideoSandbox } from './video-sandbox.js'

/** Time that one image may take at a stop. The supervisor waits a little longer. */
const FINISH_TIMEOUT_MS = 30_000
/** Pictures that are fetched before a child is free: a child that is done starts the next at once, while its answer is being sent. */
const PICTURES_AHEAD = 1

leaveMemoryOutOfDumps()
onHangups() // this process has no files to reload
collectAtOnce()
const config = exitOnError(() => readConfig(process.env))
exitOnError(() => checkDecoderFloors())
if (config.heic === 'on') exitOnError(() => checkHeifDecoder())
const ffmpeg = exitOnError(() => findFfmpeg(config))

const target = { url: config.redisUrl, socket: config.redisSocket }
const warn = (line: string) => console.error(line)
const lifecycle = createLifecycle()
await startOrStop(lifecycle, start, (error) => warn(String(error))).catch(refuseToStart)
stopOnSignal(lifecycle.stop)
process.send?.({ ready: true }) // only now, when signals stop it in order

async function start(): Promise<void> {
  if (config.tracesUrl !== undefined) lifecycle.keep('tracing', await startTracing(config.tracesUrl, 'tabir-workers'))
  await onceRedisAnswers(checkStore, { onWaiting: warn })
  const redis = connectForWaiting(target)
  lifecycle.add('redis', () => redis.disconnect())
  const visit = lifecycle.keep('hand-offs', visitHandoffs(createPrivateClient(readCa(config.handoffCaFile))))
  const sandbox = lifecycle.keep('sandbox', createSandbox())
  await sandbox.ready
  const held = await sandbox.isolationLayers
  const lacking = ISOLATION_LAYERS.filter((layer) => !held.includes(layer))
  console.log(JSON.stringify({ msg: 'what holds for children that decode', held, lacking }))

  const jobs: { close(): Promise<unknown> }[] = []
  // Stopped in parallel, so that each may use all of the time. Without Redis there is no job to finish, and Redis may become unavailable meanwhile.
  lifecycle.add('jobs', () => Promise.all(jobs.map((job) => job.close())), FINISH_TIMEOUT_MS)
  const worker = createWorker(redis, {
    queue: HASH_IMAGE_QUEUE,
    handle: traced(HASH_IMAGE_QUEUE, HashImageJob, hashImageHandler({ visit, sandbox })),
    concurrency: config.hashers + PICTURES_AHEAD,
  })
  const workers = [worker, ...createVideoWorkers(redis, visit)]
  for (const each of workers) jobs.push({ close: () => each.close(redis.status !== 'ready') })
  await Promise.all(workers.map((each) => each.waitUntilReady()))
  const eraseIntervalMs = config.eraseIntervalS * 1000
  jobs.push(keepCases({ target, connection: redis, eraseIntervalMs, now: Date.now, warn }))
  const isFit = () => worker.isRunning() && sandbox.canStart
  const allLacking = ffmpeg === undefined ? ([...lacking, 'ffmpeg'] as const) : lacking
  jobs.push(keepHeartbeat({ redis, intervalMs: HEARTBEAT_INTERVAL_MS, isFit, lacking: allLacking }))
}

function createSandbox(): Sandbox {
  return openSandbox({
    children: config.hashers,
    memoryMb: config.hasherMemoryMb,
    timeLimitMs: HASHING_TIME_LIMIT_MS,
    entry: [fileURLToPath(new URL('./media/child.js', import.meta.url)), ...(config.heic === 'off' ? [HEIC_OFF] : [])],
    onFailedStart: (reason) => tellFailedStart('no picture can be hashed: children that decode end at their start', reason),
    onOutOfMemory: () =>
      warn(JSON.stringify({ level: 'warn', msg: 'an image needs more memory than TABIR_HASHER_MEMORY_MB allows' })),
    sandboxCommand: findSandboxCommand({ readable: ownFiles(), hidden: secretPaths(config) }),
  })
}

/** Pictures and videos are answered with 503 meanwhile; starts are tried again. */
function tellFailedStart(msg: string, reason: string): void {
  const isMemory = /memory|bad_alloc/i.test(reason)
  const advice = isMemory ? 'raise TABIR_HASHER_MEMORY_MB, or free memory of this machine' : 'npx tabir doctor'
  warn(JSON.stringify({ level: 'error', msg, reason, do: advice }))
}

/** None without ffmpeg: videos are for workers that have it. */
function createVideoWorkers(redis: Redis, visit: HandoffVisit): Worker[] {
  if (ffmpeg === undefined) {
    console.log(JSON.stringify({ msg: 'there is no ffmpeg, so no videos are taken here: apt-get install ffmpeg' }))
    return []
  }
  const sandbox = lifecycle.keep('sandbox of videos', createVideoSandbox(ffmpeg))
  const turns = createVideoTurns(config.videoHashers, () => performance.now())
  const handle = traced(HASH_VIDEO_QUEUE, HashVideoJob, hashVideoHandler({ visit, sandbox, turns }))
  return [createWorker(redis, { queue: HASH_VIDEO_QUEUE, handle, concurrency: config.videoHashers })]
}

/** It is made for the first video: trying what isolation works here takes a third of a second. */
function createVideoSandbox(found: FoundFfmpeg): Pick<VideoSandbox, 'hash' | 'close'> {
  let opened: VideoSandbox | undefined
  const open = () => {
    const readable = [...ownFiles(), ...ffmpegFiles(found)]
    const sandboxCommand = findSandboxCommand({ readable, hidden: secretPaths(config) })
    const onFailedStart = (reason: string) => tellFailedStart('videos cannot be hashed', reason)
    return openVideoSandbox({ ffmpeg: found.binary, sandboxCommand, onFailedStart })
  }
  return {
    async hash(...video) {
      try {
        opened ??= open()
      } catch (error) {
        warn(JSON.stringify({ level: 'error', msg: 'videos cannot be hashed', reason: messageOf(error) }))
        return { problem: 'hashing-unavailable' }
      }
      return opened.hash(...video)
    },
    close: async () => opened?.close(),
  }
}

interface WorkerOptions {
  readonly queue: string
  readonly handle: (data: unknown) => Promise<HashImageOutcome>
  readonly concurrency: number
}

function createWorker(connection: Redis, { queue, handle, concurrency }: WorkerOptions): Worker {
  const worker = new Worker(queue, knownJobs(handle, 'hand-off unreachable'), {
    prefix: QUEUE_PREFIX,
    connection,
    concurrency,
    stalledInterval: 10_000,
    lockDuration: 30_000,
  })
  worker.on('error', () => {}) // Redis is unavailable; the worker's own connection reconnects by itself
  return worker
}

/** Refuses a store that this version would misread: cases must not be ended in it. */
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
