// libheif decodes still pictures only, and libvips opens few brands. Wraps a frame of a sequence as a still picture, and corrects the brand.

import type { AvifAnimation } from '../../../src/handoff/animations/avif.js'
import { av1Frames } from '../../../src/handoff/av1-items.js'
import { fullBox, heifFileOf, u32 } from '../../../src/handoff/heif-file.js'
import { type Patch, patched } from '../../../src/handoff/item-data.js'

/** Main brands that libvips opens. Others, such as `avis` and `MA1B`, are displayed by browsers as well. */
const OPENED_BRANDS = ['avif', 'mif1', 'msf1']
const BRAND_AT = 8

/**
 * Of an item that holds several frames browsers show the first, or the layer that is selected, and libheif the last: what follows becomes padding.
 * @returns the file itself, or a copy with another main brand or fewer frames, which the caller overwrites. @throws {TooManyBoxes}
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
 * A file with one picture: a frame, after all frames that it may refer to. The decoder keeps the last picture of its data.
 * The caller overwrites it.
 */
export function stillAvif(file: Buffer, { width, height, frames, properties }: AvifAnimation, index: number): Buffer {
  const start = frames[index]?.start ?? index
  const samples = frames.slice(start, index + 1).flatMap(({ data }) => data.map(([from, to]) => file.subarray(from, to)))
  const described = [fullBox('ispe', 0, u32(width), u32(height)), ...properties.map(([from, to]) => file.subarray(from, to))]
  return heifFileOf('avif', [{ kind: 'av01', properties: described, data: samples }])
}
