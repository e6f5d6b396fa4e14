// The grey of a decoded frame as it is hashed: brightness as the file has it, at the size of hashing, turned as it is shown.

import type { Pixels } from '../../packages/hash/src/pixels.js'
import { CANVAS_SETTINGS } from '../hashing/drawn.js'
import { turned } from '../hashing/reduce.js'
import { createGreyReducer, type Levels, type Plane } from './grey-reducer.js'

interface Size {
  readonly width: number
  readonly height: number
}

export interface FrameReader {
  /** @returns pixels that the caller overwrites. @throws {RangeError} when there is no memory for a canvas. */
  read(frame: VideoFrame | ImageBitmap): Promise<Pixels>
  /** Overwrites what is left of the last frame. */
  wipe(): void
}

/** Formats of frames whose first plane is brightness, and the bits of its samples. */
const BRIGHTNESS_BITS: readonly (readonly [pattern: RegExp, bits: 8 | 10 | 12])[] = [
  [/^(I4(20|22|44)A?|NV12A?)$/, 8],
  [/^I4(20|22|44)A?P10$/, 10],
  [/^I4(20|22|44)A?P12$/, 12],
]

const FULL_LEVELS: Levels = { black: 0, white: 255 }
/** Of brightness as most files have it. */
const LIMITED_LEVELS: Levels = { black: 16, white: 235 }

/** Shares of red, green and blue in brightness: of high definition, and of standard definition. */
const SHARES_709 = [0.2126, 0.7152, 0.0722] as const
const SHARES_601 = [0.299, 0.587, 0.114] as const
const HIGH_DEFINITION_LINES = 720

/**
 * @param target size before it is turned.
 * @param orientation as EXIF numbers it, 1…8.
 */
export function createFrameReader(target: Size, orientation: number): FrameReader {
  let bytes = new Uint8Array(0)
  let reducer: { readonly size: Size; readonly reduce: ReturnType<typeof createGreyReducer> } | undefined

  function finished(size: Size, plane: Plane, levels: Levels): Pixels {
    if (reducer?.size.width !== size.width || reducer.size.height !== size.height)
      reducer = { size, reduce: createGreyReducer(size, target) }
    return turned({ data: reducer.reduce(plane, levels), ...target, channels: 1 }, orientation)
  }

  /** Where the browser gives the planes. */
  async function fromPlanes(frame: VideoFrame, bits: 8 | 10 | 12): Promise<Pixels | undefined> {
    const { visibleRect, colorSpace } = frame
    if (visibleRect === null) return undefined
    const needed = frame.allocationSize()
    if (bytes.length < needed) bytes = new Uint8Array(needed + (needed & 1))
    const [first] = await frame.copyTo(bytes)
    if (first === undefined) return undefined
    const { black, white } = colorSpace.fullRange === true ? FULL_LEVELS : LIMITED_LEVELS
    const width = bits === 8 ? 1 : 2
    const data = bits === 8 ? bytes : new Uint16Array(bytes.buffer)
    const plane = { data, offset: first.offset / width, stride: first.stride / width }
    const unit = colorSpace.fullRange === true ? (2 ** bits - 1) / 255 : 2 ** (bits - 8)
    return finished(visibleRect, plane, { black: black * unit, white: white * unit })
  }

  /** Draws frames of any other format, and computes brightness from the colours by the formula with which they were computed from it. */
  function fromCanvas(frame: VideoFrame | ImageBitmap): Pixels {
    const isBitmap = 'width' in frame
    const [width, height] = isBitmap ? [frame.width, frame.height] : [frame.displayWidth, frame.displayHeight]
    const canvas = new OffscreenCanvas(width, height)
    const context = canvas.getContext('2d', { ...CANVAS_SETTINGS, alpha: false })
    if (context === null) throw new RangeError('there is no memory for a canvas')
    context.drawImage(frame, 0, 0, width, height)
    const { data } = context.getImageData(0, 0, width, height)
    canvas.width = 0
    const matrix = isBitmap ? null : frame.colorSpace.matrix
    const isHigh = matrix === 'bt709' || (matrix === null && Math.min(width, height) >= HIGH_DEFINITION_LINES)
    const grey = brightnessOf(data, isHigh ? SHARES_709 : SHARES_601)
    data.fill(0)
    const pixels = finished({ width, height }, { data: grey, offset: 0, stride: width }, FULL_LEVELS)
    grey.fill(0)
    return pixels
  }

  return {
    async read(frame) {
      const format = 'format' in frame ? frame.format : null
      const bits = format === null ? undefined : BRIGHTNESS_BITS.find(([pattern]) => pattern.test(format))?.[1]
      const read = bits === undefined || !('copyTo' in frame) ? undefined : await fromPlanes(frame, bits)
      return read ?? fromCanvas(frame)
    },
    wipe: () => bytes.fill(0),
  }
}

function brightnessOf(rgba: Uint8ClampedArray, [red, green, blue]: readonly [number, number, number]): Uint8ClampedArray {
  const grey = new Uint8ClampedArray(rgba.length / 4)
  for (let k = 0, at = 0; k < grey.length; k++, at += 4)
    grey[k] = red * (rgba[at] ?? 0) + green * (rgba[at + 1] ?? 0) + blue * (rgba[at + 2] ?? 0)
  return grey
}

/** @param rotation clockwise, in degrees. @param isFlipped whether it is mirrored after that. @returns the orientation as EXIF numbers it. */
export function orientationOf(rotation: number, isFlipped: boolean): number {
  const quarters = (rotation / 90) & 3
  return (isFlipped ? [2, 5, 4, 7] : [1, 6, 3, 8])[quarters] ?? 1
}
