// Where the first picture of a TIFF file ends: the last of the bytes that its directory refers to.

import type { ByteReader } from './byte-reader.js'

const STRIP_OFFSETS = 273
const STRIP_BYTES = 279
const TILE_OFFSETS = 324
const TILE_BYTES = 325

/** Bytes of a value, by its type; 0 for types that do not exist. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8] as const
const SHORT = 3
/** Maximum number of strips or tiles. No picture within the decoding limits has more. */
const MAX_PARTS = 1 << 16

interface Field {
  readonly type: number
  readonly count: number
  readonly at: number
}

/** @returns `undefined` when the file has no pixels, or too many strips or tiles. @throws {RangeError} when the file ends within its directory. */
export function tiffEnd(file: ByteReader): number | undefined {
  const isLittle = file.u8(0) === 0x49
  const short = (at: number) => file.u16(at, isLittle)
  const long = (at: number) => file.u32(at, isLittle)
  const long8 = (at: number) => (isLittle ? long(at) + long(at + 4) * 2 ** 32 : long(at) * 2 ** 32 + long(at + 4))
  const isBig = short(2) === 43
  const { word, wordBytes } = isBig ? { word: long8, wordBytes: 8 } : { word: long, wordBytes: 4 }

  const directoryAt = word(wordBytes)
  const entries = isBig ? long8(directoryAt) : short(directoryAt)
  if (entries > 65_535) return undefined
  const entriesAt = directoryAt + (isBig ? 8 : 2)
  const entryBytes = 4 + 2 * wordBytes
  let end = entriesAt + entryBytes * entries + wordBytes
  const fields = new Map<number, Field>()
  for (let i = 0; i < entries; i++) {
    const entryAt = entriesAt + entryBytes * i
    const [type, count] = [short(entryAt + 2), word(entryAt + 4)]
    const inlineAt = entryAt + 4 + wordBytes
    const sizeBytes = (TYPE_BYTES[type] ?? 0) * count
    const at = sizeBytes <= wordBytes ? inlineAt : word(inlineAt)
    end = Math.max(end, at + sizeBytes)
    if (!fields.has(short(entryAt))) fields.set(short(entryAt), { type, count, at }) // of a field that appears twice the first counts
  }

  const valueAt = ({ type, at }: Field, k: number) =>
    type === SHORT ? short(at + 2 * k) : (TYPE_BYTES[type] ?? 0) === 8 ? long8(at + 8 * k) : long(at + 4 * k)
  const offsets = fields.get(STRIP_OFFSETS) ?? fields.get(TILE_OFFSETS)
  const sizes = fields.get(STRIP_BYTES) ?? fields.get(TILE_BYTES)
  if (offsets === undefined || sizes === undefined || offsets.count > MAX_PARTS) return undefined
  const starts = Array.from({ length: offsets.count }, (_, k) => valueAt(offsets, k))
  for (let k = 0; k < starts.length && k < sizes.count; k++) end = Math.max(end, (starts[k] ?? 0) + valueAt(sizes, k))
  return end
}
