// How large a picture is, told by the first bytes of its file. Asked before a browser is made to decode it.

import { imageSize } from 'image-size'

/** How much of a file is read for this: an EXIF block with a preview in it comes before a JPEG's size. */
export const HEAD_BYTES = 512 * 1024

/** @returns the sides in pixels, or `undefined` when the head does not say. */
export function sidesOf(head: Uint8Array): { readonly width: number; readonly height: number } | undefined {
  try {
    return imageSize(head)
  } catch {
    return undefined
  }
}
