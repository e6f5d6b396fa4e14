// Iterates over the markers of a JPEG file, as decoders do.

import type { ByteReader } from './byte-reader.js'

export interface JpegMarker {
  readonly code: number
  /** Where its segment begins, with the byte FF. */
  readonly at: number
}

export const START_OF_SCAN = 0xda
export const END_OF_IMAGE = 0xd9

/** TEM, RST0…RST7 and SOI have no length. */
const isStandalone = (code: number) => code === 0x01 || (code >= 0xd0 && code <= 0xd8)

/**
 * Yields the markers that begin a segment; the last one is the end of the image, unless the file ends before it. Skips other bytes between segments,
 * as decoders do. Cost: reads each byte at most once.
 */
export function* jpegMarkers(file: ByteReader): Generator<JpegMarker> {
  for (let at = file.find(0xff, 2); at + 1 < file.length; at = file.find(0xff, at)) {
    const code = file.u8(at + 1)
    if (code === 0xff) at++
    else if (code === 0x00 || isStandalone(code)) at += 2
    else {
      yield { code, at }
      if (code === END_OF_IMAGE || at + 3 >= file.length) return
      at += 2 + file.u16(at + 2)
    }
  }
}
