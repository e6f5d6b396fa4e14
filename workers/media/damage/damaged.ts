// Decides how to read a file that ends too early, or whether to refuse it.

import type { Purpose } from '../../../packages/hash/src/views.js'
import type { MediaFormat } from '../../../src/domain/media/media-formats.js'
import { pictureCost } from '../../../src/handoff/picture-cost.js'
import { ranOutOfMemory } from '../out-of-memory.js'
import { gifData } from './gif-rows.js'
import { NOISE_BYTES, withNoise } from './jpeg-noise.js'
import { fewerScans } from './jpeg-scans.js'
import { withoutMisnamedChunks } from './png-names.js'
import { pngRows } from './png-rows.js'

/** How strict a decoder is. `warning`: fails also on flaws that every viewer ignores. `none`: fills what is missing. */
export type FailOn = 'none' | 'error' | 'warning'

export interface Reading {
  readonly bytes: Buffer
  readonly failOn: FailOn
  /** libvips gives up a JPEG with 100 flaws. Viewers do not, and flaws between restart markers hide little of a picture. */
  readonly hasAnyFlaws?: true
}

/**
 * Called for a file that fails to decode; for registration also for a JPEG or GIF that decodes with a warning that data is missing.
 *
 * A query reads what is left, as viewers show it. Its grey rest does no harm: of 25 photographs cut to a half, 23 are found, and none more if the
 * rest is cut away.
 *
 * A registration must not hold a grey rest, so all rows have to come from the file, but for a `MISSING_SHARE` at the end that nobody sees:
 * - JPEG: decoded twice, once with noise wherever the data of a scan ends. A picture that is whole ignores the noise, others change, whatever
 *   marker a forger puts at the end.
 * - GIF: the pixels that the codes of each frame stand for are counted.
 * - PNG: the bytes to which its data inflates are counted.
 * - WebP, TIFF, AVIF: sizes are declared at the front, and browsers show nothing of a shorter file.
 *
 * @param thumbnail decodes to `THUMBNAIL_SIDE_PX` rows and columns in grey, not rotated.
 * @returns `undefined` to refuse it. Other bytes than `bytes` are a copy for the caller to overwrite.
 */
export async function readingOfDamaged(
  bytes: Buffer,
  format: MediaFormat,
  purpose: Purpose,
  thumbnail: Thumbnail,
): Promise<Reading | undefined> {
  const lenient: Reading = { bytes, failOn: 'none' }
  if (format === 'png') return pngReading(bytes, purpose)
  if (purpose === 'query')
    return format === 'jpeg' ? queriedJpeg(bytes, thumbnail) : { ...lenient, bytes: readable(bytes, format) }
  if (format === 'jpeg') {
    if (pictureCost(bytes).timeMs > MAX_EXAMINED_MS) return undefined
    return (await isJpegWhole(lenient, thumbnail)) ? lenient : undefined
  }
  if (format === 'gif') return gifData(bytes, MISSING_SHARE).isWhole ? lenient : undefined
  return undefined
}

/** Examining a picture costs two decodings more. */
const MAX_EXAMINED_MS = 1000
export const THUMBNAIL_SIDE_PX = 64
const MISSING_SHARE = 1 / 16
/** Two pictures that differ less look alike. */
const UNSEEN_LEVELS = 8

async function pngReading(bytes: Buffer, purpose: Purpose): Promise<Reading | undefined> {
  const named = withoutMisnamedChunks(bytes)
  const rows = await pngRows(named, purpose)
  const isEnough = rows !== undefined && (purpose === 'query' || rows.share >= 1 - MISSING_SHARE)
  const read = isEnough ? (rows.repaired ?? named) : undefined
  for (const copy of [named, rows?.repaired]) if (copy !== bytes && copy !== read) copy?.fill(0)
  return read === undefined ? undefined : { bytes: read, failOn: 'none' }
}

/** All of it if libjpeg reads that, or as many scans as it reads. */
async function queriedJpeg(bytes: Buffer, thumbnail: Thumbnail): Promise<Reading> {
  const all: Reading = { bytes, failOn: 'none', hasAnyFlaws: true }
  if (pictureCost(bytes).timeMs > MAX_EXAMINED_MS || (await isRead(all, thumbnail))) return all
  for (const fewer of fewerScans(bytes)) {
    if (await isRead({ ...all, bytes: fewer }, thumbnail)) return { ...all, bytes: fewer }
    fewer.fill(0)
  }
  return all
}

async function isRead(reading: Reading, thumbnail: Thumbnail): Promise<boolean> {
  try {
    const pixels = await thumbnail(reading)
    pixels.fill(0)
    return true
  } catch (error) {
    if (ranOutOfMemory(error)) throw error
    return false
  }
}

async function isJpegWhole({ bytes }: Reading, thumbnail: Thumbnail): Promise<boolean> {
  const noisy = withNoise(bytes)
  return noisy !== undefined && (await looksAlike(bytes, noisy, thumbnail))
}

/** More zeros than these are not part of a picture. */
const MIN_ZEROS = 64
/**
 * A download that was broken off may be as long as the file, with zeros for what is missing, which decode to something in a JPEG. Many whole files
 * end in zeros, too. In WebP they may be the data of plain rows, so nothing can be told.
 * @returns whether the file ends in zeros and looks different with noise instead.
 */
export async function isFilledWithZeros(bytes: Buffer, format: MediaFormat, thumbnail: Thumbnail): Promise<boolean> {
  if (format !== 'jpeg' || pictureCost(bytes).timeMs > MAX_EXAMINED_MS) return false
  if (!bytes.subarray(-MIN_ZEROS).every((byte) => byte === 0)) return false
  const zerosAt = bytes.findLastIndex((byte) => byte !== 0) + 1
  const noisy = Buffer.from(bytes).fill(NOISE_BYTES, zerosAt)
  const failed = (error: unknown): boolean => {
    if (ranOutOfMemory(error)) throw error
    return false
  }
  return !(await looksAlike(bytes, noisy, thumbnail).catch(failed))
}

type Thumbnail = (reading: Reading) => Promise<Buffer>

/** Compares all rows but the last ones. Overwrites `noisy`. */
async function looksAlike(bytes: Buffer, noisy: Buffer, thumbnail: Thumbnail): Promise<boolean> {
  const made: Buffer[] = []
  try {
    for (const file of [bytes, noisy]) made.push(await thumbnail({ bytes: file, failOn: 'none' }))
    const [plain = Buffer.alloc(0), other = Buffer.alloc(0)] = made
    const checked = plain.length * (1 - MISSING_SHARE)
    return plain.every((level, k) => k >= checked || Math.abs(level - (other[k] ?? 0)) <= UNSEEN_LEVELS)
  } finally {
    for (const pixels of [...made, noisy]) pixels.fill(0)
  }
}

/** What the decoder of the format accepts of a damaged file: libnsgif draws nothing of a frame with an impossible code, but all that is before it. */
function readable(bytes: Buffer, format: MediaFormat): Buffer {
  if (format === 'webp') return padded(bytes)
  const { usableBytes } = format === 'gif' ? gifData(bytes, 0) : { usableBytes: bytes.length }
  return usableBytes < bytes.length ? Buffer.from(bytes.subarray(0, usableBytes)) : bytes
}

/** Longer files are not accepted anywhere. */
const MAX_PADDED_BYTES = 1 << 26
const RIFF_HEADER_BYTES = 8

/** libwebp decodes a file only if it is as long as it says. Zeros become a plain rest. */
function padded(bytes: Buffer): Buffer {
  const length = RIFF_HEADER_BYTES + (bytes.length < RIFF_HEADER_BYTES ? 0 : bytes.readUInt32LE(4))
  if (length <= bytes.length || length > MAX_PADDED_BYTES) return bytes
  return Buffer.concat([bytes], length)
}
