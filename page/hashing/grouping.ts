// At which size the service's decoder gives a picture that it is asked to reduce. It depends on the format.
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { MAX_WHOLE_PIXELS } from '../../src/domain/media/decoding-limits.js'
import type { MediaFormat } from '../../src/domain/media/media-formats.js'

type Size = Pick<Pixels, 'width' | 'height'>

/**
 * How a decoder reduces by itself. A number: each new pixel is the mean of `groupPx` × `groupPx` pixels; pixels left over at the end are dropped.
 * `areas`: each new pixel is the mean of the area that it covers.
 */
export interface Decoded extends Size {
  readonly groupPx: number | 'areas'
}

/**
 * At which size a decoder of libvips gives a picture that sharp reduces. A JPEG: an eighth, a quarter or half of its size, rounded down. A large
 * WebP: its sides divided by the smaller of the two ratios of a side to the target's. `createResampler` does the rest.
 *
 * @param format of the file.
 * @param target the size to which the picture is reduced.
 */
export function decodedSize(format: MediaFormat, { width, height }: Size, target: Size): Decoded {
  const shrinks = SHRINKS[format]
  const least = Math.min(width / target.width, height / target.height)
  if (shrinks === 'to-size' && least > 1 && width * height > MAX_WHOLE_PIXELS)
    return { width: Math.round(width / least), height: Math.round(height / least), groupPx: 'areas' }
  const groupPx = shrinks === 'by-halves' ? jpegDivisor({ width, height }, target) : 1
  return { width: Math.floor(width / groupPx), height: Math.floor(height / groupPx), groupPx }
}

/** What a format's decoder makes smaller by itself: to an eighth, a quarter or half; to the wanted size; or nothing. */
const SHRINKS: Readonly<Record<MediaFormat, 'by-halves' | 'to-size' | 'nothing'>> = {
  jpeg: 'by-halves',
  png: 'nothing',
  webp: 'to-size',
  gif: 'nothing',
  avif: 'nothing',
  tiff: 'nothing',
  heif: 'nothing',
  bmp: 'nothing',
  jxl: 'nothing',
}

/**
 * By how much the decoder of a JPEG divides its sides: the largest of 8, 4, 2 and 1 that leaves them no smaller than the target's. Half of that
 * when a side is then less than (divisor + 1) times the target's, because hardly any reduction would be left.
 */
export function jpegDivisor({ width, height }: Size, target: Size): number {
  const shrink = Math.min(width / target.width, height / target.height)
  const divisor = [8, 4, 2].find((each) => shrink >= each) ?? 1
  return divisor > 1 && Math.floor(shrink) === divisor ? divisor / 2 : divisor
}
