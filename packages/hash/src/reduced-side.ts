// Chooses the size to which a picture can be reduced without changing its PDQ hash much. Workers and browsers both use it.

import { samplePosition, windowOf } from './pdq.js'
import type { Pixels } from './pixels.js'

/** Pictures up to this size are not reduced. Without EXIF rotation, alpha and colour profile, their PDQ equals that of other implementations. */
export const FULL_RESOLUTION_PIXELS = 1_500_000

/** @returns the size at which a picture is hashed: its own up to `FULL_RESOLUTION_PIXELS`; beyond that, each side is reduced independently. */
export function hashedSize({ width, height }: Size): Size {
  return width * height > FULL_RESOLUTION_PIXELS
    ? { width: reducedSide(width), height: reducedSide(height) }
    : { width, height }
}

type Size = Pick<Pixels, 'width' | 'height'>

const SAMPLES = 64
const MIN_PX = 450
const MAX_PX = 650

/**
 * @returns the length, 450 to 650 pixels, whose 64 samples and blur are closest to those of the full side.
 *
 * PDQ blurs with a window of whole pixels, even windows are off centre by half a pixel in each pass, and samples are at whole pixels. At 4,000
 * pixels this does not matter. At 600 pixels it does: a badly chosen size moves every sample by a twentieth of their spacing, which changes 4
 * to 8 bits. Of 200 lengths, one always fits far better.
 *
 * @param lengthPx the full side. Up to 650 pixels it is returned unchanged.
 *
 * Cost: 13,000 steps, a tenth of a millisecond.
 */
export function reducedSide(lengthPx: number): number {
  if (lengthPx <= MAX_PX) return lengthPx
  let best = MAX_PX
  let least = Number.POSITIVE_INFINITY
  for (let candidate = MIN_PX; candidate <= MAX_PX; candidate++) {
    const error = mismatch(lengthPx, candidate)
    if (error < least) {
      least = error
      best = candidate
    }
  }
  return best
}

/** The variance that reducing with a triangle filter adds, in pixels of the reduced side. */
const SHRINKING_BLUR = 1 / 6

/** The mean squared displacement of samples plus the squared difference in blur, both relative to the side. */
function mismatch(fullPx: number, shrunkPx: number): number {
  let squares = 0
  for (let i = 0; i < SAMPLES; i++) squares += (centre(i, fullPx) - centre(i, shrunkPx)) ** 2
  return squares / SAMPLES + (deviation(fullPx, 0) - deviation(shrunkPx, SHRINKING_BLUR)) ** 2
}

function centre(index: number, lengthPx: number): number {
  const offCentre = windowOf(lengthPx) % 2 === 0 ? 1 : 0
  return (samplePosition(index, lengthPx) + 0.5 + offCentre) / lengthPx
}

/** Standard deviation of the blur of two successive moving averages, relative to the side. */
function deviation(lengthPx: number, addedVariance: number): number {
  return Math.sqrt((windowOf(lengthPx) ** 2 - 1) / 6 + addedVariance) / lengthPx
}
