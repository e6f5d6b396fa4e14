// BMP files of each kind that browsers display, with the pixels that a viewer shows.

import type { Pixels } from './pictures.js'

export interface BmpFile {
  readonly name: string
  readonly bytes: Buffer
  /** The pixels as displayed on white. */
  readonly shown: Pixels
}

type Rgb = readonly [number, number, number]

interface Parts {
  readonly width: number
  readonly height: number
  readonly headerBytes: number
  readonly bits: number
  readonly compression?: number
  readonly isTopDown?: boolean
  readonly masks?: readonly number[]
  readonly palette?: readonly Rgb[]
  readonly profile?: Buffer
  readonly body: Buffer
}

const CORE = 12
const INFO = 40
const OS2 = 64
const V4 = 108
const V5 = 124

export function bmpFile(parts: Parts): Buffer {
  const { width, height, headerBytes, bits, compression = 0, isTopDown = false, masks = [], palette = [], profile } = parts
  const header = Buffer.alloc(headerBytes)
  header.writeUInt32LE(headerBytes, 0)
  if (headerBytes === CORE) {
    for (const [k, value] of [width, height, 1, bits].entries()) header.writeUInt16LE(value, 4 + 2 * k)
  } else {
    header.writeInt32LE(width, 4)
    header.writeInt32LE(isTopDown ? -height : height, 8)
    header.writeUInt16LE(1, 12)
    header.writeUInt16LE(bits, 14)
    header.writeUInt32LE(compression, 16)
    header.writeUInt32LE(palette.length, 32)
  }
  const outside = headerBytes < 52 ? masks : []
  if (headerBytes >= 52) for (const [k, mask] of masks.entries()) header.writeUInt32LE(mask, 40 + 4 * k)
  const entryBytes = headerBytes === CORE ? 3 : 4
  const table = Buffer.concat(palette.map(([r, g, b]) => Buffer.from([b, g, r, 0].slice(0, entryBytes))))
  const maskBytes = Buffer.concat(outside.map((mask) => Buffer.from(Uint32Array.of(mask).buffer)))
  const pixelsAt = 14 + headerBytes + maskBytes.length + table.length
  if (profile !== undefined) {
    header.writeUInt32LE(0x4d424544, 56)
    header.writeUInt32LE(pixelsAt - 14 + parts.body.length, 112)
    header.writeUInt32LE(profile.length, 116)
  }
  const start = Buffer.alloc(14)
  start.write('BM', 'latin1')
  start.writeUInt32LE(pixelsAt, 10)
  return Buffer.concat([start, header, maskBytes, table, parts.body, profile ?? Buffer.alloc(0)])
}

/** 24 bits, the most common kind. */
export function usualBmp(picture: Pixels): Buffer {
  return bmpFile({
    ...picture,
    headerBytes: INFO,
    bits: 24,
    body: rows(
      picture,
      24,
      rgbOf(picture, ([r, g, b]) => (r << 16) | (g << 8) | b),
    ),
  })
}

/** One file of each kind. @param picture with few colours, for long runs. */
export function everyBmp(picture: Pixels): BmpFile[] {
  return [...indexed(picture), ...masked(picture), ...transparent(picture)]
}

const GREY_16: readonly Rgb[] = Array.from({ length: 16 }, (_, k) => [17 * k, 17 * k, 17 * k] as const)
const COLOURS_256: readonly Rgb[] = Array.from({ length: 256 }, (_, k) => [(k >> 5) * 36, ((k >> 2) & 7) * 36, (k & 3) * 85])
const PALETTES: Readonly<Record<number, readonly Rgb[]>> = {
  1: [
    [20, 30, 90],
    [250, 240, 200],
  ],
  2: GREY_16.filter((_, k) => k % 5 === 0),
  4: GREY_16,
  8: COLOURS_256,
}

function indexed(picture: Pixels): BmpFile[] {
  const made: BmpFile[] = []
  for (const bits of [1, 2, 4, 8]) {
    const palette = PALETTES[bits] ?? []
    const indexes = rgbOf(picture, ([r, g, b]) => {
      if (bits === 8) return (Math.round(r / 36.5) << 5) | (Math.round(g / 36.5) << 2) | Math.round(b / 85)
      return Math.round(((r + g + b) / 765) * (palette.length - 1))
    })
    const shown = { ...picture, data: Buffer.from(indexes.flatMap((index) => palette[index] ?? [0, 0, 0])) }
    const add = (name: string, parts: Omit<Parts, 'width' | 'height' | 'bits' | 'palette'>) =>
      made.push({ name: `${name}, ${bits} bits`, bytes: bmpFile({ ...picture, bits, palette, ...parts }), shown })
    const body = rows(picture, bits, indexes)
    add('info', { headerBytes: INFO, body })
    add('top-down', { headerBytes: INFO, isTopDown: true, body: rows(picture, bits, indexes, true) })
    if (bits !== 2) add('core', { headerBytes: CORE, body })
    add('os/2', { headerBytes: OS2, body })
    add('v5', { headerBytes: V5, body })
    if (bits >= 4) add('runs', { headerBytes: INFO, compression: bits === 8 ? 1 : 2, body: runs(picture, bits, indexes) })
  }
  return made
}

function masked(picture: Pixels): BmpFile[] {
  const made: BmpFile[] = []
  const add = (name: string, bits: number, widths: readonly number[], shifts: readonly number[], parts: Partial<Parts>) => {
    const levels = widths.map((width) => 2 ** width - 1)
    const values = rgbOf(picture, (rgb) =>
      rgb.reduce((sum, v, k) => sum + Math.round((v / 255) * (levels[k] ?? 0)) * 2 ** (shifts[k] ?? 0), 0),
    )
    const data = Buffer.from(
      picture.data.map((v, k) => Math.round((Math.round((v / 255) * (levels[k % 3] ?? 0)) * 255) / (levels[k % 3] ?? 1))),
    )
    const masks = parts.compression === 3 ? { masks: levels.map((level, k) => level * 2 ** (shifts[k] ?? 0)) } : {}
    const body = rows(picture, bits, values, parts.isTopDown)
    made.push({
      name: `${name}, ${bits} bits`,
      bytes: bmpFile({ ...picture, headerBytes: INFO, bits, body, ...masks, ...parts }),
      shown: { ...picture, data },
    })
  }
  const [full, shifts] = [
    [8, 8, 8],
    [16, 8, 0],
  ]
  add('core', 24, full, shifts, { headerBytes: CORE })
  for (const bits of [24, 32]) {
    add('info', bits, full, shifts, {})
    add('top-down', bits, full, shifts, { isTopDown: true })
    add('v4', bits, full, shifts, { headerBytes: V4 })
  }
  add('five bits each', 16, [5, 5, 5], [10, 5, 0], {})
  add('565', 16, [5, 6, 5], [11, 5, 0], { compression: 3 })
  add('565 in v4', 16, [5, 6, 5], [11, 5, 0], { compression: 3, headerBytes: V4 })
  add('reversed', 32, full, [0, 8, 16], { compression: 3 })
  add('ten bits each', 32, [10, 10, 10], [22, 12, 2], { compression: 3, headerBytes: V5 })
  const runsOf3 = { compression: 4, headerBytes: OS2, body: runs24(picture) }
  made.push({ name: 'runs, 24 bits', bytes: bmpFile({ ...picture, bits: 24, ...runsOf3 }), shown: picture })
  return made
}

/** The upper half is half transparent, the lower one opaque. */
function transparent(picture: Pixels): BmpFile[] {
  const { width, height } = picture
  const isFaint = (k: number) => k < width * (height >> 1)
  const values = rgbOf(picture, ([r, g, b], k) => (isFaint(k) ? 0x80 : 0xff) * 2 ** 24 + (r << 16) + (g << 8) + b)
  const body = rows(picture, 32, values)
  const onWhite = Buffer.from(
    picture.data.map((v, k) => (isFaint(Math.floor(k / 3)) ? Math.round((v * 128 + 255 * 127) / 255) : v)),
  )
  const masks = [0xff0000, 0xff00, 0xff, 0xff000000]
  const of = (headerBytes: number, compression: number, its: readonly number[]) =>
    bmpFile({ ...picture, headerBytes, bits: 32, compression, masks: its, body })
  const shown = { ...picture, data: onWhite }
  return [
    { name: 'alpha in v4', bytes: of(V4, 3, masks), shown },
    { name: 'alpha in v5', bytes: of(V5, 3, masks), shown },
    { name: 'alpha in v5 without masks of colours', bytes: of(V5, 0, masks), shown },
    { name: 'a fourth byte that is no alpha', bytes: of(INFO, 0, []), shown: picture },
    { name: 'a fourth byte in v4 without a mask', bytes: of(V4, 3, masks.slice(0, 3)), shown: picture },
  ]
}

function rgbOf(picture: Pixels, numberOf: (rgb: Rgb, k: number) => number): number[] {
  const { data, width, height } = picture
  return Array.from({ length: width * height }, (_, k) =>
    numberOf([data[3 * k] ?? 0, data[3 * k + 1] ?? 0, data[3 * k + 2] ?? 0], k),
  )
}

/** Rows of numbers of so many bits, padded to four bytes. */
function rows({ width, height }: Pixels, bits: number, values: readonly number[], isTopDown = false): Buffer {
  const stride = 4 * Math.ceil((width * bits) / 32)
  const body = Buffer.alloc(stride * height)
  for (const [k, value] of values.entries()) {
    const [x, y] = [k % width, Math.floor(k / width)]
    const at = stride * (isTopDown ? y : height - 1 - y) + Math.floor((x * bits) / 8)
    if (bits >= 8) body.writeUIntLE(value, at, bits / 8)
    else body[at] = (body[at] ?? 0) | (value << (8 - bits - ((x * bits) % 8)))
  }
  return body
}

/** Runs, and some sequences without repetition. */
function runs({ width, height }: Pixels, bits: number, indexes: readonly number[]): Buffer {
  const bytes: number[] = []
  for (let y = height - 1; y >= 0; y--) {
    const row = indexes.slice(y * width, (y + 1) * width)
    for (let x = 0; x < width; ) {
      const rest = row.slice(x, x + 20)
      if (y % 2 === 0 && rest.length >= 5) {
        const packed = bits === 8 ? rest : rest.flatMap((v, k) => (k % 2 === 0 ? [(v << 4) | (rest[k + 1] ?? 0)] : []))
        bytes.push(0, rest.length, ...packed, ...(packed.length % 2 === 0 ? [] : [0]))
        x += rest.length
      } else {
        const value = row[x] ?? 0
        const count = Math.min(
          rest.length,
          Math.max(
            1,
            rest.findIndex((v) => v !== value),
          ),
        )
        bytes.push(count, bits === 8 ? value : (value << 4) | value)
        x += count
      }
    }
    bytes.push(0, y === 0 ? 1 : 0)
  }
  return Buffer.from(bytes)
}

function runs24({ data, width, height }: Pixels): Buffer {
  const bytes: number[] = []
  for (let y = height - 1; y >= 0; y--) {
    for (let x = 0; x < width; x++) {
      const at = 3 * (y * width + x)
      bytes.push(1, data[at + 2] ?? 0, data[at + 1] ?? 0, data[at] ?? 0)
    }
    bytes.push(0, y === 0 ? 1 : 0)
  }
  return Buffer.from(bytes)
}
