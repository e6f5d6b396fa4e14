// Wraps a frame of an AVIF sequence as a still picture, because libheif decodes only those; and replaces brands that libvips does not open.

import type { AvifAnimation } from '../../../src/domain/media/animations/avif.js'
import { av1Frames } from '../../../src/domain/media/heif/av1-items.js'
import { fullBox, heifFileOf, u32 } from '../../../src/domain/media/heif/heif-file.js'
import { type Patch, patched } from '../../../src/domain/media/heif/item-data.js'

/** Major brands that libvips opens. Browsers also display files with others, such as `avis` and `MA1B`. */
const OPENED_BRANDS = ['avif', 'mif1', 'msf1']
const BRAND_AT = 8

/**
 * Makes libheif show what browsers show. If an item holds several frames, browsers show the first one or the selected layer, and libheif the last
 * one. So the data after it is replaced by padding.
 * @returns the file itself, or a copy with another major brand or fewer frames, which the caller overwrites. @throws {TooManyBoxes}
 */
export function asBrowsersShow(file: Buffer): Buffer {
  const isOpened = OPENED_BRANDS.includes(file.toString('latin1', BRAND_AT, BRAND_AT + 4))
  const patches = patchesOf(file)
  if (isOpened && patches.length === 0) return file
  const copy = patched(file, patches)
  if (!isOpened) copy.write('avif', BRAND_AT, 'latin1')
  return copy
}

function patchesOf(file: Buffer): readonly Patch[] {
  try {
    return av1Frames(file).patches
  } catch (error) {
    if (error instanceof RangeError) return [] // the boxes are damaged; the decoder decides
    throw error
  }
}

/**
 * @returns a file with one picture, for the caller to overwrite. Its data is a frame after all frames that it may refer to; the decoder shows the
 *   last one.
 */
export function stillAvif(file: Buffer, { width, height, frames, properties }: AvifAnimation, index: number): Buffer {
  const start = frames[index]?.start ?? index
  const samples = frames.slice(start, index + 1).flatMap(({ data }) => data.map(([from, to]) => file.subarray(from, to)))
  const described = [fullBox('ispe', 0, u32(width), u32(height)), ...properties.map(([from, to]) => file.subarray(from, to))]
  return heifFileOf('avif', [{ kind: 'av01', properties: described, data: samples }])
}
