// Leaves out the last scans of a JPEG. libjpeg gives a progressive picture only after it has read all scans; browsers show each scan as it arrives.

import { createByteReader } from '../../../src/domain/media/byte-reader.js'
import { END_OF_IMAGE, jpegMarkers, START_OF_SCAN } from '../../../src/domain/media/jpeg-markers.js'

/**
 * Yields copies with fewer and fewer scans: all complete ones, then half as many, and so on. The caller overwrites them. Cost: only what is requested
 * is copied.
 */
export function* fewerScans(jpeg: Buffer): Generator<Buffer> {
  const ends: number[] = []
  let hasScan = false
  for (const { code, at } of jpegMarkers(createByteReader([jpeg]))) {
    if (hasScan) ends.push(at)
    hasScan = code === START_OF_SCAN
  }
  for (let count = ends.length; count > 0; count >>= 1) yield Buffer.concat([jpeg.subarray(0, ends[count - 1]), END])
}

const END = Buffer.from([0xff, END_OF_IMAGE])
