// Takes in an uploaded video, in this process's memory, and has it hashed by a worker.

import type { HashedVideoFile } from '../../domain/matching/hashed-image.js'
import type { VideoLimits } from '../../domain/media/video-limits.js'
import { Problem } from '../../domain/problem.js'
import type { PendingVideos } from '../../handoff/pending-videos.js'
import { createVideoBytes } from '../../handoff/video-bytes.js'
import { IMAGE_TTL_MS } from '../../jobs/hash-image-job.js'
import { type HashVideoJob, VIDEO_PRIORITY, type VideoPurpose } from '../../jobs/hash-video-job.js'
import type { HashingFor } from './hashing.js'
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
}

/**
 * Bytes of a video that cost one unit, which is 50 ms of a core. The duration is known only once the video is hashed. A minute of 1080p has some 40
 * MB, and takes 8 s.
 */
const UNIT_BYTES = 250_000
const MIN_UNITS = 20
/** Maximum penalty on a job's priority. */
const MAX_BEHIND = 100_000
const RECHECK_MS = 5000

export function createVideoHashing(parts: VideoHashingParts): VideoHashing {
  const { pendingVideos, handoffUrl, enqueue, limits, lackDecoders, lackWorkers } = parts
  const { recheckMs = RECHECK_MS, workersMs = IMAGE_TTL_MS } = parts
  const room = createVideoRoom(limits)
  const shares = createPictureShares()

  const hash = async (
    bytes: ReturnType<typeof createVideoBytes>,
    from: HashingFor,
    purpose: VideoPurpose,
    disconnected: AbortSignal,
  ) => {
    const units = Math.max(MIN_UNITS, Math.ceil(bytes.sizeBytes / UNIT_BYTES))
    from.charge(units)
    const { behind, leave } = shares.enter(from, units)
    const { ticket, answer, cancel } = pendingVideos.put(bytes)
    disconnected.addEventListener('abort', cancel)
    let areLacking = false
    let aliveAtMs = performance.now()
    const recheck = async () => {
      if (pendingVideos.isTaken(ticket)) return
      if (!(await lackWorkers().catch(() => false))) aliveAtMs = performance.now()
      else if (performance.now() - aliveAtMs >= workersMs) return cancel()
      areLacking = await lackDecoders().catch(() => false) // the store may be back soon
      if (areLacking) cancel()
    }
    const timer = setInterval(recheck, recheckMs)
    try {
      if (disconnected.aborted) cancel()
      else await enqueue({ handoffUrl, ticket, purpose }, VIDEO_PRIORITY[purpose] + Math.min(behind, MAX_BEHIND))
      const hashed = await answer
      if ('problem' in hashed) throw new Problem(hashed.problem)
      if (hashed.video.frames.length === 0) throw new Problem('quality-too-low')
      return hashed.video
    } catch (error) {
      throw areLacking ? new Problem('video-unavailable') : error
    } finally {
      clearInterval(timer)
      disconnected.removeEventListener('abort', cancel)
      cancel() // no effect after an answer
      leave()
    }
  }

  return {
    limits: { ...limits, maxBytes: room.maxBytes },
    lackDecoders,
    receive(from, maxBytes) {
      const leave = room.enter(from.group, maxBytes)
      const bytes = createVideoBytes()
      return {
        get sizeBytes() {
          return bytes.sizeBytes
        },
        add: (chunk) => bytes.add(chunk),
        hash: (purpose, disconnected) => hash(bytes, from, purpose, disconnected),
        release() {
          bytes.wipe()
          leave()
        },
      }
    },
  }
}
