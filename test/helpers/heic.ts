// HEIC files of test/data/heic, and copies with changed boxes.

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { childrenOf, metaBoxesIn as metaOf } from '../../src/domain/media/heif/heif-boxes.js'

const FOLDER = resolve(import.meta.dirname, '../../../test/data/heic')
export const HEIC_FILES = ['two', '10-bit', 'tiles', 'alpha', 'turned', 'display-p3'] as const
export type HeicFile = (typeof HEIC_FILES)[number]

export function heic(name: HeicFile): Buffer {
  return readFileSync(join(FOLDER, `${name}.heic`))
}

/** A copy with another primary image. */
export function withPrimary(file: Buffer, item: number): Buffer {
  const copy = Buffer.from(file)
  copy.writeUInt16BE(item, placeOf(copy, 'pitm') + 4)
  return copy
}

/** A copy in which each size that is declared by `ispe` is another one. */
export function withDeclaredSize(
  file: Buffer,
  { width, height }: { readonly width: number; readonly height: number },
): Buffer {
  const copy = Buffer.from(file)
  for (const { type, from } of propertiesOf(copy)) {
    if (type !== 'ispe') continue
    copy.writeUInt32BE(width, from + 4)
    copy.writeUInt32BE(height, from + 8)
  }
  return copy
}

/** A copy whose first property of pixel depths, which nobody needs, is a clean aperture of this size. Of `two`. */
export function croppedTo(file: Buffer, { width, height }: { readonly width: number; readonly height: number }): Buffer {
  const at = placeOf(file, 'pixi')
  const numbers = [width, 1, height, 1, 0, 1, 0, 1]
  const clap = Buffer.alloc(8 + 4 * numbers.length)
  clap.writeUInt32BE(clap.length)
  clap.write('clap', 4, 'latin1')
  for (const [k, number] of numbers.entries()) clap.writeUInt32BE(number, 8 + 4 * k)
  const before = file.readUInt32BE(at - 8)
  const copy = Buffer.concat([file.subarray(0, at - 8), clap, file.subarray(at - 8 + before)])
  const added = clap.length - before
  for (const parent of ['meta', 'iprp', 'ipco']) {
    const sizeAt = copy.indexOf(parent, 0, 'latin1') - 4
    copy.writeUInt32BE(copy.readUInt32BE(sizeAt) + added, sizeAt)
  }
  const iloc = placeOf(copy, 'iloc')
  for (let item = 0; item < copy.readUInt16BE(iloc + 6); item++) {
    const baseAt = iloc + 12 + ILOC_ITEM_BYTES * item
    copy.writeUInt32BE(copy.readUInt32BE(baseAt) + added, baseAt)
  }
  return copy
}

/** Id, source, base offset, and one extent with offset and length. */
const ILOC_ITEM_BYTES = 18

/** Where the content of the first box of this type is, in `meta` or among its properties. */
export function placeOf(file: Buffer, type: string): number {
  const found = [...metaOf(file), ...propertiesOf(file)].find((box) => box.type === type)
  if (found === undefined) throw new Error(`no box ${type}`)
  return found.from
}

function propertiesOf(file: Buffer) {
  return childrenOf(file, childrenOf(file, metaOf(file), 'iprp'), 'ipco')
}
