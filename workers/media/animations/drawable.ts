// Animations whose frames are drawn on a canvas: GIF, WebP and PNG.

import { deflateSync } from 'node:zlib'
import type { Animation, ByteRange, DrawingCost, FrameHeader } from '../../../src/domain/media/animations/animation.js'
import { type PngAnimation, pngAnimation } from '../../../src/domain/media/animations/apng.js'
import { DRAWING_COSTS } from '../../../src/domain/media/animations/costs.js'
import { gifAnimation } from '../../../src/domain/media/animations/gif.js'
import { type WebpAnimation, webpAnimation } from '../../../src/domain/media/animations/webp.js'
import type { MediaFormat } from '../../../src/domain/media/media-formats.js'
import { type FramePixels, gifPixels, pngChunk, pngPixels, webpPixels } from './frame-pixels.js'

export interface Drawable {
  readonly animation: Animation
  readonly cost: DrawingCost
  /** Decodes a frame. @throws whatever a decoder throws. */
  readonly pixelsOf: (index: number) => FramePixels | Promise<FramePixels>
  /** Chunks to add to a PNG of a frame, so that its colours are displayed as those of the animation. */
  readonly chunks: readonly Buffer[]
  /** Some viewers display the still picture in the file instead of the animation. */
  readonly mayShowDefault: boolean
}

/**
 * @param isLenient whether to use a frame that is cut off by the end of the file, too.
 * @returns `undefined` for a still picture, and for other formats.
 */
export function drawableOf(file: Buffer, format: MediaFormat, isLenient: boolean): Drawable | undefined {
  if (format === 'gif') {
    const found = gifAnimation(file)
    if (found === undefined || found.frames.length < 2) return undefined
    const frames = usable(found.frames, isLenient)
    return drawable({ ...found, frames }, 'gif', (frame) => gifPixels(file, frame))
  }
  if (format === 'webp') {
    const found = webpAnimation(file)
    if (found === undefined || found.frames.length < 2) return undefined
    const frames = usable(found.frames, isLenient)
    return drawable({ ...found, frames }, 'webp', (frame) => webpPixels(file, frame, isLenient), webpChunks(file, found))
  }
  const found = format === 'png' ? pngAnimation(file) : undefined
  if (found === undefined) return undefined
  const animation = { ...found, frames: usable(found.frames, isLenient) }
  const { mayShowDefault } = found
  return {
    ...drawable(animation, 'png', (frame) => pngPixels(file, found, frame, isLenient), pngChunks(file, found)),
    mayShowDefault,
  }
}

function usable<Frame extends FrameHeader>(frames: readonly Frame[], isLenient: boolean): readonly Frame[] {
  return isLenient ? frames : frames.filter(({ isWhole }) => isWhole)
}

function drawable<Frame extends FrameHeader>(
  animation: Animation<Frame>,
  format: keyof typeof DRAWING_COSTS,
  decode: (frame: Frame) => FramePixels | Promise<FramePixels>,
  chunks: readonly Buffer[] = [],
): Drawable {
  const pixelsOf = async (index: number) => {
    const frame = animation.frames[index]
    if (frame === undefined) throw new RangeError('there is no such frame')
    return await decode(frame)
  }
  return { animation, cost: DRAWING_COSTS[format], pixelsOf, chunks, mayShowDefault: false }
}

function webpChunks(file: Buffer, { profile, exif }: WebpAnimation): Buffer[] {
  const bytes = ([from, to]: ByteRange) => file.subarray(from, to)
  return [
    ...(profile === undefined
      ? []
      : [pngChunk('iCCP', Buffer.concat([Buffer.from('profile\0\0'), deflateSync(bytes(profile))]))]),
    ...(exif === undefined ? [] : [pngChunk('eXIf', bytes(exif))]),
  ]
}

const GREY_TYPES = [0, 4]

/** Leaves out the profile of a grey picture, because frames are drawn in red, green and blue. */
function pngChunks(file: Buffer, { colour, colourType }: PngAnimation): Buffer[] {
  const chunks = colour.map(([from, to]) => file.subarray(from, to))
  return GREY_TYPES.includes(colourType) ? chunks.filter((chunk) => chunk.toString('latin1', 4, 8) !== 'iCCP') : chunks
}
