// From a video file to hashes of its frames, on the device. Runs in a worker that may not connect to anything.

import { hashVideo, type VideoPicture } from '../../packages/hash/src/hash-image.js'
import { MAX_VIDEO_MS } from '../../packages/hash/src/video-frames.js'
import { isOutOfMemory } from '../../packages/hash/src/wasm.js'
import { hashedFrameSize, isFrameTooLarge } from '../../src/domain/media/video-frame-size.js'
import { headOf } from '../hashing/cannot-open.js'
import { readsBackExactly } from '../hashing/drawn.js'
import { sha256 } from '../hashing/hash-file.js'
import { type Outcome, rejected } from '../hashing/outcome.js'
import { type PackedFile, unpacked } from '../unpacking/packed-file.js'
import { type Container, openContainer } from './container.js'
import { decodedFrames, type ShownFrames } from './decoded-frames.js'
import { createFrameReader, type FrameReader } from './frame-grey.js'
import { picturesAt } from './pictures-at.js'
import { playedFrames } from './played-frames.js'

const MAX_BYTES = 500_000_000
/** Browsers hash only bytes that are all in memory. */
const MAX_SHA256_BYTES = 64 << 20

/** What frames come from, and how they are read. */
interface Opened {
  readonly shown: ShownFrames
  readonly reader: FrameReader
  /** Width over height as it is shown. */
  readonly aspect: number
}

/**
 * Hashes frames of a video as the service's workers would, and overwrites all pixels. The file is read in slices.
 *
 * @param player plays it where it cannot be decoded here.
 * @param progress called with the share that was read, 0…1.
 * @returns an outcome for each failure, too. Never throws.
 */
export async function hashVideoFile(
  picked: Blob | PackedFile,
  player: MessagePort,
  progress: (share: number) => void,
): Promise<Outcome> {
  if ((await headOf(picked, 1)) === undefined) return rejected('unreadable')
  if (picked.size > MAX_BYTES) return rejected('video-too-large')
  const file = await unpacked(picked).catch(() => undefined)
  if (file === undefined) return rejected('video-damaged')
  let container: Container | undefined
  try {
    const found = await openContainer(file)
    if ('kind' in found) return found
    container = found
    if (container.isShownAmiss) return undecoded(container)
    const { aspect } = container
    const shown = await decodedFrames(container)
    const decoded =
      shown === undefined
        ? undefined
        : await hashed(
            file,
            { shown, reader: createFrameReader(container.hashedSize, container.orientation), aspect },
            progress,
          )
    return decoded ?? (await hashedByPlaying(file, player, progress)) ?? undecoded(container)
  } catch (error) {
    return rejected(isOutOfMemory(error) ? 'no-memory' : 'video-undecodable')
  } finally {
    container?.close()
  }
}

/** Sending it is offered only if the server has a decoder for it. */
function undecoded({ isServersCodec }: Container): Outcome {
  return isServersCodec ? { kind: 'upload', because: 'format', format: 'video' } : rejected('video-undecodable')
}

async function hashedByPlaying(
  file: Blob,
  player: MessagePort,
  progress: (share: number) => void,
): Promise<Outcome | undefined> {
  if (!readsBackExactly()) return undefined
  const shown = await playedFrames(player)
  if (shown === undefined) return undefined
  const { width, height, durationMs } = shown
  if (isFrameTooLarge({ width, height })) return rejected('video-too-large')
  if (!(durationMs <= MAX_VIDEO_MS)) return rejected('video-too-long')
  const reader = createFrameReader(hashedFrameSize({ width, height }), 1)
  return hashed(file, { shown, reader, aspect: width / height }, progress)
}

/** @returns `undefined` when no frame could be decoded. */
async function hashed(
  file: Blob,
  { shown, reader, aspect }: Opened,
  progress: (share: number) => void,
): Promise<Outcome | undefined> {
  let count = 0
  async function* pictures(): AsyncGenerator<VideoPicture> {
    for await (const { timesMs, frame, between } of shown.frames()) {
      yield* picturesAt(timesMs, { pixels: await reader.read(frame), aspect }, async () => {
        const before = await between()
        const halfway = before && (await reader.read(before))
        before?.close()
        return halfway
      })
      count++
      progress(Math.min(1, (timesMs.at(-1) ?? 0) / Math.max(1, shown.durationMs)))
    }
  }
  try {
    const found = await hashVideo(pictures(), { purpose: 'register', durationMs: shown.durationMs })
    if (count === 0) return undefined
    const { frames, protectedShare } = found
    const quality = Math.max(0, ...frames.flatMap(({ signals }) => signals.map((signal) => signal.quality)))
    if (frames.length === 0) return rejected('video-too-plain')
    const [whole] = file.size > MAX_SHA256_BYTES ? [] : await sha256(file)
    const video = { durationMs: Math.max(1, found.durationMs), frames, ...(whole !== undefined && { sha256: whole.hash }) }
    return { kind: 'hashed-video', quality, protectedShare, video }
  } finally {
    reader.wipe()
  }
}
