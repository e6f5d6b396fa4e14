// Takes in an uploaded video, in this process's memory, and has it hashed by a worker.

import type { HashedVideoFile } from '../../../packages/core/src/matching/hashed-image.js'
import { videoCostMs } from '../../domain/media/video-cost.js'
import { MAX_VIDEO_BYTES, type VideoLimits } from '../../domain/media/video-limits.js'
import { Problem } from '../../domain/problem.js'
import type { PendingVideos } from '../../handoff/pending-videos.js'
import { createVideoBytes, type VideoBytes } from '../../handoff/video-bytes.js'
import { IMAGE_TTL_MS } from '../../jobs/hash-image-job.js'
import { type HashVideoJob, LARGE_VIDEO_BEHIND, VIDEO_PRIORITY, type VideoPurpose } from '../../jobs/hash-video-job.js'
import { yielder } from '../load/yielding.js'
import { type HashingFor, UNIT_MS } from './hashing.js'
import { createPictureShares } from './picture-shares.js'
import { createVideoRoom } from './video-room.js'

export type { VideoPurpose } from '../../jobs/hash-video-job.js'

export interface VideoHashing {
  /** `maxBytes`: the largest video that this process can ever have room for. */
  readonly limits: Pick<VideoLimits, 'maxBytes' | 'uploadTimeoutMs' | 'ttlMs'>
  /** Whether no worker can decode videos. @throws {Problem} store-unavailable */
  lackDecoders(): Promise<boolean>
  /**
   * Reserves room for a video before a byte of it is read.
   * @param maxBytes its maximum size, within `limits`.
   * @throws {Problem} overloaded if this process or this caller already holds too much.
   */
  receive(from: HashingFor, maxBytes: number): ReceivedVideo
}

/** A video that is being received. Always call `release` at the end. */
export interface ReceivedVideo {
  readonly sizeBytes: number
  /** Copies a chunk, and overwrites the original. */
  add(chunk: Buffer): void
  /**
   * @param disconnected aborts the hashing, and ends its child processes.
   * @throws {Problem} why the video is refused (video-undecodable, quality-too-low …); video-unavailable; hashing-unavailable, also when aborted;
   *   store-unavailable; rate-limited.
   */
  hash(purpose: VideoPurpose, disconnected: AbortSignal): Promise<HashedVideoFile>
  /** Overwrites the video, and releases its room. */
  release(): void
}

export interface VideoHashingParts {
  readonly pendingVideos: PendingVideos
  readonly handoffUrl: string
  /** @throws {Problem} store-unavailable */
  readonly enqueue: (job: HashVideoJob, priority: number) => Promise<void>
  readonly limits: VideoLimits
  readonly lackDecoders: VideoHashing['lackDecoders']
  /** Whether no worker is alive. @throws {Problem} store-unavailable */
  readonly lackWorkers: () => Promise<boolean>
  /** How often a waiting video calls both again: the last worker with a decoder may stop. */
  readonly recheckMs?: number
  /** How long a video waits while no worker is alive [ms]. One may be starting. */
  readonly workersMs?: number
  /** A clock that never goes back [ms]. */
  readonly now?: () => number
}

/** Bytes of a video that cost one unit at least. A minute of 1080p has some 40 MB, and takes 8 s. What it cost in the end is counted afterwards. */
const UNIT_BYTES = 250_000
/** A limit that the largest file fits in must not keep a long film out. */
const MAX_UNITS = Math.ceil(MAX_VIDEO_BYTES / UNIT_BYTES)
const MIN_UNITS = 20
/** Videos of one address that may be here. One of them is hashed at a time. */
const MAX_OF_ADDRESS = 4
const RETRY_AFTER_S = 5
/** Maximum penalty on a job's priority. */
const MAX_BEHIND = 100_000
const RECHECK_MS = 5000
/** Reading a container pauses this often. */
const SLICE_MS = 1
const MONOTONIC = () => performance.now()

export function createVideoHashing(parts: VideoHashingParts): VideoHashing {
  const { pendingVideos, handoffUrl, enqueue, limits, lackDecoders, now = MONOTONIC } = parts
  const room = createVideoRoom(limits)
  const shares = createPictureShares()

  const ofAddresses = createLines(limits.ttlMs)

  const hash = async (bytes: VideoBytes, from: HashingFor, purpose: VideoPurpose, disconnected: AbortSignal) => {
    const { units, isLarge } = await expectedCost(bytes, limits.largeMs, now)
    from.chargeVideo(units, MIN_UNITS)
    const { behind, leave } = shares.enter(from, units)
    const { ticket, answer, cancel } = pendingVideos.put(bytes)
    disconnected.addEventListener('abort', cancel)
    const priority = VIDEO_PRIORITY[purpose] + Math.min(behind, MAX_BEHIND)
    const queue = (cost: HashVideoJob['cost']) =>
      enqueue(
        { handoffUrl, ticket, purpose, ...(cost !== undefined && { cost }) },
        priority + (cost === 'large' ? LARGE_VIDEO_BEHIND : 0),
      )
    // A second job for a large one. Of two jobs, the later one finds the ticket used.
    const watch = watchWaiting(parts, { ticket, cancel, ...(isLarge && { takeTurn: () => queue('waited') }) })
    try {
      if (disconnected.aborted) cancel()
      else await queue(isLarge ? 'large' : undefined)
      const hashed = await answer.catch((error: unknown) => {
        // The worker cannot say what it cost any more. Half of the time, so that nobody pays for a busy machine.
        from.settleVideo(Math.max(0, Math.floor((now() - (watch.takenAtMs ?? now())) / 2 / UNIT_MS) - MIN_UNITS))
        throw error
      })
      from.settleVideo(Math.max(0, Math.ceil(hashed.costMs / UNIT_MS) - MIN_UNITS))
      if ('problem' in hashed) throw new Problem(hashed.problem)
      if (hashed.video.frames.length === 0) throw new Problem('quality-too-low')
      return hashed.video
    } catch (error) {
      throw watch.areLacking ? new Problem('video-unavailable') : error
    } finally {
      watch.end()
      disconnected.removeEventListener('abort', cancel)
      cancel() // no effect after an answer
      leave()
    }
  }

  return {
    limits: { ...limits, maxBytes: room.maxBytes },
    lackDecoders,
    receive(from, maxBytes) {
      const leave = room.enter(from.group, maxBytes, from.waitsForCost ? MAX_OF_ADDRESS : undefined)
      const bytes = createVideoBytes()
      return {
        get sizeBytes() {
          return bytes.sizeBytes
        },
        add: (chunk) => bytes.add(chunk),
        hash(purpose, disconnected) {
          const hashed = () => hash(bytes, from, purpose, disconnected)
          return from.waitsForCost ? ofAddresses.inTurn(from.group, disconnected, hashed) : hashed()
        },
        release() {
          bytes.wipe()
          leave()
        },
      }
    },
  }
}

/**
 * @returns what a video is charged at first, and whether it waits behind others. A file that does not show its cost waits, but is charged by its size
 * alone: an ordinary clip that cannot be read here costs its sender no more.
 */
async function expectedCost({ pieces, sizeBytes }: VideoBytes, largeMs: number, now: () => number) {
  const ms = await videoCostMs(pieces, yielder(SLICE_MS, now))
  const units = Math.max(MIN_UNITS, Math.ceil(sizeBytes / UNIT_BYTES), Math.min(MAX_UNITS, Math.ceil((ms ?? 0) / UNIT_MS)))
  return { units, isLarge: ms === undefined || ms > largeMs }
}

interface WaitingVideo {
  readonly ticket: string
  readonly cancel: () => void
  /** Called when a large video has waited for its turn long enough. */
  readonly takeTurn?: () => Promise<void>
}

/** Cancels a video that no worker will take, until `end` is called. */
function watchWaiting(parts: VideoHashingParts, { ticket, cancel, takeTurn }: WaitingVideo) {
  const { pendingVideos, limits, lackDecoders, lackWorkers } = parts
  const { recheckMs = RECHECK_MS, workersMs = IMAGE_TTL_MS, now = MONOTONIC } = parts
  const watch = { areLacking: false, takenAtMs: undefined as number | undefined, end: () => clearInterval(timer) }
  let aliveAtMs = now()
  let turnAtMs = takeTurn === undefined ? Number.POSITIVE_INFINITY : now() + limits.patienceMs
  const recheck = async () => {
    if (pendingVideos.isTaken(ticket)) {
      watch.takenAtMs ??= now()
      return
    }
    if (now() >= turnAtMs) {
      turnAtMs = Number.POSITIVE_INFINITY
      await takeTurn?.().catch(() => {
        turnAtMs = now() // the store may be back soon
      })
    }
    if (!(await lackWorkers().catch(() => false))) aliveAtMs = now()
    else if (now() - aliveAtMs >= workersMs) return cancel()
    watch.areLacking = await lackDecoders().catch(() => false) // the store may be back soon
    if (watch.areLacking) cancel()
  }
  const timer = setInterval(recheck, recheckMs)
  return watch
}

/**
 * Does one work of a name at a time. So what the first video of an address cost is known before the next is taken.
 * @param maxMs how long one may wait.
 */
function createLines(maxMs: number) {
  const lasts = new Map<string, Promise<void>>()
  return {
    /** @throws {Problem} hashing-unavailable if its time or the connection ended before it began. */
    async inTurn<T>(name: string, disconnected: AbortSignal, work: () => Promise<T>): Promise<T> {
      const before = lasts.get(name)
      let end = () => {}
      const own = new Promise<void>((resolve) => {
        end = resolve
      })
      const last = before === undefined ? own : before.then(() => own)
      lasts.set(name, last)
      try {
        if (before !== undefined) await first(before, disconnected, maxMs)
        return await work()
      } finally {
        end()
        if (lasts.get(name) === last) lasts.delete(name)
      }
    },
  }
}

function first(before: Promise<void>, disconnected: AbortSignal, maxMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Problem('hashing-unavailable', { retryAfterS: RETRY_AFTER_S }))
    const timer = setTimeout(giveUp, maxMs)
    disconnected.addEventListener('abort', giveUp)
    before.then(resolve).finally(() => {
      clearTimeout(timer)
      disconnected.removeEventListener('abort', giveUp)
    })
  })
}
