// An attacker who only learns whether a copy is found: bisects the strength of many kinds of changes, then improves the best one along the edge at which
// the service loses the copy (after Chen, Jordan and Wainwright, "HopSkipJumpAttack", 2020, with smooth waves instead of pixels).

import { randomOf } from '../variants/random.mjs'
import { GRID } from './linear.mjs'
import { changed, cropped, psnrOf, warped } from './visible.mjs'

const HALVINGS = 6
const SEEDS = 2
const WAVES = 48
const TRIES = 16
const cosines = Array.from({ length: WAVES + 1 }, (_, i) =>
  Float64Array.from({ length: GRID }, (__, x) => Math.cos((Math.PI * i * (2 * x + 1)) / (2 * GRID))),
)

/** Kinds of changes of luma: each a grid of root mean square 1. */
const FIELDS = {
  'waves to 16': (random) => waves(random, 16),
  'waves to 32': (random) => waves(random, 32),
  'waves from 8 to 32': (random) => waves(random, 32, (i, j) => Number(Math.max(i, j) >= 8)),
  'waves from 8 to 48': (random) => waves(random, 48, (i, j) => Number(Math.max(i, j) >= 8)),
  'waves to 32, the longest strongest': (random) => waves(random, 32, (i, j) => 1 / Math.hypot(i, j, 1)),
  ramp: (random) => {
    const angle = 2 * Math.PI * random()
    return ofPlaces((x, y) => Math.cos(angle) * x + Math.sin(angle) * y)
  },
  vignette: () => ofPlaces((x, y) => 0.16 - x * x - y * y),
}
const WIDEST_LEVELS = 64

/** Kinds of moved pixels: the share of the sides by which they move at most. */
const MOVES = {
  'warp, 3 waves': (pixels, share, random) =>
    warped(
      pixels,
      [1, 2].map(() => scaled(waves(random, 3), share / 2)),
    ),
  'warp, 6 waves': (pixels, share, random) =>
    warped(
      pixels,
      [1, 2].map(() => scaled(waves(random, 6), share / 2)),
    ),
  'crop at each side': (pixels, share) => cropped(pixels, [share, share, share, share]),
  'crop at a corner': (pixels, share) => cropped(pixels, [2 * share, 2 * share, 0, 0]),
}
const WIDEST_SHARE = 0.25

/** @returns `least`, the least visible lost copy of all fields; `byKind`, the least strength of each kind; and how often the service was asked. */
export async function bentBlindly(pixels, name, isLost, rounds) {
  let asked = 0
  const ask = (copy) => {
    asked++
    return isLost(copy)
  }
  const byKind = {}
  let least
  for (const [kind, made] of Object.entries(FIELDS))
    for (let seed = 0; seed < SEEDS; seed++) {
      const field = made(randomOf(`${name} ${kind} ${seed}`))
      const widest = Math.min(WIDEST_LEVELS, 1.5 * (least?.strength ?? WIDEST_LEVELS))
      const found = await bisected((strength) => changed(pixels, scaled(field, strength)), widest, ask)
      if (found === undefined) continue
      const psnr = psnrOf(pixels, found.copy)
      if (psnr > (byKind[kind]?.psnr ?? 0)) byKind[kind] = { psnr, strength: found.strength }
      if (psnr > (least?.psnr ?? 0)) least = { ...found, psnr, grid: scaled(field, found.strength) }
    }
  const moved = {}
  for (const [kind, move] of Object.entries(MOVES)) {
    const found = await bisected((share) => move(pixels, share, randomOf(`${name} ${kind}`)), WIDEST_SHARE, ask)
    if (found !== undefined) moved[kind] = found.strength
  }
  const first = least?.psnr
  for (let round = 1; least !== undefined && round <= rounds; round++)
    least = await improved(pixels, least, round, { ask, random: randomOf(`${name} ${round}`) })
  return { least, first, byKind, moved, asked }
}

/** @returns the weakest lost copy on the way to the widest strength; `undefined` if that is found. */
async function bisected(make, widest, ask, narrowest = 0) {
  let [low, high] = [narrowest, widest]
  let copy = make(high)
  if (!(await ask(copy))) return undefined
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2
    const next = make(middle)
    if (await ask(next)) {
      high = middle
      copy = next
    } else low = middle
  }
  return { copy, strength: high }
}

/** @returns the weakest lost copy by a change that was found for another crop of the picture. */
export function weakest(pixels, grid, isLost) {
  return bisected((strength) => changed(pixels, scaled(grid, strength)), 1, isLost)
}

/** Guesses from random steps where the edge bends towards the picture, goes there, and bisects again. */
async function improved(pixels, least, round, { ask, random }) {
  const size = rmsOf(least.grid)
  const reach = 0.25 * size
  const tries = []
  for (let i = 0; i < TRIES; i++) {
    const step = waves(random, 40, (i, j) => 1 / Math.hypot(i, j, 8))
    const isOutside = await ask(
      changed(
        pixels,
        least.grid.map((value, k) => value + reach * step[k]),
      ),
    )
    tries.push({ step, sign: isOutside ? 1 : -1 })
  }
  const mean = tries.reduce((sum, { sign }) => sum + sign, 0) / TRIES
  const towards = new Float64Array(least.grid.length)
  for (const { step, sign } of tries) for (let k = 0; k < towards.length; k++) towards[k] += (sign - mean) * step[k]
  const length = rmsOf(towards)
  if (length === 0) return least
  for (const share of [1, 0.5, 0.25]) {
    const far = (share * size) / (length * Math.sqrt(round))
    const grid = least.grid.map((value, k) => value + far * towards[k])
    const found = await bisected((part) => changed(pixels, scaled(grid, part)), 1, ask, 0.6)
    if (found === undefined) continue
    const psnr = psnrOf(pixels, found.copy)
    if (psnr > least.psnr) return { copy: found.copy, psnr, grid: scaled(grid, found.strength), strength: found.strength }
  }
  return least
}

/** Random waves of up to so many half periods along a side. */
function waves(random, to, weightOf = (_i, _j) => 1) {
  const grid = new Float64Array(GRID * GRID)
  for (let i = 0; i <= to; i++) {
    const row = new Float64Array(GRID)
    for (let j = 0; j <= to; j++) {
      const weight = i + j === 0 ? 0 : weightOf(i, j) * random.gauss()
      for (let x = 0; x < GRID; x++) row[x] += weight * cosines[j][x]
    }
    for (let y = 0; y < GRID; y++) for (let x = 0; x < GRID; x++) grid[y * GRID + x] += cosines[i][y] * row[x]
  }
  return scaled(grid, 1 / rmsOf(grid))
}

function ofPlaces(levelAt) {
  const at = (cell) => (cell + 0.5) / GRID - 0.5
  const grid = Float64Array.from({ length: GRID * GRID }, (_, k) => levelAt(at(k % GRID), at(Math.floor(k / GRID))))
  return scaled(grid, 1 / rmsOf(grid))
}

function scaled(grid, factor) {
  return grid.map((value) => factor * value)
}

function rmsOf(grid) {
  return Math.sqrt(grid.reduce((sum, value) => sum + value * value, 0) / grid.length)
}
