// Which chunk of a PNG decides about its colour space, and what it says.

import { crc32 } from 'node:zlib'
import { type ColourSignal, type Primaries, SRGB, signalOf, signalOfGamma } from './colour-signal.js'

/**
 * As in browsers, cICP takes precedence, then the profile, then sRGB, then gAMA with cHRM. Chunks with a wrong checksum are ignored.
 * @returns `profile` if the ICC profile decides; `srgb` if the colours are sRGB.
 */
export function pngColour(bytes: Buffer): ColourSignal | 'profile' | 'srgb' {
  const found = chunksOf(bytes)
  const cicp = found.get('cICP')
  // Valid only if the transfer is specified, and the matrix is 0: PNG stores red, green and blue.
  if (cicp?.length === 4 && cicp[1] !== UNSPECIFIED && cicp[2] === 0) return signalOf(cicp[0] ?? 0, cicp[1] ?? 0, 'png')
  if (found.has('iCCP')) return 'profile'
  const gama = found.get('gAMA')
  if (found.has('sRGB') || gama?.length !== 4) return 'srgb'
  const gamma = gama.readUInt32BE(0) / PARTS
  if (gamma === 0) return 'srgb'
  const primaries = primariesIn(found.get('cHRM'))
  const isUsual = gamma >= MIN_USUAL_GAMMA && gamma <= MAX_USUAL_GAMMA
  return isUsual && primaries === undefined ? 'srgb' : signalOfGamma(isUsual ? USUAL_GAMMA : gamma, primaries)
}

const UNSPECIFIED = 2
/** gAMA and cHRM store numbers in 100,000ths. */
const PARTS = 100_000
/** Most programs write 0.45455 for sRGB. A gamma near it changes only a few dark levels, and other systems ignore it. */
const [MIN_USUAL_GAMMA, USUAL_GAMMA, MAX_USUAL_GAMMA] = [0.43, 0.45455, 0.48]
const UNSEEN_CHROMATICITY = 0.01

function primariesIn(chrm: Buffer | undefined): Primaries | undefined {
  if (chrm?.length !== 32) return undefined
  const at = (index: number) => chrm.readUInt32BE(4 * index) / PARTS
  const own = [at(2), at(3), at(4), at(5), at(6), at(7), at(0), at(1)] as const
  if (own.some((value) => value > 1) || own[7] === 0) return undefined
  const [rx, ry, gx, gy, bx, by] = own
  const area = (gx - rx) * (by - ry) - (bx - rx) * (gy - ry)
  if (Math.abs(area) < UNSEEN_CHROMATICITY) return undefined // the three points are on one line, which is not a colour space
  return own.every((value, k) => Math.abs(value - (SRGB[k] ?? 0)) < UNSEEN_CHROMATICITY) ? undefined : own
}

const COLOUR_CHUNKS = ['cICP', 'iCCP', 'sRGB', 'gAMA', 'cHRM']
/** Maximum chunks before the pixels. Real files have about ten. */
const MAX_CHUNKS = 1000
const SIGNATURE_BYTES = 8

/** @returns the content of the first chunk of each kind before the pixels. */
function chunksOf(bytes: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>()
  for (let at = SIGNATURE_BYTES, count = 0; at + 12 <= bytes.length && count < MAX_CHUNKS; count++) {
    const end = at + 8 + bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (type === 'IDAT' || end + 4 > bytes.length) break
    if (COLOUR_CHUNKS.includes(type) && !found.has(type) && crc32(bytes.subarray(at + 4, end)) === bytes.readUInt32BE(end)) {
      found.set(type, bytes.subarray(at + 8, end))
    }
    at = end + 4
  }
  return found
}
