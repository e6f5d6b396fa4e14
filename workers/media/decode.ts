// Decodes an untrusted file to frames: chooses its decoder, and refuses files that no decoder may get.
import { MAX_FRAMES, MAX_WINDOWS } from '../../packages/hash/src/file-frames.js'
import { hashedSize } from '../../packages/hash/src/reduced-side.js'
import { fileFormatOf } from '../../src/domain/media/heif/heif-pixels.js'
import { usualHeif } from '../../src/domain/media/heif/usual-heif.js'
import { type DecoderName, isDecoded, MEDIA_FORMATS, type MediaFormat } from '../../src/domain/media/media-formats.js'
import { isTooCostly, pictureCost } from '../../src/domain/media/picture-cost.js'
import { Problem } from '../../src/domain/problem.js'
import { stillsOf } from './animations/stills.js'
import { bmp } from './bmp.js'
import type { DecodedPicture } from './decoded-picture.js'
import type { Decoder, Frame, FrameLimits } from './decoder.js'
import { jxl } from './jpeg-xl.js'
import { libheif } from './libheif.js'
import { libvips } from './libvips.js'
import { withWindows } from './with-windows.js'

const DECODERS: Readonly<Record<DecoderName, Decoder>> = { libvips, libheif, bmp, jxl }

/**
 * Calls `use` with each frame of a file, and overwrites its pixels afterwards, also after an error.
 * @returns the results of `use`, at least one, without those of moments.
 * @throws {Problem} `media-unsupported` when no decoder opens the file; `image-too-many-pixels`, also when the header declares more than a file
 *   of this size may cost; and what a decoder throws.
 */
export async function eachFrame<T>(bytes: Buffer, limits: FrameLimits, use: (frame: Frame) => T): Promise<T[]> {
  const made: T[] = []
  for await (const frame of framesOf(bytes, limits)) {
    try {
      const result = use(frame)
      if (frame.moment === undefined) made.push(result)
    } finally {
      frame.pixels.data.fill(0)
    }
    if (made.length >= (limits.maxFrames ?? MAX_FRAMES + MAX_WINDOWS)) break
  }
  return made
}

/** The first frame, for tests and measurements. The caller overwrites its pixels. @throws {Problem} as `eachFrame` does. */
export async function decode(bytes: Buffer, sizeFor: FrameLimits['sizeFor'] = hashedSize): Promise<DecodedPicture> {
  const pixels = await firstOf(framesOf(bytes, { sizeFor, purpose: 'register' }))
  if (pixels === undefined) throw new Problem('image-undecodable')
  return pixels
}

async function* framesOf(given: Buffer, limits: FrameLimits): AsyncGenerator<Frame, void, void> {
  const usual = usualHeif(given)
  try {
    yield* framesOfUsual(usual ?? given, limits)
  } finally {
    usual?.fill(0)
  }
}

function framesOfUsual(bytes: Buffer, limits: FrameLimits): AsyncIterable<Frame> {
  const format = fileFormatOf(bytes)
  if (!isDecoded(format)) throw new Problem('media-unsupported')
  const { decoder } = MEDIA_FORMATS[format]
  const cost = pictureCost(bytes)
  if (isTooCostly(cost, bytes.length)) throw new Problem('image-too-many-pixels')
  const open = (chosen: FrameLimits) => framesOfStills(bytes, format, chosen, decoder)
  // Windows need a second decoding. Both together may cost no more than a single one is allowed to.
  const isWindowed = !isTooCostly({ ...cost, timeMs: 2 * cost.timeMs }, bytes.length)
  return isWindowed ? withWindows(open, limits) : open(limits)
}

/** Yields the frames of an animation, each decoded as a still picture. Frames that cannot be decoded are left out, unless that is all of them. */
async function* framesOfStills(
  bytes: Buffer,
  format: MediaFormat,
  limits: FrameLimits,
  decoder: DecoderName,
): AsyncIterable<Frame> {
  let made = 0
  let failure: unknown
  for await (const { moment, shownMs, ...still } of stillsOf(bytes, format, limits)) {
    try {
      if (moment !== undefined) {
        const pixels = await firstOf(DECODERS[decoder].open(still.bytes, still.format, { ...limits, maxFrames: 1 }))
        if (pixels !== undefined) yield { pixels, moment }
        continue
      }
      for await (const frame of DECODERS[decoder].open(still.bytes, still.format, limits)) {
        made++
        yield shownMs === undefined ? frame : { ...frame, shownMs }
      }
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'image-undecodable') throw error
      failure = error
    }
  }
  if (made === 0 && failure !== undefined) throw failure
}

async function firstOf(frames: AsyncIterable<Frame>): Promise<DecodedPicture | undefined> {
  for await (const { pixels } of frames) return pixels
  return undefined
}
