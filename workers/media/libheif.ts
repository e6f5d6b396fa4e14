// The decoder of HEIC: libheif with libde265, in WebAssembly. The package is optional, because HEVC is encumbered by patents.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import sharp, { type OutputInfo, type Sharp } from 'sharp'
import { MAX_PIXELS, MAX_SIDE_PX } from '../../packages/hash/src/pixels.js'
import { FULL_RESOLUTION_PIXELS } from '../../packages/hash/src/reduced-side.js'
import { MAX_WHOLE_PIXELS } from '../../src/domain/media/decoding-limits.js'
import { apertureOf, type PicturePart } from '../../src/domain/media/heif/heif-aperture.js'
import { TooManyBoxes } from '../../src/domain/media/heif/heif-boxes.js'
import { createHeifReader, type HeifPicture, type HeifReader } from '../../src/domain/media/heif/heif-picture.js'
import { heifPixels } from '../../src/domain/media/heif/heif-pixels.js'
import { hevcFrames } from '../../src/domain/media/heif/hevc-items.js'
import { patched } from '../../src/domain/media/heif/item-data.js'
import type { LibHeifFactory } from '../../src/domain/media/heif/libheif-instance.js'
import { Problem } from '../../src/domain/problem.js'
import { BACKGROUNDS, type Background, flattened, LEVEL_OF } from './colour/alpha.js'
import { type ColourSignal, signalOf } from './colour/colour-signal.js'
import { toSrgb } from './colour/to-srgb.js'
import { inSrgb } from './colour-profile.js'
import type { DecodedPicture } from './decoded-picture.js'
import type { Decoder, FrameLimits } from './decoder.js'
import { wholeOf } from './heif-properties.js'
import { isOlder } from './libvips.js'
import { ranOutOfMemory } from './out-of-memory.js'
import { reducedRgb } from './reduced-rgb.js'
import { framesOf, withoutEqualSecond } from './shown-frames.js'

/**
 * Yields the primary image as viewers show it, in sRGB, with transparency on white; then the same on black if that differs. An image with a clean
 * aperture is first shown whole, then cropped to the aperture. EXIF orientation is ignored, because `irot` and `imir` are applied.
 *
 * The pixels stay in WebAssembly's memory until they are reduced, so there is no second copy at full size.
 */
export const libheif: Decoder = {
  async *open(bytes, _format, limits) {
    const first = asShownFirst(bytes)
    const whole = wholeOf(first)
    try {
      yield* framesOf(await shown(whole ?? first, limits))
      // Cropped here, because libheif 1.23 refuses an aperture that leaves out more than a few rows.
      const part = whole === undefined ? undefined : apertureOf(first)
      if (whole !== undefined && part !== undefined) yield* framesOf(await shown(whole, limits, part).catch(noneIfOther))
    } finally {
      whole?.fill(0)
      if (first !== bytes) first.fill(0)
    }
  },
}

/** @returns the file without further frames in the data of the picture: libheif may decode all of them before it returns the first. */
function asShownFirst(file: Buffer): Buffer {
  try {
    const { patches } = hevcFrames(file)
    return patches.length === 0 ? file : patched(file, patches)
  } catch (error) {
    if (error instanceof RangeError) return file // the boxes are damaged; the decoder decides
    throw error
  }
}

/** For a picture that decodes to another size than it declares, as the aperture is a part of that. */
function noneIfOther(error: unknown): DecodedPicture[] {
  if (error instanceof Problem && error.code === 'image-undecodable') return []
  throw error
}

async function shown(
  bytes: Buffer,
  { sizeFor, purpose, maxFrames = 2 }: FrameLimits,
  part?: PicturePart,
): Promise<DecodedPicture[]> {
  const opened = reader ?? (await loadReader())
  reader = opened
  const limits = {
    maxPixels: MAX_PIXELS,
    maxSidePx: MAX_SIDE_PX,
    maxMemoryBytes: maxMemoryBytesFor(bytes),
    allowsMissingTiles: purpose === 'query',
    part,
  }
  const backgrounds = BACKGROUNDS.slice(0, maxFrames)
  return await opened.read(bytes, limits, (picture) => picturesOf(picture, sizeFor, backgrounds).catch(failed))
}

/** Memory of libheif without a picture, including the coding units of a small one. */
const BASE_BYTES = 48 << 20
/** For a picture with 10 bits, 4:4:4, alpha and rotation, 23 bytes were measured; for 8 bits in 4:2:0, 3 to 7. */
const BYTES_PER_PIXEL = 26

/** @returns the most that a picture of the declared size can need. The decoder is stopped there if the data decodes to a larger picture. */
function maxMemoryBytesFor(bytes: Buffer): number {
  return BASE_BYTES + 2 * bytes.length + BYTES_PER_PIXEL * Math.min(MAX_PIXELS, declaredPixels(bytes))
}

function declaredPixels(bytes: Buffer): number {
  try {
    return heifPixels(bytes)?.largest ?? 0
  } catch (error) {
    if (error instanceof RangeError || error instanceof TooManyBoxes) return 0 // the file ends within its header
    throw error
  }
}

let reader: HeifReader | undefined

/** Called with the first picture; one reader serves all pictures of a process. */
async function loadReader(): Promise<HeifReader> {
  const { default: factory }: { readonly default: LibHeifFactory } = await import(`${PACKAGE}/libheif-wasm/libheif.js`)
  return createHeifReader(factory, new WebAssembly.Module(readFileSync(pathOf('libheif-wasm/libheif.wasm'))))
}

/** Not a literal in the import, so that Tabir compiles without the package. */
const PACKAGE: string = 'libheif-js'

function pathOf(file: string): string {
  return fileURLToPath(import.meta.resolve(`${PACKAGE}/${file}`))
}

function failed(error: unknown): never {
  throw new Problem(ranOutOfMemory(error) ? 'hashing-unavailable' : 'image-undecodable')
}

/** @returns the picture on each background; only one of them if both are equal. */
async function picturesOf(
  picture: HeifPicture,
  sizeFor: FrameLimits['sizeFor'],
  backgrounds: readonly Background[],
): Promise<DecodedPicture[]> {
  const own = picture.channels === 4 ? backgrounds : backgrounds.slice(0, 1)
  const { profile, colours } = picture
  const colour =
    profile !== undefined || colours === undefined ? 'srgb' : signalOf(colours.primaries, colours.transfer, 'heif')
  if (colour !== 'srgb') return await converted(picture, sizeFor, own, colour)
  const pictures: DecodedPicture[] = []
  try {
    for (const background of own) pictures.push(await pixelsOf(picture, sizeFor, background))
    return withoutEqualSecond(pictures)
  } catch (error) {
    for (const { data } of pictures) data.fill(0)
    throw error
  }
}

function reduced({ data, width, height, channels }: HeifPicture, sizeFor: FrameLimits['sizeFor']): Sharp {
  const raw = sharp(data, { raw: { width, height, channels }, limitInputPixels: MAX_PIXELS })
  if (width * height <= FULL_RESOLUTION_PIXELS) return raw
  return raw.resize({ ...sizeFor({ width, height }), fit: 'fill', kernel: 'linear' })
}

async function pixelsOf(
  picture: HeifPicture,
  sizeFor: FrameLimits['sizeFor'],
  background: Background,
): Promise<DecodedPicture> {
  const shown = await flatPixelsOf(picture, sizeFor, background)
  return picture.profile === undefined ? shown : inSrgb(shown, Buffer.from(picture.profile))
}

/** Puts the picture on a background before reducing, and rounds, as browsers do. Beyond `MAX_WHOLE_PIXELS` it reduces first. */
async function flatPixelsOf(
  picture: HeifPicture,
  sizeFor: FrameLimits['sizeFor'],
  background: Background,
): Promise<DecodedPicture> {
  const { data: rgba, width, height, channels } = picture
  if (channels === 4 && width * height <= MAX_WHOLE_PIXELS)
    return reducedRgb(flattened(rgba, LEVEL_OF[background]), picture, sizeFor)
  const { data, info } = await reduced(picture, sizeFor).flatten({ background }).raw().toBuffer({ resolveWithObject: true })
  return { data, ...sizeOf(info), channels: 3, aspect: width / height }
}

/** Converts a picture whose code points declare its colour space. */
async function converted(
  picture: HeifPicture,
  sizeFor: FrameLimits['sizeFor'],
  backgrounds: readonly Background[],
  colour: ColourSignal,
): Promise<DecodedPicture[]> {
  const { data, info } = await reduced(picture, sizeFor).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  const rgba = toSrgb(data, colour)
  const flat = backgrounds.map((background) => flattened(rgba, LEVEL_OF[background]))
  for (const used of [data, rgba]) used.fill(0)
  return withoutEqualSecond(
    flat.map((rgb) => ({ data: rgb, ...sizeOf(info), channels: 3, aspect: picture.width / picture.height })),
  )
}

const sizeOf = ({ width, height }: OutputInfo) => ({ width, height })

/** The oldest accepted version of libheif-js. Older ones were not tested. */
const FLOOR = '1.23.2'

/**
 * Called at startup if HEIC is read.
 * @param installed returns the version of the package; `undefined` if it is missing.
 * @throws {Error} for the operator, when the package is missing or too old.
 */
export function checkHeifDecoder(installed: () => string | undefined = installedVersion): void {
  const version = installed()
  const advice = 'install it with the other optional packages, or set TABIR_HEIC=off'
  if (version === undefined) throw new Error(`libheif-js, which decodes HEIC, is not installed: ${advice}`)
  if (isOlder(version, FLOOR)) throw new Error(`libheif-js ${version} is too old, needs ${FLOOR}: ${advice}`)
}

function installedVersion(): string | undefined {
  try {
    const { version }: { readonly version: string } = JSON.parse(readFileSync(pathOf('package.json'), 'utf8'))
    return version
  } catch {
    return undefined
  }
}
