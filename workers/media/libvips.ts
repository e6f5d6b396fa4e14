// The decoder of still pictures: libvips, through sharp.

import sharp from 'sharp'
import { MAX_SIDE_PX } from '../../packages/hash/src/pixels.js'
import { FULL_RESOLUTION_PIXELS } from '../../packages/hash/src/reduced-side.js'
import { type FormatOf, MEDIA_FORMATS } from '../../src/domain/media/media-formats.js'
import { Problem } from '../../src/domain/problem.js'
import { inSrgb } from './colour-profile.js'
import type { DecodedPicture } from './decoded-picture.js'
import type { Decoder, FrameLimits } from './decoder.js'
import { ranOutOfMemory } from './out-of-memory.js'

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
 * Gives only the first frame: rotated as its EXIF says, in sRGB, transparency on white.
 *
 * A JPEG or WebP that is reduced is never decoded at full size, whatever its orientation and profile. How much a file may cost was checked before, so
 * libvips has no limit on pixels of its own.
 *
 * Damage is judged as browsers judge it. What browsers draw with a warning is hashed, because refusing it would be a way to evade matching. A file
 * that ends too early is refused, because its missing part would be hashed as grey.
 */
export const libvips: Decoder = {
  async *open(bytes, format, { sizeFor }) {
    const broken = MEDIA_FORMATS[format].isOffered ? 'image-undecodable' : 'media-unsupported'
    const failed = (error: unknown): never => {
      throw new Problem(ranOutOfMemory(error) ? 'hashing-unavailable' : broken)
    }

    const header = await headerOf(bytes).catch(failed)
    const { width, height, profile } = header
    if (Math.max(width, height) > MAX_SIDE_PX) throw new Problem('image-too-many-pixels')
    const pixels = await pixelsOf(bytes, header, sizeFor)
      .then((picture) => (profile === undefined ? picture : inSrgb(picture, profile)))
      .catch(failed)
    yield { pixels }
  },
}

interface Header {
  readonly width: number
  readonly height: number
  /** The profile of a picture in red, green and blue. Profiles of other colour spaces are applied while decoding. */
  readonly profile: Buffer | undefined
}

/** The limit on sides is checked here and not by sharp, so that it can be told from damage. */
async function headerOf(bytes: Buffer): Promise<Header> {
  const found = await sharp(bytes, { failOn: 'error', limitInputPixels: false }).metadata()
  const { autoOrient, space, channels, depth, icc } = found
  const plain = space === 'srgb' && channels === 3 && depth === 'uchar'
  return { ...autoOrient, profile: plain ? icc : undefined }
}

async function pixelsOf(
  bytes: Buffer,
  { width, height, profile }: Header,
  sizeFor: FrameLimits['sizeFor'],
): Promise<DecodedPicture> {
  const limits = { failOn: 'error', limitInputPixels: false, pages: 1 } as const
  const picture = sharp(bytes, { ...limits, autoOrient: true, ignoreIcc: profile !== undefined })
  if (width * height > FULL_RESOLUTION_PIXELS) {
    picture.resize({ ...sizeFor({ width, height }), fit: 'fill', kernel: 'linear' })
  }
  const { data, info } = await picture
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  if (info.channels !== 3) throw new Error('sRGB has three channels')
  return { data, width: info.width, height: info.height, channels: info.channels, aspect: width / height }
}

/**
 * The oldest accepted version of each parser of strangers' bytes. Older ones have a known hole or were not tested here. A component that reports no
 * version counts as too old.
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
 * Refuses decoders with known holes. Called at startup, before any picture is read.
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
