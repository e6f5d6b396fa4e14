// A defence that is not built: a query is also hashed after a crop that follows from a key of the service and from the file, so that an attacker who has
// tried a copy elsewhere does not know what is compared.

import { createHash, createHmac } from 'node:crypto'
import { SAMPLES_A_SIDE, sampleArea } from '../../dist/packages/hash/src/area-table.js'
import { loadFrameKernelSync } from '../../dist/packages/hash/src/frame-kernel.js'
import { loadImageHasherSync } from '../../dist/packages/hash/src/image-hasher.js'
import { loadPdqKernelSync } from '../../dist/packages/hash/src/pdq-kernel.js'
import { MAX_SEPARABLE_BITS, separableBits } from '../../dist/packages/hash/src/separable.js'
import { orientationsOf } from '../../dist/packages/hash/src/transforms.js'
import { cropped } from './visible.mjs'

const frames = loadFrameKernelSync()
const kernel = loadPdqKernelSync()
const hasher = loadImageHasherSync()

/** Share of a side that is cut off at most. */
const WIDEST = 0.04
// As `isDistinctive` requires of a whole picture in a query.
const MIN_QUALITY = 25
const MIN_MEDIAN_COEFFICIENT = 5

/** Shares that are cut off at the left, top, right and bottom. */
export function cutsOf(key, file) {
  const digest = createHmac('sha256', key).update(createHash('sha256').update(file).digest()).digest()
  return [0, 2, 4, 6].map((at) => (WIDEST * digest.readUInt16BE(at)) / 0xffff)
}

/** @returns the signals of one more view: the crop. None if it is too plain. */
export function keyedView(pixels, key, file) {
  const [left, top, right, bottom] = cutsOf(key, file)
  const samples = new Float32Array(SAMPLES_A_SIDE * SAMPLES_A_SIDE)
  const { hash, quality, medianCoefficient, dihedrals } = frames.measure(pixels, ({ areas, width, height }) => {
    const part = { left: left * width, top: top * height, right: (1 - right) * width, bottom: (1 - bottom) * height }
    sampleArea(areas, part, samples)
    return kernel.hashSamples(samples)
  })
  if (quality < MIN_QUALITY || medianCoefficient < MIN_MEDIAN_COEFFICIENT || separableBits(hash) > MAX_SEPARABLE_BITS)
    return []
  return [{ type: 'pdq-area', view: 'whole', quality, hashes: orientationsOf(2).map((each) => dihedrals[each]) }]
}

/** @returns the signals of the cropped picture in all views of a query. */
export function keyedQuery(pixels, key, file) {
  const copy = cropped(pixels, cutsOf(key, file))
  return hasher.hash(copy, 'query', copy.aspect).signals
}
