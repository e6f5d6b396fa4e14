// The size at which details are computed. Workers and browsers use the same one, because details depend on it.

import type { Pixels } from '../pixels.js'
import { FULL_RESOLUTION_PIXELS } from '../reduced-side.js'

type Size = Pick<Pixels, 'width' | 'height'>

const DETAILED_SIDE_PX = 1400

/**
 * @returns the picture's own size up to 1.5 megapixels; beyond that, the same proportions with a longer side of 1,400 pixels, at which a small
 *   picture on a large page still has enough details to be found.
 */
export function detailedSize({ width, height }: Size): Size {
  if (width * height <= FULL_RESOLUTION_PIXELS) return { width, height }
  const factor = Math.min(1, DETAILED_SIDE_PX / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) }
}
