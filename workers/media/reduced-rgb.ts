// Reduces pixels that were decoded at full size.

import sharp from 'sharp'
import { FULL_RESOLUTION_PIXELS } from '../../packages/hash/src/reduced-side.js'
import type { DecodedPicture } from './decoded-picture.js'
import type { FrameLimits } from './decoder.js'

interface Sides {
  readonly width: number
  readonly height: number
}

/** @param rgb red, green and blue of each pixel. @returns the same pixels if there are few; otherwise fewer, after overwriting `rgb`. */
export async function reducedRgb(
  rgb: Buffer,
  { width, height }: Sides,
  sizeFor: FrameLimits['sizeFor'],
): Promise<DecodedPicture> {
  const aspect = width / height
  if (width * height <= FULL_RESOLUTION_PIXELS) return { data: rgb, width, height, channels: 3, aspect }
  try {
    const { data, info } = await sharp(rgb, { raw: { width, height, channels: 3 }, limitInputPixels: false })
      .resize({ ...sizeFor({ width, height }), fit: 'fill', kernel: 'linear' })
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { data, width: info.width, height: info.height, channels: 3, aspect }
  } finally {
    rgb.fill(0)
  }
}
