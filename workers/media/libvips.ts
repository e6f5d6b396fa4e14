// The decoder of still pictures: libvips, through sharp.

import sharp, { type OutputInfo, type Sharp } from 'sharp'
import { MAX_SIDE_PX } from '../../packages/hash/src/pixels.js'
import { FULL_RESOLUTION_PIXELS } from '../../packages/hash/src/reduced-side.js'
import { MAX_WHOLE_PIXELS } from '../../src/domain/media/decoding-limits.js'
import { divideByAlpha } from '../../src/domain/media/heif/heif-picture.js'
import type { FormatOf, MediaFormat } from '../../src/domain/media/media-formats.js'
import { pictureCost } from '../../src/domain/media/picture-cost.js'
import { Problem } from '../../src/domain/problem.js'
import { BACKGROUNDS, type Background, flattened, LEVEL_OF } from './colour/alpha.js'
import { rgbOfCmyk } from './colour/cmyk.js'
import type { ColourSignal } from './colour/colour-signal.js'
import { firstFrameOf, onWhite } from './colour/gif-surroundings.js'
import { pngColour } from './colour/png-colour.js'
import { toSrgb } from './colour/to-srgb.js'
import { inSrgb } from './colour-profile.js'
import { isFilledWithZeros, type Reading, readingOfDamaged } from './damage/damaged.js'
import type { DecodedPicture } from './decoded-picture.js'
import type { Decoder, FrameLimits } from './decoder.js'
import { heifColour, isPremultiplied, wholeOf } from './heif-properties.js'
import { ranOutOfMemory } from './out-of-memory.js'
import { read, thumbnail } from './read.js'
import { reducedRgb } from './reduced-rgb.js'
import { framesOf, withoutEqualSecond } from './shown-frames.js'

// All loaders of libvips are blocked. Then those of common picture formats are unblocked, from memory only: no SVG, no PDF and no file name can
// reach a parser.
sharp.block({ operation: ['VipsForeignLoad'] })
const LOADERS: Readonly<Record<FormatOf<'libvips'>, `VipsForeignLoad${string}Buffer`>> = {
  jpeg: 'VipsForeignLoadJpegBuffer',
  png: 'VipsForeignLoadPngBuffer',
  webp: 'VipsForeignLoadWebpBuffer',
  gif: 'VipsForeignLoadNsgifBuffer',
  avif: 'VipsForeignLoadHeifBuffer',
  tiff: 'VipsForeignLoadTiffBuffer',
}
sharp.unblock({ operation: [...new Set(Object.values(LOADERS))] })
sharp.cache(false) // a cache would keep decoded pixels after the call
sharp.concurrency(1)

/**
 * Yields the first frame: rotated as its EXIF says, in sRGB, with transparency on white. Then the same on black if that differs. A picture with a
 * clean aperture is yielded both without and with it.
 *
 * A JPEG, or a WebP beyond `MAX_WHOLE_PIXELS`, is reduced while it is decoded, whatever its orientation and profile. The caller has checked the cost
 * of the file, so libvips has no limit on pixels of its own.
 *
 * A damaged file that browsers draw is hashed, because refusing it would be a way to evade matching. For files that end too early see
 * `readingOfDamaged`.
 */
export const libvips: Decoder = {
  async *open(bytes, format, limits) {
    const failed = (error: unknown): never => {
      if (error instanceof Problem) throw error
      throw new Problem(ranOutOfMemory(error) ? 'hashing-unavailable' : 'image-undecodable')
    }
    const whole = isIsoMedia(format) ? wholeOf(bytes) : undefined
    try {
      if (whole !== undefined) yield* framesOf(await shownInFull(whole, format, limits).catch(failed))
      yield* framesOf(await shownInFull(bytes, format, limits).catch(failed))
    } finally {
      whole?.fill(0)
    }
  },
}

const isIsoMedia = (format: MediaFormat) => format === 'avif' || format === 'heif'

/** Formats whose decoder only warns about a picture that ends too early. */
const WARNS = ['jpeg', 'gif']
/** What libjpeg and libnsgif say then. */
const ENDS_EARLY = /premature end|unexpected end|invalid frame data/i

/** A transparent picture with a higher decoding cost is decoded once for both backgrounds, not twice. */
const MAX_TWICE_MS = 500

/** @returns the picture on each background, once if both are equal; of a file that ends too early, what may be hashed of it. */
async function shownInFull(bytes: Buffer, format: MediaFormat, limits: FrameLimits): Promise<DecodedPicture[]> {
  const failOn = limits.purpose === 'register' && WARNS.includes(format) ? 'warning' : 'error'
  if (limits.purpose === 'register' && (await isFilledWithZeros(bytes, format, thumbnail)))
    throw new Problem('image-undecodable')
  try {
    return await shown({ bytes, failOn }, format, limits)
  } catch (error) {
    if (error instanceof Problem || ranOutOfMemory(error)) throw error
    if (failOn === 'warning' && !ENDS_EARLY.test(String(error))) return shown({ bytes, failOn: 'error' }, format, limits)
    const reading = await readingOfDamaged(bytes, format, limits.purpose, thumbnail)
    if (reading === undefined) throw error
    try {
      return await shown(reading, format, limits)
    } finally {
      if (reading.bytes !== bytes) reading.bytes.fill(0)
    }
  }
}

async function shown(reading: Reading, format: MediaFormat, limits: FrameLimits): Promise<DecodedPicture[]> {
  const header = await headerOf(reading, format)
  const { width, height, profile, colour, hasAlpha, isMultiplied, isCmyk } = header
  // Checked here, because an error of sharp's own limit could not be told from damage.
  if (Math.max(width, height) > MAX_SIDE_PX) throw new Problem('image-too-many-pixels')
  const backgrounds = hasAlpha && limits.maxFrames !== 1 ? BACKGROUNDS : BACKGROUNDS.slice(0, 1)
  const isCostly = backgrounds.length > 1 && pictureCost(reading.bytes).timeMs > MAX_TWICE_MS
  if (hasAlpha && colour === undefined && isDecodedWhole(header))
    return fromWhole(reading, header, limits.sizeFor, backgrounds, format)
  if (colour !== undefined || isCostly || isMultiplied) return fromRgba(reading, header, limits.sizeFor, backgrounds)
  if (isCmyk) return fromCmyk(reading, header, limits)
  const pictures: DecodedPicture[] = []
  for (const background of backgrounds) pictures.push(await pixelsOf(reading, header, limits.sizeFor, background))
  const [first] = pictures
  if (first !== undefined && profile !== undefined) return [await inSrgb(first, profile)]
  const frame = format === 'gif' && !hasAlpha ? firstFrameOf(reading.bytes) : undefined
  return first === undefined || frame === undefined ? withoutEqualSecond(pictures) : [onWhite(first, frame), first]
}

function isDecodedWhole({ width, height }: Pick<Header, 'width' | 'height'>): boolean {
  return width * height <= MAX_WHOLE_PIXELS
}

interface Header {
  readonly width: number
  readonly height: number
  /** The profile of a picture in red, green and blue. Profiles of other colour spaces are applied while decoding. */
  readonly profile: Buffer | undefined
  /** The declared colour space. `undefined` if it is sRGB, or if a profile decides. */
  readonly colour: ColourSignal | undefined
  readonly ignoresIcc: boolean
  /** 16 bits a channel. */
  readonly isDeep: boolean
  readonly hasAlpha: boolean
  /** Whether colours are premultiplied. libvips does not regard that. */
  readonly isMultiplied: boolean
  /** CMYK that browsers convert without its profile. */
  readonly isCmyk: boolean
  readonly hasProfile: boolean
  /** Whether the decoder may reduce while it decodes. */
  readonly shrinksOnLoad: boolean
}

async function headerOf(reading: Reading, format: MediaFormat): Promise<Header> {
  const { bytes } = reading
  const found = await read(reading).metadata()
  const { autoOrient, space, channels, depth, icc, hasAlpha = false } = found
  const plain = space === 'srgb' && channels === 3 && depth === 'uchar'
  const colour = format === 'png' ? pngColour(bytes) : isIsoMedia(format) ? heifColour(bytes) : 'profile'
  const profile = plain && colour === 'profile' ? icc : undefined
  return {
    ...autoOrient,
    profile,
    colour: typeof colour === 'string' ? undefined : colour,
    ignoresIcc: colour !== 'profile' || profile !== undefined,
    isDeep: depth === 'ushort',
    hasAlpha,
    isMultiplied: hasAlpha && isIsoMedia(format) && isPremultiplied(bytes),
    isCmyk: space === 'cmyk' && channels === 4 && (icc === undefined || format === 'jpeg'),
    hasProfile: icc !== undefined,
    shrinksOnLoad: format !== 'webp' || !isDecodedWhole(autoOrient),
  }
}

/** Opens the picture at full size. */
function whole(reading: Reading, { ignoresIcc }: Header): Sharp {
  return read(reading, { autoOrient: true, ignoreIcc: ignoresIcc })
}

function opened(reading: Reading, header: Header, sizeFor: FrameLimits['sizeFor']): Sharp {
  const { width, height, shrinksOnLoad } = header
  const picture = whole(reading, header)
  if (width * height <= FULL_RESOLUTION_PIXELS) return picture
  return picture.resize({ ...sizeFor({ width, height }), fit: 'fill', kernel: 'linear', fastShrinkOnLoad: shrinksOnLoad })
}

async function pixelsOf(
  reading: Reading,
  header: Header,
  sizeFor: FrameLimits['sizeFor'],
  background: Background,
): Promise<DecodedPicture> {
  const { data, info } = await opened(reading, header, sizeFor)
    .flatten({ background })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return pictureOf(data, info, header)
}

/** Decodes once for all backgrounds and converts the colour space. Reduces before it flattens; the other order differs by up to a level. */
async function fromRgba(
  reading: Reading,
  header: Header,
  sizeFor: FrameLimits['sizeFor'],
  backgrounds: readonly Background[],
): Promise<DecodedPicture[]> {
  const { colour } = header
  const isDeep = header.isDeep && colour !== undefined
  const { data, info } = await opened(reading, header, sizeFor)
    .ensureAlpha()
    .toColourspace(isDeep ? 'rgb16' : 'srgb')
    .raw({ depth: isDeep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const codes = isDeep ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data
  if (header.isMultiplied) divideByAlpha(codes, isDeep ? 0xffff : 0xff)
  // Browsers drop the lower 8 of 16 bits before they apply a gamma, which leaves few levels near black. Other viewers do not. So both are hashed.
  const coarse = isDeep && colour.range === 'sdr' ? [Uint8Array.from(codes, (code) => code >> 8)] : []
  const shownAs = colour === undefined ? [data] : [...coarse, codes].map((each) => toSrgb(each, colour))
  const flat = shownAs.flatMap((rgba) => backgrounds.map((background) => flattened(rgba, LEVEL_OF[background])))
  for (const used of [data, ...coarse, ...shownAs]) used.fill(0)
  return withoutEqualSecond(flat.map((rgb) => pictureOf(rgb, { ...info, channels: 3 }, header)))
}

/**
 * Flattens before it reduces, as browsers do. They round, except for WebP, where their decoder cuts fractions off. libvips always cuts off, so it
 * does not flatten here. Memory: 12 bytes a pixel.
 */
async function fromWhole(
  reading: Reading,
  header: Header,
  sizeFor: FrameLimits['sizeFor'],
  backgrounds: readonly Background[],
  format: MediaFormat,
): Promise<DecodedPicture[]> {
  const { data, info } = await whole(reading, header)
    .ensureAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  try {
    const pictures: DecodedPicture[] = []
    for (const background of backgrounds) {
      const rgb = flattened(data, LEVEL_OF[background], { isRounded: format !== 'webp', isMultiplied: header.isMultiplied })
      pictures.push(await reducedRgb(rgb, info, sizeFor))
    }
    return withoutEqualSecond(pictures)
  } finally {
    data.fill(0)
  }
}

/** @returns the picture without its profile, as browsers and other hashers read it; then with the profile, as printers and some viewers show it. */
async function fromCmyk(reading: Reading, header: Header, limits: FrameLimits): Promise<DecodedPicture[]> {
  const isWhole = isDecodedWhole(header)
  const { data, info } = await (isWhole ? whole(reading, header) : opened(reading, header, limits.sizeFor))
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const rgb = rgbOfCmyk(data)
  data.fill(0)
  const plain = isWhole ? await reducedRgb(rgb, info, limits.sizeFor) : pictureOf(rgb, { ...info, channels: 3 }, header)
  if (!header.hasProfile || limits.maxFrames === 1) return [plain]
  return withoutEqualSecond([plain, await pixelsOf(reading, header, limits.sizeFor, BACKGROUNDS[0])])
}

function pictureOf(data: Buffer, { width, height, channels }: OutputInfo, header: Header): DecodedPicture {
  if (channels !== 3) throw new Error('sRGB has three channels')
  return { data, width, height, channels, aspect: header.width / header.height }
}

/**
 * The oldest accepted version of each parser of untrusted files. Older ones have a known vulnerability or were not tested. A component that reports
 * no version counts as too old.
 */
const floors = [
  { part: 'sharp', floor: '0.35.0', because: 'the oldest release whose blocking of loaders was tested here' },
  { part: 'vips', floor: '8.18.0', because: 'the oldest series whose loaders were tested here' },
  { part: 'webp', floor: '1.3.2', because: 'CVE-2023-4863, heap overflow in lossless WebP, used in the wild' },
  {
    part: 'heif',
    floor: '1.22.1',
    because: 'CVE-2026-32738 and CVE-2026-32882, reads past the end in sequences and overlays',
  },
  { part: 'aom', floor: '3.9.1', because: 'CVE-2024-5171, integer overflow when AV1 frames are allocated' },
  {
    part: 'png',
    floor: '1.6.56',
    because: 'CVE-2026-33416 and CVE-2026-33636; before 1.6.51 also the heap overflow CVE-2025-65018',
  },
  { part: 'tiff', floor: '4.7.1', because: 'CVE-2025-9900, write to an address that the file chooses' },
  { part: 'exif', floor: '0.6.22', because: 'CVE-2020-13112, reads past the end in maker notes' },
] as const

/**
 * Refuses decoders with known vulnerabilities. Called at startup, before any picture is read.
 * @param versions as `sharp.versions` reports them.
 * @throws {Error} for the operator: names each part, its version and the version it needs.
 */
export function checkDecoderFloors(versions: Readonly<Record<string, string | undefined>> = { ...sharp.versions }): void {
  const old = floors.filter(({ part, floor }) => isOlder(versions[part] ?? '0', floor))
  if (old.length === 0) return
  const lines = old.map(({ part, floor, because }) => `${part} ${versions[part] ?? '(unknown)'}, needs ${floor}: ${because}`)
  throw new Error(`image decoders are too old:\n${lines.join('\n')}`)
}

/** Whether one version comes before another. */
export function isOlder(version: string, floor: string): boolean {
  return version.localeCompare(floor, 'en', { numeric: true }) < 0
}
