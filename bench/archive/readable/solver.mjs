// Draws the likeliest picture whose hashes have given bits, if pictures have waves as strong as they are long.

import { SAMPLES_A_SIDE } from '../../../dist/packages/hash/src/area-table.js'
import { HASH_BITS } from '../../../dist/packages/hash/src/hash256.js'
import { DCT_ROWS } from '../../../dist/packages/hash/src/pdq.js'
import { addBack, bitOf, coefficientsOf, GRID, medianOf, samplingOf } from '../../evasion/linear.mjs'

const WAVES = 48
const CONTRAST = 50 // levels
/**
 * Within so much of a bit's edge it may be wrong: in usual sizes of the coefficient; for a detail's comparison, in levels. The more rows, the less each
 * bit has to say how large its coefficient is. Chosen on tuning photographs.
 */
const DOUBT = { row: (rows) => 0.8 / rows ** 0.75, detail: 4 }
/** Comparisons of one patch repeat each other. */
const DETAIL_WEIGHT = 0.02

const cosines = Array.from({ length: WAVES }, (_, i) =>
  Float64Array.from(
    { length: GRID },
    (__, x) => (i === 0 ? 1 : Math.SQRT2) * Math.cos((Math.PI * i * (2 * x + 1)) / (2 * GRID)),
  ),
)
const strengths = Float64Array.from({ length: WAVES ** 2 }, (_, k) =>
  k === 0 ? 0 : 1 / Math.hypot(Math.floor(k / WAVES), k % WAVES),
)
const total = Math.sqrt(strengths.reduce((sum, each) => sum + each ** 2, 0))

/** What is known of a row: its bits, and which part of the picture it is of. */
export function knownRow(hash, part, aspect) {
  return { hash, signs: signsOf(hash), sampling: samplingOf(part, aspect), usual: usualSizes(part, aspect) }
}

export function signsOf(hash) {
  return Int8Array.from({ length: HASH_BITS }, (_, k) => (bitOf(hash, k) === 1 ? 1 : -1))
}

/** By coefficient: that of a wave of its length, which is long where the part is large. */
function usualSizes(part, aspect) {
  const [across, down] =
    'angleDeg' in part ? [part.width / aspect, part.height] : [part.right - part.left, part.bottom - part.top]
  const wave = (SAMPLES_A_SIDE * CONTRAST) / total / Math.sqrt(across * down)
  return Float64Array.from({ length: HASH_BITS }, (_, k) => {
    const [i, j] = [Math.floor(k / DCT_ROWS) + 1, (k % DCT_ROWS) + 1]
    return wave / Math.hypot(i / down, j / across)
  })
}

/**
 * Climbs to it (Adam).
 * @param comparisons of details: that the picture is lighter in one cell than in another, or darker if `sign` is negative.
 */
export function solved(rows, comparisons, rounds) {
  const waves = new Float64Array(WAVES ** 2)
  const [first, second] = [new Float64Array(waves.length), new Float64Array(waves.length)]
  const doubt = DOUBT.row(rows.length)
  for (let round = 1; round <= rounds; round++) {
    const grid = gridFrom(waves)
    const slopes = new Float64Array(grid.length)
    for (const { signs, sampling, usual } of rows) {
      const coefficients = coefficientsOf(sampling, grid)
      const median = medianOf(coefficients)
      addBack(
        sampling,
        coefficients.map((value, k) => signs[k] * doubted(signs[k] * (value - median), doubt * usual[k])),
        slopes,
      )
    }
    for (const { sign, darker, lighter } of comparisons) {
      const slope = DETAIL_WEIGHT * doubted(sign * (grid[lighter] - grid[darker]), DOUBT.detail)
      slopes[lighter] += sign * slope
      slopes[darker] -= sign * slope
    }
    const asked = wavesFrom(slopes)
    const pace = 0.15 * (1 - (0.9 * round) / rounds)
    for (let k = 1; k < waves.length; k++) {
      const slope = asked[k] - waves[k]
      first[k] = 0.9 * first[k] + 0.1 * slope
      second[k] = 0.99 * second[k] + 0.01 * slope ** 2
      waves[k] += (pace * first[k]) / (1 - 0.9 ** round) / (Math.sqrt(second[k] / (1 - 0.99 ** round)) + 1e-9)
    }
  }
  return gridFrom(waves)
}

/** The slope of the logarithm of a bit's likelihood. */
function doubted(margin, doubt) {
  return 1 / (1 + Math.exp(margin / doubt)) / doubt
}

function gridFrom(waves) {
  const grid = new Float64Array(GRID * GRID)
  for (let i = 0; i < WAVES; i++) {
    const row = new Float64Array(GRID)
    for (let j = 0; j < WAVES; j++) {
      const weight = ((CONTRAST * strengths[i * WAVES + j]) / total) * waves[i * WAVES + j]
      for (let x = 0; x < GRID; x++) row[x] += weight * cosines[j][x]
    }
    for (let y = 0; y < GRID; y++) for (let x = 0; x < GRID; x++) grid[y * GRID + x] += cosines[i][y] * row[x]
  }
  return grid
}

/** The transpose. */
function wavesFrom(grid) {
  const waves = new Float64Array(WAVES ** 2)
  for (let i = 0; i < WAVES; i++) {
    const row = new Float64Array(GRID)
    for (let y = 0; y < GRID; y++) for (let x = 0; x < GRID; x++) row[x] += cosines[i][y] * grid[y * GRID + x]
    for (let j = 0; j < WAVES; j++) {
      let sum = 0
      for (let x = 0; x < GRID; x++) sum += row[x] * cosines[j][x]
      waves[i * WAVES + j] = ((CONTRAST * strengths[i * WAVES + j]) / total) * sum
    }
  }
  return waves
}
