// Which sizes of video are decoded, and the size at which a frame is hashed. The same in workers and browsers.

import { hashedSize } from '../../../packages/hash/src/reduced-side.js'

interface Size {
  readonly width: number
  readonly height: number
}

/** 4096 × 2304: 4K in all its shapes, upright as well. */
export const MAX_FRAME_PIXELS = 4096 * 2304
/** The longest side. */
export const MAX_FRAME_SIDE_PX = 8192
/** Smaller pictures are enlarged, so that a file cannot hide by declaring a size that its decoder does not keep to. */
const MIN_HASHED_SIDE_PX = 128

/** @param size that the container declares. @returns to which size frames are reduced, before they are rotated. */
export function hashedFrameSize(size: Size): Size {
  const { width, height } = hashedSize(size)
  return { width: Math.max(MIN_HASHED_SIDE_PX, width), height: Math.max(MIN_HASHED_SIDE_PX, height) }
}

export function isFrameTooLarge({ width, height }: Size): boolean {
  return width * height > MAX_FRAME_PIXELS || Math.max(width, height) > MAX_FRAME_SIDE_PX
}
