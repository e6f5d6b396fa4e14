// Limits on the size of a video's frames, and the size at which a frame is hashed. Workers and browsers both use it.

import { hashedSize } from '../../../packages/hash/src/reduced-side.js'

interface Size {
  readonly width: number
  readonly height: number
}

/** 4096 × 2304: all common 4K sizes, landscape and portrait. */
export const MAX_FRAME_PIXELS = 4096 * 2304
/** Limit of the longer side. */
export const MAX_FRAME_SIDE_PX = 8192
/** Frames of a smaller declared size are enlarged to this. Otherwise a file could evade matching by declaring a tiny size for larger frames. */
const MIN_HASHED_SIDE_PX = 128

/** @param size that the container declares. @returns the size to which frames are scaled, before rotation. */
export function hashedFrameSize(size: Size): Size {
  const { width, height } = hashedSize(size)
  return { width: Math.max(MIN_HASHED_SIDE_PX, width), height: Math.max(MIN_HASHED_SIDE_PX, height) }
}

export function isFrameTooLarge({ width, height }: Size): boolean {
  return width * height > MAX_FRAME_PIXELS || Math.max(width, height) > MAX_FRAME_SIDE_PX
}
