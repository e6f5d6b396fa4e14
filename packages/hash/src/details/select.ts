// Selects the details of a registered picture that survive typical edits.

import type { DetailsKernel } from '../details-kernel.js'
import { distance } from '../hash256.js'
import type { Pixels } from '../pixels.js'
import { wholeOf } from '../raster.js'
import { editsOf } from './edits.js'
import { type Feature, type FeatureView, featuresOf } from './features.js'

/** Three times as many as are indexed, because some are dropped later: those that other pictures share. */
export const MAX_RANKED = 48

// Maximum distances at which a detail counts as found in an edited picture, and as half found.
const FOUND_AGAIN_BITS = 24
const NEARLY_FOUND_BITS = 40
/** Maximum deviation from the expected position, relative to the longer side. */
const PLACE_TOLERANCE = 0.0125
const CELLS = 4

/**
 * Chooses up to 48 features, spread over the picture: from each of 4 × 4 cells the one that survives most edits, then the next of each. Features
 * that survive no edit are not chosen.
 *
 * @param luma the picture that `view` was computed from, in one channel and about that size.
 * Cost: six times that of detecting features.
 */
export function selected(kernel: Pick<DetailsKernel, 'usePyramid'>, luma: Pixels, view: FeatureView): Feature[] {
  const stability = stabilityOf(kernel, luma, view)
  const ranked = view.features
    .flatMap((feature, i) => {
      const stable = stability[i] ?? 0
      return stable > 0 ? [{ feature, stable }] : []
    })
    .sort((a, b) => b.stable - a.stable)
  const cells: Feature[][] = Array.from({ length: CELLS * CELLS }, () => [])
  for (const { feature } of ranked) cells[cellOf(feature, view)]?.push(feature)
  const chosen: Feature[] = []
  for (let rank = 0; chosen.length < MAX_RANKED && cells.some((cell) => cell.length > rank); rank++) {
    for (const cell of cells) {
      const feature = cell[rank]
      if (feature !== undefined && chosen.length < MAX_RANKED) chosen.push(feature)
    }
  }
  return chosen
}

/** @returns for each feature, the number of edits that it survives. An edit counts half if the descriptor is only within `NEARLY_FOUND_BITS`. */
function stabilityOf(kernel: Pick<DetailsKernel, 'usePyramid'>, luma: Pixels, view: FeatureView): number[] {
  const sums = view.features.map(() => 0)
  for (const { pixels, mapPoint } of editsOf(luma)) {
    const options = {
      sidePx: Math.max(view.width, view.height),
      count: view.features.length,
      mirrors: false,
      aspect: pixels.width / pixels.height,
    }
    const found = kernel.usePyramid(pixels, options.sidePx, (pyramid) => featuresOf(pyramid, wholeOf(pixels), options))
    const reach = PLACE_TOLERANCE * Math.max(found.width, found.height)
    for (const [i, { x, y, hash }] of view.features.entries()) {
      const [across, down] = mapPoint(x / view.width, y / view.height)
      const near = found.features.filter(
        (other) => Math.hypot(other.x - across * found.width, other.y - down * found.height) <= reach,
      )
      const bits = Math.min(...near.map((other) => distance(hash, other.hash)))
      sums[i] = (sums[i] ?? 0) + (bits <= FOUND_AGAIN_BITS ? 1 : bits <= NEARLY_FOUND_BITS ? 0.5 : 0)
    }
  }
  return sums
}

function cellOf({ x, y }: Feature, { width, height }: FeatureView): number {
  const column = Math.min(CELLS - 1, Math.floor((x * CELLS) / width))
  return Math.min(CELLS - 1, Math.floor((y * CELLS) / height)) * CELLS + column
}
