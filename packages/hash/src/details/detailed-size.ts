// The size at which details are found. The same in workers and browsers.

import type { Pixels } from '../pixels.js'
import { FULL_RESOLUTION_PIXELS } from '../reduced-side.js'

type Size = Pick<Pixels, 'width' | 'height'>

const DETAILED_SIDE_PX = 1400

/** Sides in proportion, and room for a small picture on a large page: its own up to 1.5 megapixels, beyond that 1,400 pixels. */
export function detailedSize({ width, height }: Size): Size {
  if (width * height <= FULL_RESOLUTION_PIXELS) return { width, height }
  const factor = Math.min(1, DETAILED_SIDE_PX / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) }
}
