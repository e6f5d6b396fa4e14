// To how many pixels a picture may be shrunk so that its PDQ hash stays what it was. The same in workers and browsers: one dialect.

import { samplePosition, windowOf } from './pdq.js'
import type { Pixels } from './pixels.js'

/** Up to here every pixel is decoded; without EXIF turn, alpha or effective profile, PDQ is then what others compute. */
export const FULL_RESOLUTION_PIXELS = 1_500_000

/** The size at which a picture is hashed: its own up to `FULL_RESOLUTION_PIXELS`, beyond that each side by itself. */
export function hashedSize({ width, height }: Size): Size {
  return width * height > FULL_RESOLUTION_PIXELS
    ? { width: reducedSide(width), height: reducedSide(height) }
    : { width, height }
}

type Size = Pick<Pixels, 'width' | 'height'>

const SAMPLES = 64
const SMALLEST_PX = 450
const LARGEST_PX = 650

/**
 * The length whose 64 samples fall most nearly where those of the full side fall, under the most similar blur.
 *
 * PDQ blurs with a window of whole pixels, even windows are off centre by half a pixel a pass, and its samples sit at whole
 * pixels. On 4000 pixels none of that matters, on 600 all of it does: a careless size moves every sample by a twentieth of
 * their spacing and costs 4 to 8 bits. Among 200 lengths one always fits far better.
 *
 * @param lengthPx the full side; a short one comes back as it is, for nothing is ever enlarged.
 *
 * Cost: 13,000 steps, a tenth of a millisecond.
 */
export function reducedSide(lengthPx: number): number {
  if (lengthPx <= LARGEST_PX) return lengthPx
  let best = LARGEST_PX
  let least = Number.POSITIVE_INFINITY
  for (let candidate = SMALLEST_PX; candidate <= LARGEST_PX; candidate++) {
    const error = mismatch(lengthPx, candidate)
    if (error < least) {
      least = error
      best = candidate
    }
  }
  return best
}

/** The variance, in pixels of the shrunk side, that shrinking with a triangle filter adds. */
const SHRINKING_BLUR = 1 / 6

/** The mean square of what the samples are displaced by, and of what their blur differs by, as parts of the side. */
function mismatch(fullPx: number, shrunkPx: number): number {
  let squares = 0
  for (let i = 0; i < SAMPLES; i++) squares += (centre(i, fullPx) - centre(i, shrunkPx)) ** 2
  return squares / SAMPLES + (deviation(fullPx, 0) - deviation(shrunkPx, SHRINKING_BLUR)) ** 2
}

function centre(index: number, lengthPx: number): number {
  const offCentre = windowOf(lengthPx) % 2 === 0 ? 1 : 0
  return (samplePosition(index, lengthPx) + 0.5 + offCentre) / lengthPx
}

/** Of two moving averages, one after the other. */
function deviation(lengthPx: number, addedVariance: number): number {
  return Math.sqrt((windowOf(lengthPx) ** 2 - 1) / 6 + addedVariance) / lengthPx
}
