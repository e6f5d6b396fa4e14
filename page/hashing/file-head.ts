// How large a picture is, told by the first bytes of its file. Asked before a browser is made to decode it.

import { imageSize } from 'image-size'

/** How much of a file is read for this: an EXIF block with a preview in it comes before a JPEG's size. */
export const HEAD_BYTES = 512 * 1024

/** As stored in the file, in pixels. */
interface StoredSides {
  readonly width: number
  readonly height: number
  /** As EXIF numbers it, where a JPEG says so. */
  readonly orientation?: number
}

/** @returns `undefined` when the head does not say. */
export function sidesOf(head: Uint8Array): StoredSides | undefined {
  try {
    return imageSize(head)
  } catch {
    return undefined
  }
}
