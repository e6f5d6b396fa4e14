// Decides how to read a file that ends too early, or whether to refuse it.

import type { Purpose } from '../../../packages/hash/src/views.js'
import type { MediaFormat } from '../../../src/domain/media/media-formats.js'
import { pictureCost } from '../../../src/domain/media/picture-cost.js'
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
  /** Read a JPEG however many flaws it has. By default libvips stops at 100; viewers do not, and between restart markers a flaw hides little. */
  readonly hasAnyFlaws?: true
}

/**
 * Decides about a file that fails to decode; at registration also about a JPEG or GIF that decodes with a warning that data is missing.
 *
 * In a query, what is left of the picture is read, as viewers show it, with grey for the rest. The grey does no harm: of 25 photographs cut to a
 * half, 23 are found, and cutting the grey away finds no more.
 *
 * A registered picture must not contain such grey. So all rows have to be in the file, except for a `MISSING_SHARE` at the end:
 * - JPEG: decoded twice, once with noise wherever the data of a scan ends. The noise changes the picture only if data is missing, whatever marker
 *   somebody put at the end.
 * - GIF: counts the pixels that the codes of each frame stand for.
 * - PNG: counts the bytes to which its data inflates.
 * - WebP, TIFF, AVIF: refused. They declare their sizes at the front, and browsers show nothing of a shorter file.
 *
 * @param thumbnail decodes to `THUMBNAIL_SIDE_PX` rows and columns in grey, not rotated.
 * @returns how to read it; `undefined` to refuse it. If its bytes are not `bytes`, they are a copy for the caller to overwrite.
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

/** Estimated decoding time beyond which a picture is not examined, because examining decodes it twice more. */
const MAX_EXAMINED_MS = 1000
export const THUMBNAIL_SIDE_PX = 64
/** Share of the rows that may be missing. */
const MISSING_SHARE = 1 / 16
/** Two thumbnails are alike if no level differs by more than this. */
const UNSEEN_LEVELS = 8

async function pngReading(bytes: Buffer, purpose: Purpose): Promise<Reading | undefined> {
  const named = withoutMisnamedChunks(bytes)
  const rows = await pngRows(named, purpose)
  const isEnough = rows !== undefined && (purpose === 'query' || rows.share >= 1 - MISSING_SHARE)
  const read = isEnough ? (rows.repaired ?? named) : undefined
  for (const copy of [named, rows?.repaired]) if (copy !== bytes && copy !== read) copy?.fill(0)
  return read === undefined ? undefined : { bytes: read, failOn: 'none' }
}

/** @returns all of the file if libjpeg reads it; otherwise as many of its scans as libjpeg reads. */
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

/** This many zeros at the end of a JPEG are not part of the picture. */
const MIN_ZEROS = 64
/**
 * Detects a JPEG of which a part is replaced by zeros, as an interrupted download may leave it. The zeros decode to some picture. But many complete
 * files end in zeros, too: so it compares the picture with one that has noise instead of the zeros. Not for WebP, where zeros may be the data of
 * plain rows.
 * @returns whether the file ends in zeros and looks different with noise.
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

/**
 * @returns bytes that the decoder of the format accepts. libnsgif draws nothing of a frame with an impossible code, unless the data is cut off before
 *   it.
 */
function readable(bytes: Buffer, format: MediaFormat): Buffer {
  if (format === 'webp') return padded(bytes)
  const { usableBytes } = format === 'gif' ? gifData(bytes, 0) : { usableBytes: bytes.length }
  return usableBytes < bytes.length ? Buffer.from(bytes.subarray(0, usableBytes)) : bytes
}

/** Files that declare a greater length are not padded. */
const MAX_PADDED_BYTES = 1 << 26
const RIFF_HEADER_BYTES = 8

/** libwebp decodes a file only if it has the length that it declares, so zeros are appended. They decode to plain pixels. */
function padded(bytes: Buffer): Buffer {
  const length = RIFF_HEADER_BYTES + (bytes.length < RIFF_HEADER_BYTES ? 0 : bytes.readUInt32LE(4))
  if (length <= bytes.length || length > MAX_PADDED_BYTES) return bytes
  return Buffer.concat([bytes], length)
}
