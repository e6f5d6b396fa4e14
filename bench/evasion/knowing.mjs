// An attacker who knows the code, and so the hashes of the picture and the parts that a query hashes. It changes the luma where that flips the bits that
// are nearest to the median, in all parts at once, and rides along the edge at which the service loses the copy.

import { matchBits } from '../../dist/packages/core/src/matching/evidence.js'
import { SAMPLES_A_SIDE, sampleArea } from '../../dist/packages/hash/src/area-table.js'
import { loadFrameKernelSync } from '../../dist/packages/hash/src/frame-kernel.js'
import { wholeOf } from '../../dist/packages/hash/src/raster.js'
import { within } from '../../dist/packages/hash/src/rectangle.js'
import { gridOf, sampleTilted } from '../../dist/packages/hash/src/tilt.js'
import { smallViewsOf, viewsOf } from '../../dist/packages/hash/src/views.js'
import { addBack, bitOf, coefficientsOf, GRID, medianOf, samplingOf, transformed } from './linear.mjs'
import { changed, psnrOf } from './visible.mjs'

const frames = loadFrameKernelSync()

const LOOK_EVERY = 8 // steps between two looks at the real copy
const FIRST_STEP = 0.3 // levels, root mean square
const LAST_STEP = 0.04
/** How near to the median a bit must be to be pushed, relative to the median distance of all bits. */
const NEARNESS = 0.08
/** Views that are this much farther than a match are watched, too. */
const WATCHED_BITS = 10

/**
 * @param rows the registered ones of the picture.
 * @param isLost whether the service does not find a copy.
 * @param crops further parts that a query may hash, in shares of the sides.
 * @returns the least visible lost copy, if there is one.
 */
export async function bentByCode(pixels, rows, isLost, { steps, crops = [] }) {
  const samplings = new Map()
  const grid = new Float64Array(GRID * GRID)
  let [best, slack, views, from] = [undefined, 1, [], grid]
  const look = async () => {
    const copy = changed(pixels, grid)
    if (await isLost(copy)) {
      const psnr = psnrOf(pixels, copy)
      if (psnr > (best?.psnr ?? 0)) best = { copy, psnr }
      slack = Math.max(-8, slack - 0.5)
    } else if (views.length > 0 && !isAnyNear(views, grid, from, slack)) slack = Math.min(8, slack + 1)
    views = lookedAt(copy, rows, samplings, crops)
    from = Float64Array.from(grid)
  }
  for (let step = 0; step < steps; step++) {
    if (step % LOOK_EVERY === 0) await look()
    const slopes = slopesOf(views, grid, from, slack)
    const size = Math.sqrt(slopes.reduce((sum, slope) => sum + slope * slope, 0) / slopes.length)
    const length = size === 0 ? 0 : FIRST_STEP * (LAST_STEP / FIRST_STEP) ** (step / steps)
    const keep = size === 0 ? 0.985 : 0.998
    for (let k = 0; k < grid.length; k++) grid[k] = keep * grid[k] + (size === 0 ? 0 : (length / size) * slopes[k])
  }
  await look()
  return best
}

/** The parts that a query of this copy hashes, their coefficients, and the registered rows that they must not be near to. */
function lookedAt(copy, rows, samplings, crops) {
  return frames.measure(copy, (raster) => {
    const all = viewsOf(raster, copy.aspect, 'query')
    const grid = gridOf(raster.areas)
    const whole = wholeOf(raster)
    const more = crops.map((share) => ({ kind: 'whole', part: within(whole, share) }))
    return [...all, ...smallViewsOf(raster, copy.aspect, all), ...more].flatMap(({ kind, part, isBackground }) => {
      if (isBackground !== undefined) return []
      const samples = new Float32Array(SAMPLES_A_SIDE * SAMPLES_A_SIDE)
      if ('angleDeg' in part) sampleTilted(grid, copy.aspect, part, samples)
      else sampleArea(raster.areas, part, samples)
      const base = transformed(samples)
      const near = rows.flatMap(({ view, hashes: [hash] }) => {
        const bits = matchBits('pdq-area', { asked: kind, registered: view, rotated: false })
        const signs = Int8Array.from(base, (_, k) => (bitOf(hash, k) === 1 ? 1 : -1))
        return distanceOf(base, medianOf(base), signs) <= bits + WATCHED_BITS ? [{ signs, bits }] : []
      })
      if (near.length === 0) return []
      const share = 'angleDeg' in part ? part : sharesOf(part, raster)
      const key = JSON.stringify(share)
      const sampling = samplings.get(key) ?? samplingOf(share, copy.aspect)
      samplings.set(key, sampling)
      return [{ base, near, sampling }]
    })
  })
}

function sharesOf({ left, top, right, bottom }, { width, height }) {
  return { left: left / width, top: top / height, right: right / width, bottom: bottom / height }
}

function distanceOf(coefficients, median, signs) {
  let bits = 0
  for (let k = 0; k < signs.length; k++) if (signs[k] * (coefficients[k] - median) <= 0) bits++
  return bits
}

function* current(views, grid, from) {
  const moved = grid.map((value, k) => value - from[k])
  for (const { base, near, sampling } of views) {
    const coefficients = coefficientsOf(sampling, moved).map((value, k) => value + base[k])
    yield { coefficients, median: medianOf(coefficients), near, sampling }
  }
}

function isAnyNear(views, grid, from, slack) {
  for (const { coefficients, median, near } of current(views, grid, from))
    if (near.some(({ signs, bits }) => distanceOf(coefficients, median, signs) <= bits + slack)) return true
  return false
}

/** Where the luma has to grow to make the views that are too near differ in more bits. */
function slopesOf(views, grid, from, slack) {
  const into = new Float64Array(grid.length)
  for (const { coefficients, median, near, sampling } of current(views, grid, from)) {
    const width = NEARNESS * medianOf(coefficients.map((value) => Math.abs(value - median)))
    const slopes = new Float64Array(coefficients.length)
    for (const { signs, bits } of near) {
      const lacking = bits + slack + 1 - distanceOf(coefficients, median, signs)
      if (lacking <= 0) continue
      const weight = Math.min(1, lacking / 12) / width
      for (let k = 0; k < slopes.length; k++) {
        const share = 1 / (1 + Math.exp((signs[k] * (coefficients[k] - median)) / width))
        slopes[k] -= signs[k] * weight * share * (1 - share)
      }
    }
    if (slopes.some((slope) => slope !== 0)) addBack(sampling, slopes, into)
  }
  return into
}
