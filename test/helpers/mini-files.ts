// HEIF files in the short form, with one `mini` box, made of usual files. ISO/IEC 23008-12, Annex O.

import { associationsIn, metaBoxesIn, propertiesIn } from '../../src/domain/media/heif/heif-boxes.js'
import { placesOf } from '../../src/domain/media/heif/item-data.js'

export interface MiniOptions {
  /** 1…8, as in EXIF. */
  readonly orientation?: number
  readonly isPremultiplied?: boolean
  /** Explicit primaries, transfer and matrix. */
  readonly colours?: readonly [number, number, number]
  /** Whether the types of item and decoder are explicit, not implied by the brand. */
  readonly namesCodec?: boolean
  readonly brands?: string
  /** Fields about brightness, and a gain map with these bytes, which are no picture. */
  readonly gainMap?: Buffer
  /** As writers other than libavif: with a matrix for grey pictures, and a bit for gain maps of the picture's size. */
  readonly isOfOtherWriter?: boolean
  readonly exif?: Buffer
  /** Uses the transparency, which is grey, as the picture. */
  readonly isAlphaAlone?: boolean
  /** Declared in place of the picture's own. */
  readonly sides?: readonly [width: number, height: number]
}

interface Parts {
  readonly width: number
  readonly height: number
  readonly config: Buffer
  readonly data: Buffer
}

/** @param file AVIF or HEIC, whose first picture may have transparency, in a second item. */
export function miniOf(file: Buffer, options: MiniOptions = {}): Buffer {
  const { orientation = 1, isPremultiplied = false, colours, namesCodec = false, gainMap, exif } = options
  const { isOfOtherWriter = false, isAlphaAlone = false } = options
  const [main, second] = itemsOf(file).slice(isAlphaAlone ? 1 : 0)
  const alpha = file.includes('auxC') ? second : undefined
  if (main === undefined) throw new Error('no picture')
  const isAv1 = file.includes('av1C')
  const profile = profileOf(file)
  const subsampling = isAv1 ? subsamplingOf(main.config) : 1
  const bits: number[] = []
  const put = (count: number, value: number) => {
    for (let k = count - 1; k >= 0; k--) bits.push(Math.floor(value / 2 ** k) % 2)
  }
  const flag = (is: boolean) => put(1, is ? 1 : 0)
  put(2, 0)
  for (const is of [namesCodec, false, true, alpha !== undefined, colours !== undefined]) flag(is)
  for (const is of [gainMap !== undefined, profile !== undefined, exif !== undefined, false]) flag(is)
  put(2, subsampling)
  put(3, orientation - 1)
  flag(true)
  for (const side of options.sides ?? [main.width, main.height]) put(15, side - 1)
  put([0, 2, 1, 0][subsampling] ?? 0, subsampling === 1 ? 0b10 : 0) // position of colour samples: unspecified
  flag(false) // 8 bits
  if (alpha !== undefined) flag(isPremultiplied)
  const [primaries = 0, transfer = 0, matrix = 0] = colours ?? []
  if (colours !== undefined) put(16, 256 * primaries + transfer)
  if (colours !== undefined && (subsampling !== 0 || isOfOtherWriter)) put(8, matrix)
  if (namesCodec) for (const byte of Buffer.from(isAv1 ? 'av01av1C' : 'hvc1hvcC')) put(8, byte)
  if (gainMap !== undefined) {
    flag(true)
    if (isOfOtherWriter) flag(true)
    else put(30, 0)
    put(8 + 1 + 2 + 1 + 1, 0) // matrix, range, grey, integers of 8 bits
    put(2, 0) // neither a profile nor code points of its own
    put(6, 0b111111) // clli, mdcv, cclv, amve, reve, ndwt
    for (const count of [32, 192]) put(count, 1)
    put(8, 0b00111100)
    for (const count of [9 * 32, 64, 128, 32]) put(count, 1)
    put(6, 0)
  }
  if (profile !== undefined || exif !== undefined || gainMap !== undefined) flag(true)
  flag(true)
  flag(true)
  if (profile !== undefined) put(20, profile.length - 1)
  if (gainMap !== undefined) put(20, 3)
  if (gainMap !== undefined) put(28, gainMap.length)
  if (gainMap !== undefined) put(12, 4)
  put(12, main.config.length)
  put(28, main.data.length - 1)
  const hasOwnConfig = alpha !== undefined && !alpha.config.equals(main.config)
  if (alpha !== undefined) put(28, alpha.data.length)
  if (alpha !== undefined) put(12, hasOwnConfig ? alpha.config.length : 0)
  if (exif !== undefined) flag(false)
  if (exif !== undefined) put(20, exif.length - 1)
  const content = Buffer.concat([
    packed(bits),
    main.config,
    hasOwnConfig ? alpha.config : NOTHING,
    gainMap === undefined ? NOTHING : Buffer.from([0x81, 0, 0x1c, 0]),
    profile ?? NOTHING,
    gainMap === undefined ? NOTHING : Buffer.from('abc'),
    alpha?.data ?? NOTHING,
    gainMap ?? NOTHING,
    main.data,
    exif ?? NOTHING,
  ])
  const { brands = namesCodec ? 'mif3\0\0\0\0' : `mif3${isAv1 ? 'avif' : 'heic'}` } = options
  return Buffer.concat([box('ftyp', Buffer.from(brands, 'latin1')), box('mini', content)])
}

const NOTHING = Buffer.alloc(0)

function packed(bits: readonly number[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8))
  for (const [k, bit] of bits.entries()) bytes[k >> 3] = (bytes[k >> 3] ?? 0) | (bit << (7 - (k & 7)))
  return bytes
}

function box(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(8 + content.length)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, content])
}

/** As the decoder's header says. */
function subsamplingOf(av1C: Buffer): number {
  const flags = av1C.readUInt8(2)
  return (flags & 0x10) !== 0 ? 0 : ([3, 3, 2, 1][(flags >> 2) & 3] ?? 3)
}

function itemsOf(file: Buffer): Parts[] {
  const meta = metaBoxesIn(file)
  const properties = propertiesIn(file, meta)
  const links = associationsIn(file, meta)
  return Array.from(placesOf(file, meta, () => {})).flatMap(({ item, ranges }) => {
    const own = properties.filter(({ index }) => links.some((link) => link.item === item && link.index === index))
    const config = own.find(({ type }) => type === 'av1C' || type === 'hvcC')
    const size = own.find(({ type }) => type === 'ispe')
    if (config === undefined || size === undefined) return []
    return {
      width: file.readUInt32BE(size.from + 4),
      height: file.readUInt32BE(size.from + 8),
      config: withoutPlace(file.subarray(config.from, config.to), config.type),
      data: Buffer.concat(ranges.map(([from, to]) => file.subarray(from, to))),
    }
  })
}

/** Without the position of colour samples, which must be that of the box. */
function withoutPlace(config: Buffer, type: string): Buffer {
  const copy = Buffer.from(config)
  if (type === 'av1C') copy.writeUInt8(copy.readUInt8(2) & 0xfc, 2)
  return copy
}

function profileOf(file: Buffer): Buffer | undefined {
  const found = propertiesIn(file, metaBoxesIn(file)).find(
    ({ type, from }) => type === 'colr' && ['prof', 'rICC'].includes(file.toString('latin1', from, from + 4)),
  )
  return found === undefined ? undefined : file.subarray(found.from + 4, found.to)
}
