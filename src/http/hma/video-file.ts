// Video files in HMA's interface: their MD5, and the hashes of frames where a worker decodes them.

import { createHash } from 'node:crypto'
import { setImmediate as nextTick } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import type { HashedImage, HashedVideoFile } from '../../../packages/core/src/matching/hashed-image.js'
import { Problem, type ProblemCode } from '../../domain/problem.js'
import type { HashingFor } from '../../services/intake/hashing.js'
import type { ReceivedVideo, VideoHashing, VideoPurpose } from '../../services/intake/video-hashing.js'
import type { UseImage } from '../upload.js'
import { disconnectSignal, keepWaiting } from '../video-upload.js'
import { selectedTypes, VIDEO, VPDQ } from './hma-signals.js'

export interface HmaVideo {
  readonly md5: string
  /** Absent if vPDQ was not selected, or if the frames cannot be hashed and the client did not require vPDQ. */
  readonly video?: HashedVideoFile
}

export interface VideoWish {
  /** The query parameter `types`, if the client selects some. */
  readonly types: string | undefined
  readonly purpose: VideoPurpose
  readonly from: HashingFor
  readonly reply: FastifyReply
}

/** Problems after which the answer has only MD5, as from an HMA without vPDQ; they refuse the request if the client selected vPDQ. */
const WITHOUT_FRAMES: readonly ProblemCode[] = [
  'video-unavailable',
  'media-unsupported',
  'video-undecodable',
  'video-too-long',
  'video-too-large',
  'quality-too-low',
]

/**
 * @param read reads a file. If it is a video, it passes it to `take`, which overwrites the bytes.
 * @returns the result of `read`; for a video, with the hashes of its frames. @throws {Problem} as `VideoHashing`, image-too-large
 */
export async function withVideoFile(
  videoHashing: VideoHashing,
  { types, purpose, from, reply }: VideoWish,
  read: (take: UseImage<HmaVideo>) => Promise<HashedImage | HmaVideo | Problem>,
): Promise<HashedImage | HmaVideo | Problem> {
  const disconnected = disconnectSignal(reply)
  const isAsked = () => selectedTypes(types, VIDEO)?.includes(VPDQ)
  let received: ReceivedVideo | undefined

  const ifNeeded = (error: unknown): undefined => {
    const isNeeded = !(error instanceof Problem) || !WITHOUT_FRAMES.includes(error.code) || isAsked() === true
    if (isNeeded) throw error
  }
  const receive = async (sizeBytes: number) => {
    if (await videoHashing.lackDecoders()) throw new Problem('video-unavailable')
    return videoHashing.receive(from, sizeBytes)
  }
  const take: UseImage<HmaVideo> = async (pieces, isCut) => {
    const digest = createHash('md5')
    try {
      if (isCut) throw new Problem('image-too-large')
      const sizeBytes = pieces.reduce((sum, { length }) => sum + length, 0)
      if (isAsked() !== false) received = await receive(sizeBytes).catch(ifNeeded)
      for (const piece of pieces) {
        digest.update(piece)
        received?.add(piece)
        await nextTick() // a piece may have a megabyte
      }
      return { md5: digest.digest('hex') }
    } finally {
      for (const piece of pieces) piece.fill(0)
    }
  }

  try {
    const result = await read(take)
    if (!('md5' in result) || received === undefined) return result
    keepWaiting(reply, videoHashing)
    const video = await received.hash(purpose, disconnected).catch(ifNeeded)
    return video === undefined ? result : { ...result, video }
  } finally {
    received?.release()
  }
}
