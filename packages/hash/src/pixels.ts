// The input of all hashes: decoded pixels.

import type { Rectangle } from './rectangle.js'

/** Rows from top to bottom, without padding. One channel is grey. Of four channels the last, alpha, is ignored: flatten the picture first. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3 | 4
}

/** Longer sides are refused, to bound the kernel's memory. */
export const MAX_SIDE_PX = 65_535
/** Maximum number of decoded pixels. Pictures with more can be hashed if their decoder reduces them. */
export const MAX_PIXELS = 50_000_000

/** @throws {RangeError} when the sizes are impossible or do not fit the data: a caller's bug, never bad input. */
export function checkPixels({ data, width, height, channels }: Pixels): void {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1 || side > MAX_SIDE_PX) throw new RangeError('a side is out of range')
  }
  if (channels !== 1 && channels !== 3 && channels !== 4) throw new RangeError('channels must be 1, 3 or 4')
  if (width * height > MAX_PIXELS) throw new RangeError('too many pixels')
  if (data.length !== width * height * channels) throw new RangeError('the data does not fit the size')
}

/** Copies a part of a picture. The caller overwrites the copy. @param part with whole numbers of pixels, within the picture. */
export function cutOut({ data, width, channels }: Pixels, { left, top, right, bottom }: Rectangle) {
  const rowBytes = (right - left) * channels
  const copy = new Uint8Array(rowBytes * (bottom - top))
  for (let y = top; y < bottom; y++) {
    const from = (y * width + left) * channels
    copy.set(data.subarray(from, from + rowBytes), (y - top) * rowBytes)
  }
  return { data: copy, width: right - left, height: bottom - top, channels }
}
