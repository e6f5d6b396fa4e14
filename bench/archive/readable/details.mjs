// What the details of a picture tell: in which of two cells it is lighter.

import { ANGLES, ROTATED_PATTERN } from '../../../dist/packages/hash/src/details/describe.js'
import { LEVEL_FACTOR } from '../../../dist/packages/hash/src/details/features.js'
import { PLACES, STORED_ANGLES } from '../../../dist/packages/hash/src/details/kept.js'
import { LEVELS } from '../../../dist/packages/hash/src/details/pyramid.js'
import { MAX_DETAIL_ROWS, placedRow } from '../../../dist/packages/hash/src/details/rows.js'
import { HASH_BITS } from '../../../dist/packages/hash/src/hash256.js'
import { GRID } from '../../evasion/linear.mjs'
import { signsOf } from './solver.mjs'

const WITHIN_CELL = [1 / 6, 1 / 2, 5 / 6]

/**
 * The comparisons of all details, each placed, turned and scaled as agrees best with a picture. Stored places are those of cells, and of points neither
 * angle nor level is stored.
 */
export function posed({ points, ranked }, picture) {
  const all = { angles: range(STORED_ANGLES).map((i) => (i * ANGLES) / STORED_ANGLES), levels: range(LEVELS) }
  const ofPoints = points.points.flatMap(({ column, row, hash }) => {
    const at = (cell, side) => WITHIN_CELL.map((share) => ((cell + share) * side) / PLACES)
    return nearestOf(signsOf(hash), { xs: at(column, points.width), ys: at(row, points.height), ...all }, points, picture)
  })
  const ofRows = ranked.rows.slice(0, MAX_DETAIL_ROWS).flatMap((each) => {
    const { x, y, angle, level } = placedRow(each, ranked)
    const around = (place, side) => WITHIN_CELL.map((share) => place + ((share - 0.5) * 2 * side) / PLACES)
    const poses = { xs: around(x, ranked.width), ys: around(y, ranked.height), angles: [angle], levels: [level] }
    return nearestOf(signsOf(each.hash), poses, ranked, picture)
  })
  return [...ofPoints, ...ofRows]
}

function nearestOf(signs, { xs, ys, angles, levels }, { width, height }, picture) {
  let [most, best] = [-1, undefined]
  for (const level of levels)
    for (const angle of angles)
      for (const x of xs)
        for (const y of ys) {
          const pose = { x, y, angle, factor: LEVEL_FACTOR ** level, width, height }
          let agreeing = 0
          for (let bit = 0; bit < HASH_BITS; bit++)
            if (signs[bit] * (picture[cellOf(pose, 2 * bit + 1)] - picture[cellOf(pose, 2 * bit)]) > 0) agreeing++
          if (agreeing > most) [most, best] = [agreeing, pose]
        }
  return Array.from(signs, (sign, bit) => ({ sign, darker: cellOf(best, 2 * bit), lighter: cellOf(best, 2 * bit + 1) }))
}

/** The cell of one of the 512 points of the pattern. */
function cellOf({ x, y, angle, factor, width, height }, point) {
  const at = 2 * (2 * HASH_BITS * angle + point)
  const column = ((x + factor * ROTATED_PATTERN.plain[at]) * GRID) / width
  const row = ((y + factor * ROTATED_PATTERN.plain[at + 1]) * GRID) / height
  return Math.max(0, Math.min(GRID - 1, row | 0)) * GRID + Math.max(0, Math.min(GRID - 1, column | 0))
}

function range(length) {
  return Array.from({ length }, (_, i) => i)
}
