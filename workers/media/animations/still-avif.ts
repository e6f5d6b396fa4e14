// libheif decodes still pictures only, and libvips opens few brands. Wraps a frame of a sequence as a still picture, and corrects the brand.

import type { AvifAnimation } from '../../../src/handoff/animations/avif.js'
import { av1Frames } from '../../../src/handoff/av1-items.js'
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
  const bytes = samples.reduce((sum, { length }) => sum + length, 0)
  const described = [fullBox('ispe', 0, u32(width), u32(height)), ...properties.map(([from, to]) => file.subarray(from, to))]
  const brand = box('ftyp', Buffer.from('avif'), u32(0), Buffer.from('avifmif1miaf'))
  const metaAt = (offset: number) => metaOf(described, offset, bytes)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(head.length + bytes)
  head.write('mdat', 4, 'latin1')
  const before = brand.length + metaAt(0).length + head.length
  return Buffer.concat([brand, metaAt(before), head, ...samples])
}

const ITEM = u16(1)

function metaOf(properties: readonly Buffer[], offset: number, bytes: number): Buffer {
  const numbers = properties.map((_, at) => at + 1)
  return fullBox(
    'meta',
    0,
    fullBox('hdlr', 0, u32(0), Buffer.from('pict'), Buffer.alloc(13)),
    fullBox('pitm', 0, ITEM),
    fullBox('iloc', 0, Buffer.from([0x44, 0]), u16(1), ITEM, u16(0), u16(1), u32(offset), u32(bytes)),
    fullBox('iinf', 0, u16(1), fullBox('infe', 2, ITEM, u16(0), Buffer.from('av01\0'))),
    box('iprp', box('ipco', ...properties), fullBox('ipma', 0, u32(1), ITEM, Buffer.from([numbers.length, ...numbers]))),
  )
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255])
}

function u32(value: number): Buffer {
  return Buffer.concat([u16(value >>> 16), u16(value & 0xffff)])
}

function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([u32(8 + content.length), Buffer.from(type, 'latin1'), content])
}

function fullBox(type: string, version: number, ...parts: readonly Uint8Array[]): Buffer {
  return box(type, u32(version * 2 ** 24), ...parts)
}
