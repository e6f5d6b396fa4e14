import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { coverageOf, type Line, type Lines } from '../../../packages/hash/src/deframe/lines.js'
import { bestOf, type Ranked, scoreOf } from '../../../packages/hash/src/deframe/ranking.js'
import { type Candidate, eachCandidate } from '../../../packages/hash/src/deframe/rectangles.js'
import { densityOf, type Texture } from '../../../packages/hash/src/deframe/texture.js'
import { loadFrameKernelSync } from '../../../packages/hash/src/frame-kernel.js'
import { wholeOf } from '../../../packages/hash/src/raster.js'
import { overlapOf } from '../../../packages/hash/src/rectangle.js'
import { runs } from '../../helpers/runs.js'
import { chessboard, lined, pictures } from '../patterns.js'

const kernel = loadFrameKernelSync()
const side = fc.integer({ min: 32, max: 320 })

t.test('the kernel ranks the same rectangles as a plain sort of all of them', async () => {
  fc.assert(
    fc.property(pictures(side), (picture) => {
      kernel.measure(picture, ({ lines, texture }) => {
        const described = candidatesOf(lines, texture)
        assert.deepEqual(seen(lines, texture), described)
        assert.deepEqual(bestOf(lines, texture, 6), plainBestOf(described, texture, 6))
      })
    }),
    { numRuns: runs(20) },
  )
})

t.test('the kernel ranks the same among the largest possible number of rectangles', async (t) => {
  const most: number[] = []
  for (const picture of [chessboard(640, 640, 40), chessboard(300, 640, 20), lined(640, 480, 43, 37)]) {
    kernel.measure(picture, ({ lines, texture }) => {
      assert.deepEqual(bestOf(lines, texture, 6), plainBestOf(candidatesOf(lines, texture), texture, 6))
      most.push(seen(lines, texture).length)
    })
  }
  t.ok(Math.max(...most) > 4000 && Math.max(...most) <= 36_100)
})

function seen(lines: Lines, texture: Texture): Candidate[] {
  const candidates: Candidate[] = []
  eachCandidate(lines, texture, (candidate) => {
    candidates.push({ ...candidate })
  })
  return candidates
}

function plainBestOf(candidates: readonly Candidate[], texture: Texture, count: number): Ranked[] {
  const ranked = candidates.map((candidate) => ({ ...candidate, score: scoreOf(candidate) }))
  ranked.sort((a, b) => b.score - a.score)
  const best: Ranked[] = []
  for (const { left, top, right, bottom, score } of ranked) {
    const candidate = { left, top, right, bottom, score }
    if (best.length === count) break
    if (overlapOf(candidate, wholeOf(texture)) > 0.97) continue
    if (best.length >= 2 && score < 5) break
    const same = best.length < 4 ? 0.8 : 0.65
    if (best.every((other) => overlapOf(candidate, other) < same)) best.push(candidate)
  }
  return best
}

function candidatesOf({ columns, rows }: Lines, texture: Texture): Candidate[] {
  const { width, height } = texture
  const candidates: Candidate[] = []
  for (const [left, right] of pairsOf(columns)) {
    if (right.at - left.at < 0.07 * width) continue
    for (const [top, bottom] of pairsOf(rows)) {
      if (bottom.at - top.at < 0.07 * height) continue
      const sides = [
        coverageOf(left, top.at, bottom.at),
        coverageOf(right, top.at, bottom.at),
        coverageOf(top, left.at, right.at),
        coverageOf(bottom, left.at, right.at),
      ].filter((side) => side !== undefined)
      if (sides.length === 0 || Math.min(...sides) < 0.3) continue
      candidates.push({
        ...described(left, top, right, bottom, sides, texture),
        split: splitOf(columns, rows, left, top, right, bottom),
      })
    }
  }
  return candidates
}

function pairsOf(lines: readonly Line[]): [Line, Line][] {
  return lines.flatMap((first, i) => lines.slice(i + 1).map((second): [Line, Line] => [first, second]))
}

/** Rounded to 32 bits, as in the kernel of the search. */
function splitOf(columns: readonly Line[], rows: readonly Line[], left: Line, top: Line, right: Line, bottom: Line): number {
  const upright = columns.filter(({ at }) => at > left.at && at < right.at)
  const level = rows.filter(({ at }) => at > top.at && at < bottom.at)
  return Math.max(
    0,
    ...upright.map((line) => Math.fround(coverageOf(line, top.at, bottom.at) ?? 0)),
    ...level.map((line) => Math.fround(coverageOf(line, left.at, right.at) ?? 0)),
  )
}

function described(
  left: Line,
  top: Line,
  right: Line,
  bottom: Line,
  sides: readonly number[],
  texture: Texture,
): Omit<Candidate, 'split'> {
  const { width, height } = texture
  const edges = { left: left.at, top: top.at, right: right.at, bottom: bottom.at }
  const dx = Math.max(3, Math.round(0.02 * width))
  const dy = Math.max(3, Math.round(0.02 * height))
  const strips = [
    { ...edges, left: edges.left - dx, right: edges.left },
    { ...edges, left: edges.right, right: edges.right + dx },
    { ...edges, top: edges.top - dy, bottom: edges.top },
    { ...edges, top: edges.bottom, bottom: edges.bottom + dy },
  ].filter((_, side) => ![left, right, top, bottom][side]?.isBorder)
  const beyond = [
    ...[left, right].flatMap((line) => [
      coverageOf(line, Math.max(0, edges.top - 2 * dy), edges.top),
      coverageOf(line, edges.bottom, Math.min(height, edges.bottom + 2 * dy)),
    ]),
    ...[top, bottom].flatMap((line) => [
      coverageOf(line, Math.max(0, edges.left - 2 * dx), edges.left),
      coverageOf(line, edges.right, Math.min(width, edges.right + 2 * dx)),
    ]),
  ].filter((share) => share !== undefined)
  return {
    ...edges,
    minCoverage: Math.min(...sides),
    meanCoverage: meanOf(sides),
    borders: 4 - sides.length,
    inside: densityOf(texture, edges),
    outside: meanOf(strips.map((strip) => densityOf(texture, strip))),
    beyond: meanOf(beyond),
    area: ((edges.right - edges.left) * (edges.bottom - edges.top)) / (width * height),
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
