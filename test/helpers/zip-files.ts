// ZIP files, also such as no honest program writes.

import { crc32, deflateRawSync } from 'node:zlib'

export interface ZippedFile {
  readonly path: string
  readonly content: Buffer
  /** Deflated unless it says otherwise. */
  readonly isStored?: boolean
  readonly isLocked?: boolean
  readonly method?: number
  /** In place of its own size, in the directory. */
  readonly declaredSize?: number
  /** Sizes and place are in the field for large archives. */
  readonly isLarge?: boolean
  /** Its own header knows no sizes: they follow its content. */
  readonly hasDescriptor?: boolean
  /** Shares the bytes of the file before it. */
  readonly sharesBytes?: boolean
  /** Of the path, in place of UTF-8. */
  readonly encodedPath?: Buffer
}

export interface ZipOptions {
  readonly comment?: string
  /** Ends with the records for large archives. */
  readonly isLarge?: boolean
}

const UNKNOWN = 0xffffffff

export function zipOf(files: readonly ZippedFile[], { comment = '', isLarge = false }: ZipOptions = {}): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let [at, previousAt] = [0, 0]
  for (const file of files) {
    const { content, isStored = false, isLocked = false, hasDescriptor = false, path } = file
    const packed = isStored ? content : deflateRawSync(content)
    const name = file.encodedPath ?? Buffer.from(path)
    const flags = (isLocked ? 1 : 0) | (hasDescriptor ? 8 : 0) | (file.encodedPath === undefined ? 0x800 : 0)
    const method = file.method ?? (isStored ? 0 : 8)
    const sizes = { crc: crc32(content), packed: packed.length, full: file.declaredSize ?? content.length }
    const own = hasDescriptor ? { crc: 0, packed: 0, full: 0 } : sizes
    const local = Buffer.concat([fields([4, 0x04034b50], [2, 20], ...common(flags, method, own, name.length), [2, 3]), name])
    const extra = Buffer.from('abc') // which the directory does not repeat
    const end = hasDescriptor ? fields([4, 0x08074b50], [4, sizes.crc], [4, sizes.packed], [4, sizes.full]) : Buffer.alloc(0)
    const place = file.sharesBytes ? previousAt : at
    directory.push(entryOf({ flags, method, sizes, name, place, isLarge: file.isLarge ?? false }))
    if (file.sharesBytes) continue
    previousAt = at
    for (const part of [local, extra, packed, end]) {
      parts.push(part)
      at += part.length
    }
  }
  const entries = Buffer.concat(directory)
  const large = isLarge ? largeEnd(files.length, entries.length, at) : Buffer.alloc(0)
  const end = fields(
    [4, 0x06054b50],
    [4, 0],
    [2, isLarge ? 0xffff : files.length],
    [2, isLarge ? 0xffff : files.length],
    [4, isLarge ? UNKNOWN : entries.length],
    [4, isLarge ? UNKNOWN : at],
    [2, comment.length],
  )
  return Buffer.concat([...parts, entries, large, end, Buffer.from(comment, 'latin1')])
}

interface Sizes {
  readonly crc: number
  readonly packed: number
  readonly full: number
}

type Field = readonly [bytes: number, value: number]

function common(flags: number, method: number, sizes: Sizes, nameBytes: number): Field[] {
  return [
    [2, flags],
    [2, method],
    [4, 0],
    [4, sizes.crc],
    [4, sizes.packed],
    [4, sizes.full],
    [2, nameBytes],
  ]
}

interface Entry {
  readonly flags: number
  readonly method: number
  readonly sizes: Sizes
  readonly name: Buffer
  readonly place: number
  readonly isLarge: boolean
}

function entryOf({ flags, method, sizes, name, place, isLarge }: Entry): Buffer {
  const { packed, full, crc } = sizes
  const extra = isLarge
    ? fields([2, 0x9999], [2, 1], [1, 7], [2, 1], [2, 24], [8, full], [8, packed], [8, place])
    : Buffer.alloc(0)
  const shown = isLarge ? { crc, packed: UNKNOWN, full: UNKNOWN } : sizes
  const head = fields(
    [4, 0x02014b50],
    [2, 20],
    [2, 20],
    ...common(flags, method, shown, name.length),
    [2, extra.length],
    [2, 4],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, isLarge ? UNKNOWN : place],
  )
  return Buffer.concat([head, name, extra, Buffer.from('note')])
}

function largeEnd(count: number, bytes: number, at: number): Buffer {
  const record = fields(
    [4, 0x06064b50],
    [8, 44],
    [2, 45],
    [2, 45],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, bytes],
    [8, at],
  )
  return Buffer.concat([record, fields([4, 0x07064b50], [4, 0], [8, at + bytes], [4, 1])])
}

function fields(...all: readonly Field[]): Buffer {
  const buffer = Buffer.alloc(all.reduce((sum, [bytes]) => sum + bytes, 0))
  let at = 0
  for (const [bytes, value] of all) {
    if (bytes === 8) buffer.writeBigUInt64LE(BigInt(value), at)
    else buffer.writeUIntLE(value, at, bytes)
    at += bytes
  }
  return buffer
}
