// Files with metadata about their colour space or the part that is shown.

import { crc32 } from 'node:zlib'

const HEADER_END = 33

/** @returns the PNG with further chunks after its header. */
export function withPngChunks(png: Buffer, chunks: readonly { readonly type: string; readonly content: Buffer }[]): Buffer {
  const made = chunks.map(({ type, content }) => {
    const chunk = Buffer.concat([Buffer.alloc(4), Buffer.from(type, 'latin1'), content, Buffer.alloc(4)])
    chunk.writeUInt32BE(content.length, 0)
    chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4)
    return chunk
  })
  return Buffer.concat([png.subarray(0, HEADER_END), ...made, png.subarray(HEADER_END)])
}

export function withCicp(png: Buffer, primaries: number, transfer: number): Buffer {
  return withPngChunks(png, [{ type: 'cICP', content: Buffer.from([primaries, transfer, 0, 1]) }])
}

export function withGamma(png: Buffer, gamma: number): Buffer {
  const content = Buffer.alloc(4)
  content.writeUInt32BE(Math.round(100_000 * gamma))
  return withPngChunks(png, [{ type: 'gAMA', content }])
}

/** @param avif that has an nclx property, as sharp writes it for lossless pictures. */
export function withNclx(avif: Buffer, primaries: number, transfer: number): Buffer {
  const at = avif.indexOf('colrnclx')
  if (at < 0) throw new Error('no nclx')
  const marked = Buffer.from(avif)
  marked.writeUInt16BE(primaries, at + 8)
  marked.writeUInt16BE(transfer, at + 10)
  return marked
}

/** One bit, then primaries 1 and transfer 13: what sharp writes in the data of an AVIF. */
const SRGB_IN_DATA = '10000000100001101'

/** @param avif as sharp writes it. @returns it with the transfer in its data only, and no nclx property. */
export function withTransferInData(avif: Buffer, transfer: number): Buffer {
  const marked = Buffer.from(avif)
  const nclxAt = avif.indexOf('colrnclx')
  if (nclxAt >= 0) marked.write('free', nclxAt, 'latin1')
  const dataAt = avif.indexOf('mdat') + 4
  const bits = Array.from(avif.subarray(dataAt, dataAt + 32), (byte) => byte.toString(2).padStart(8, '0')).join('')
  if (!bits.includes(SRGB_IN_DATA)) throw new Error('no colours in the data')
  const changed = bits.replace(SRGB_IN_DATA, `${SRGB_IN_DATA.slice(0, 9)}${transfer.toString(2).padStart(8, '0')}`)
  for (let k = 0; k < 32; k++) marked[dataAt + k] = Number.parseInt(changed.slice(8 * k, 8 * k + 8), 2)
  return marked
}

const CLAP_BYTES = 40
const ESSENTIAL = 0x80

/** @param avif as sharp writes it: one item. @returns it with a clean aperture of `width` × `height` in its middle, with sides that are even. */
export function withAperture(avif: Buffer, width: number, height: number): Buffer {
  const clap = Buffer.alloc(CLAP_BYTES)
  clap.writeUInt32BE(CLAP_BYTES)
  clap.write('clap', 4, 'latin1')
  ;[width, 1, height, 1, 0, 1, 0, 1].forEach((value, k) => {
    clap.writeUInt32BE(value, 8 + 4 * k)
  })
  const [ipcoAt, ipmaAt] = [avif.indexOf('ipco') - 4, avif.indexOf('ipma') - 4]
  const ipcoEnd = ipcoAt + avif.readUInt32BE(ipcoAt)
  const countAt = ipmaAt + 18
  const count = avif.readUInt8(countAt)
  const associated = countAt + 1 + count
  const grown = Buffer.from(avif)
  const grow = (at: number, byBytes: number) => grown.writeUInt32BE(avif.readUInt32BE(at) + byBytes, at)
  grow(avif.indexOf('meta') - 4, CLAP_BYTES + 1)
  grow(avif.indexOf('iprp') - 4, CLAP_BYTES + 1)
  grow(ipcoAt, CLAP_BYTES)
  grow(ipmaAt, 1)
  grow(avif.indexOf('iloc') + 22, CLAP_BYTES + 1)
  grown.writeUInt8(count + 1, countAt)
  const properties = boxCount(avif.subarray(ipcoAt + 8, ipcoEnd))
  return Buffer.concat([
    grown.subarray(0, ipcoEnd),
    clap,
    grown.subarray(ipcoEnd, associated),
    Buffer.from([ESSENTIAL | (properties + 1)]),
    grown.subarray(associated),
  ])
}

function boxCount(boxes: Buffer): number {
  let count = 0
  for (let at = 0; at < boxes.length; at += boxes.readUInt32BE(at)) count++
  return count
}
