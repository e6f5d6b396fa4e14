// Reads the header, the masks and the palette of a BMP file. Accepts the files that Chromium displays.

/**
 * How pixels are stored. `palette`: as indexes. `masks`: each channel is some bits of a number. `rle`, `rle24`: run-length encoded indexes or
 * colours.
 */
type Storage = 'palette' | 'masks' | 'rle' | 'rle24'

export interface BmpLayout {
  readonly width: number
  readonly height: number
  readonly isTopDown: boolean
  readonly bits: number
  readonly storage: Storage
  readonly pixelsAt: number
  /** Red, green, blue of each index; black beyond the file's own entries. */
  readonly palette: Uint8Array
  /** Bit masks of red, green, blue and alpha. That of alpha is 0 if the picture is opaque. */
  readonly masks: readonly number[]
  readonly profile: Buffer | undefined
}

const FILE_HEADER_BYTES = 14
const COMPRESSION = { none: 0, rle8: 1, rle4: 2, masks: 3, rle24: 4, alphaMasks: 6 } as const
/** The numbers of bits that each compression allows. Some compression codes mean different things in OS/2 and Windows. */
const BITS_OF: ReadonlyMap<number, readonly number[]> = new Map([
  [COMPRESSION.none, [1, 2, 4, 8, 16, 24, 32]],
  [COMPRESSION.rle8, [8]],
  [COMPRESSION.rle4, [4]],
  [COMPRESSION.masks, [16, 32]],
  [COMPRESSION.rle24, [24]],
  [COMPRESSION.alphaMasks, [16, 32]],
])

// Sizes of the bitmap's header from which on it has certain fields.
const CORE = 12
const WITH_COMPRESSION = 20
const WITH_COLOURS = 36
const WITH_MASKS = 52
const WITH_ALPHA_MASK = 56
const V4 = 108
const V5 = 124
const PROFILE_EMBEDDED = 0x4d424544

/**
 * Reads a field of the bitmap's header at this offset.
 * @param headerBytes size from which on a header has the field. In a shorter one it is 0.
 */
type Field = (offset: number, headerBytes: number) => number

/** @returns `undefined` if no browser displays such a file. @throws {RangeError} when the file ends within its header. */
export function bmpLayout(file: Buffer): BmpLayout | undefined {
  if (file.toString('latin1', 0, 2) !== 'BM') return undefined
  const headerBytes = file.readUInt32LE(FILE_HEADER_BYTES)
  if (!isHeaderSize(headerBytes)) return undefined
  const field: Field = (offset, needed) => (headerBytes < needed ? 0 : file.readUInt32LE(FILE_HEADER_BYTES + offset))
  const { width, height, bits } = sizeIn(file, headerBytes)
  const compression = field(16, WITH_COMPRESSION)
  const isTopDown = height < 0
  if (width < 1 || height === 0 || BITS_OF.get(compression)?.includes(bits) !== true) return undefined

  const masks = masksIn(file, { headerBytes, bits, compression })
  const isIndexed = bits <= 8
  const ownMasks =
    headerBytes >= WITH_MASKS ? 0 : compression === COMPRESSION.masks ? 12 : compression === COMPRESSION.alphaMasks ? 16 : 0
  const paletteAt = FILE_HEADER_BYTES + headerBytes + ownMasks
  const { palette, end } = isIndexed
    ? paletteIn(file, { paletteAt, bits, entryBytes: headerBytes === CORE ? 3 : 4, declared: field(32, WITH_COLOURS) })
    : { palette: new Uint8Array(0), end: paletteAt }
  return {
    width,
    height: Math.abs(height),
    isTopDown,
    bits,
    storage: storageOf(compression, isIndexed),
    pixelsAt: file.readUInt32LE(10) || end,
    palette,
    masks,
    profile: field(56, V5) === PROFILE_EMBEDDED ? profileIn(file) : undefined,
  }
}

/** Headers have 12, 40, 52, 56, 108 or 124 bytes in Windows; 12 or 16 to 64 in OS/2. */
function isHeaderSize(bytes: number): boolean {
  return bytes === CORE || (bytes >= 16 && bytes <= 64) || bytes === V4 || bytes === V5
}

function sizeIn(file: Buffer, headerBytes: number) {
  const at = FILE_HEADER_BYTES
  if (headerBytes === CORE) {
    return { width: file.readUInt16LE(at + 4), height: file.readUInt16LE(at + 6), bits: file.readUInt16LE(at + 10) }
  }
  return { width: file.readInt32LE(at + 4), height: file.readInt32LE(at + 8), bits: file.readUInt16LE(at + 14) }
}

function storageOf(compression: number, isIndexed: boolean): Storage {
  if (compression === COMPRESSION.rle8 || compression === COMPRESSION.rle4) return 'rle'
  if (compression === COMPRESSION.rle24) return 'rle24'
  return isIndexed ? 'palette' : 'masks'
}

/** @returns the masks in the file, or those that its bits imply. Alpha has one only if the header declares it. */
function masksIn(
  file: Buffer,
  { headerBytes, bits, compression }: { headerBytes: number; bits: number; compression: number },
) {
  const maskAt = (k: number) => (file.readUInt32LE(FILE_HEADER_BYTES + 40 + 4 * k) & (2 ** bits - 1)) >>> 0
  const isMasked = compression === COMPRESSION.masks || compression === COMPRESSION.alphaMasks
  const colours = isMasked ? [0, 1, 2].map(maskAt) : bits === 16 ? [0x7c00, 0x03e0, 0x001f] : [0xff0000, 0xff00, 0xff]
  const hasAlpha = (bits === 16 || bits === 32) && (headerBytes >= WITH_ALPHA_MASK || compression === COMPRESSION.alphaMasks)
  const alpha = hasAlpha ? maskAt(3) : 0
  return [...colours, !isMasked && bits === 32 && alpha !== 0 ? 0xff000000 : alpha]
}

interface PaletteAt {
  readonly paletteAt: number
  readonly bits: number
  readonly entryBytes: 3 | 4
  readonly declared: number
}

function paletteIn(file: Buffer, { paletteAt, bits, entryBytes, declared }: PaletteAt) {
  const most = 2 ** bits
  const entries = declared === 0 ? most : declared
  const palette = new Uint8Array(3 * most)
  for (let k = 0; k < Math.min(entries, most); k++) {
    const at = paletteAt + entryBytes * k
    palette.set([file.readUInt8(at + 2), file.readUInt8(at + 1), file.readUInt8(at)], 3 * k)
  }
  return { palette, end: paletteAt + entryBytes * entries }
}

/** The ICC profile. Its offset counts from the bitmap's header. */
function profileIn(file: Buffer): Buffer | undefined {
  const from = FILE_HEADER_BYTES + file.readUInt32LE(FILE_HEADER_BYTES + 112)
  const bytes = file.readUInt32LE(FILE_HEADER_BYTES + 116)
  return bytes > 0 && from + bytes <= file.length ? file.subarray(from, from + bytes) : undefined
}
