// Counts the rows of a PNG that ends too early, and repairs an interlaced one so that it can be decoded.

import { constants, crc32, createInflate, deflateSync } from 'node:zlib'
import type { Purpose } from '../../../packages/hash/src/views.js'

export interface PngRows {
  /** Share of the bytes of all rows that the file has, 0…1. */
  readonly share: number
  /** A copy of an interlaced PNG with black or transparent pixels for missing ones, for the caller to overwrite. `undefined` for others. */
  readonly repaired: Buffer | undefined
}

/**
 * Maximum size of the rows of a picture that is repaired, because all of them have to be in memory. libpng gives nothing of an interlaced picture
 * that ends early.
 */
const MAX_REPAIRED_BYTES = 1 << 26

/**
 * A chunk with a wrong check sum ends the data. A query still reads that chunk, because viewers show rows as they arrive, before the check sum.
 * @returns `undefined` without a usable header. Cost: inflates the picture once.
 */
export async function pngRows(png: Buffer, purpose: Purpose): Promise<PngRows | undefined> {
  const passes = passesOf(png)
  const totalBytes = passes.reduce((sum, { rows, rowBytes }) => sum + rows * rowBytes, 0)
  if (totalBytes === 0) return undefined
  const isRepaired = png[INTERLACED_AT] === 1 && totalBytes <= MAX_REPAIRED_BYTES
  const rows = Buffer.alloc(isRepaired ? totalBytes : 0)
  try {
    const found = await inflate(imageData(png, purpose), totalBytes, (part, at) => {
      if (isRepaired) part.copy(rows, at)
    })
    if (isRepaired) clearUnknownFilters(rows, passes)
    return { share: found / totalBytes, repaired: isRepaired ? withRows(png, rows) : undefined }
  } finally {
    rows.fill(0)
  }
}

const HEADER_END = 33
const INTERLACED_AT = 28
const CHANNELS = new Map([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [6, 4],
])
/** Of each pass of Adam7: column and row of its first pixel, and the horizontal and vertical distance between its pixels. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const
const ONE_PASS = [[0, 0, 1, 1]] as const

/** @returns for each pass the number of rows, and the bytes of a row including the byte for its filter. */
function passesOf(png: Buffer): { rows: number; rowBytes: number }[] {
  if (png.length < HEADER_END) return []
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const bits = (CHANNELS.get(png.readUInt8(25)) ?? 0) * png.readUInt8(24)
  return (png[INTERLACED_AT] === 1 ? PASSES : ONE_PASS).flatMap(([left, top, across, down]) => {
    const columns = Math.max(0, Math.ceil((width - left) / across))
    const rows = columns === 0 ? 0 : Math.max(0, Math.ceil((height - top) / down))
    return rows === 0 ? [] : [{ rows, rowBytes: 1 + Math.ceil((columns * bits) / 8) }]
  })
}

/** Yields the content of the IDAT chunks, up to the end of the file or a wrong checksum. */
function* imageData(png: Buffer, purpose: Purpose): Generator<Buffer> {
  for (let at = HEADER_END; at + 8 <= png.length; ) {
    const end = at + 8 + png.readUInt32BE(at)
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') {
      const isWrong = end + 4 <= png.length && crc32(png.subarray(at + 4, end)) !== png.readUInt32BE(end)
      if (!isWrong || purpose === 'query') yield png.subarray(at + 8, end)
      if (isWrong) return
    }
    at = end + 4
  }
}

/** Inflates data up to `maxBytes`, or up to where it ends or is damaged. @returns the number of inflated bytes. */
function inflate(data: Iterable<Buffer>, maxBytes: number, use: (part: Buffer, at: number) => void): Promise<number> {
  return new Promise((resolve) => {
    let found = 0
    const stream = createInflate({ finishFlush: constants.Z_SYNC_FLUSH })
    const done = () => {
      stream.destroy()
      resolve(Math.min(found, maxBytes))
    }
    stream.on('data', (part: Buffer) => {
      if (found < maxBytes) use(part, found)
      part.fill(0)
      found += part.length
      if (found >= maxBytes) done()
    })
    stream.on('end', done)
    stream.on('error', done)
    for (const part of data) stream.write(part)
    stream.end()
  })
}

const LAST_FILTER = 4

/** Sets filters that do not exist to 0, because libpng refuses them. Damaged data may inflate to such filters. */
function clearUnknownFilters(data: Buffer, passes: ReturnType<typeof passesOf>): void {
  let at = 0
  for (const { rows, rowBytes } of passes) {
    for (let row = 0; row < rows; row++, at += rowBytes) if ((data[at] ?? 0) > LAST_FILTER) data[at] = 0
  }
}

/** @returns a PNG with the same header and colours, and with these rows, uncompressed. */
function withRows(png: Buffer, rows: Buffer): Buffer {
  const parts = [png.subarray(0, HEADER_END)]
  for (let at = HEADER_END; at + 12 <= png.length && png.toString('latin1', at + 4, at + 8) !== 'IDAT'; ) {
    const end = at + 12 + png.readUInt32BE(at)
    parts.push(png.subarray(at, end))
    at = end
  }
  return Buffer.concat([...parts, chunk('IDAT', deflateSync(rows, { level: 0 })), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, content: Buffer): Buffer {
  const made = Buffer.alloc(12 + content.length)
  made.writeUInt32BE(content.length, 0)
  made.write(type, 4, 'latin1')
  content.copy(made, 8)
  made.writeUInt32BE(crc32(made.subarray(4, 8 + content.length)), 8 + content.length)
  return made
}
