import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Grouping, Groupings } from '../../page/hashing/grouping.js'
import { reduced } from '../../page/hashing/reduce.js'

interface Size {
  readonly width: number
  readonly height: number
}

/**
 * The definition: each new pixel is the mean of all pixels, weighted by a triangle of two new pixels around its middle, for whole groups
 * of them alike; or by how much of them lies in its area.
 */
function plainly(rgba: Uint8ClampedArray, full: Size, target: Size, { across, down }: Groupings): number[] {
  const weight = (i: number, k: number, fullPx: number, newPx: number, grouping: Grouping) => {
    if (grouping !== 'areas') {
      const middle = ((Math.floor(i / grouping) + 0.5) * newPx) / Math.ceil(fullPx / grouping)
      return Math.max(0, 1 - Math.abs(middle - 0.5 - k))
    }
    const [start, end] = [(i * newPx) / fullPx, ((i + 1) * newPx) / fullPx]
    return Math.max(0, Math.min(end, k + 1) - Math.max(start, k))
  }
  const out: number[] = []
  for (let y = 0; y < target.height; y++) {
    for (let x = 0; x < target.width; x++) {
      const sums = [0, 0, 0]
      let total = 0
      for (let row = 0; row < full.height; row++) {
        for (let column = 0; column < full.width; column++) {
          const share =
            weight(row, y, full.height, target.height, down) * weight(column, x, full.width, target.width, across)
          total += share
          for (const c of [0, 1, 2]) sums[c] = (sums[c] ?? 0) + share * (rgba[4 * (row * full.width + column) + c] ?? 0)
        }
      }
      out.push(...sums.map((sum) => sum / total))
    }
  }
  return out
}

const grouping = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant('areas' as const))
const sides = fc.record({
  across: grouping,
  down: grouping,
  width: fc.integer({ min: 2, max: 40 }),
  height: fc.integer({ min: 2, max: 40 }),
  shareX: fc.double({ min: 0.1, max: 1, noNaN: true }),
  shareY: fc.double({ min: 0.1, max: 1, noNaN: true }),
  stripRows: fc.integer({ min: 1, max: 50 }),
  seed: fc.nat(),
})

t.test('is the weighted mean that it says it is, whatever the strips', async () => {
  fc.assert(
    fc.property(sides, ({ width, height, shareX, shareY, across, down, stripRows, seed }) => {
      // Groups are never larger than what becomes one pixel.
      const groupings = { across, down }
      const most = (fullPx: number, by: Grouping) => Math.ceil(fullPx / (by === 'areas' ? 1 : by))
      const target = {
        width: Math.max(1, Math.floor(most(width, across) * shareX)),
        height: Math.max(1, Math.floor(most(height, down) * shareY)),
      }
      const rgba = Uint8ClampedArray.from(
        { length: 4 * width * height },
        (_, k) => (Math.imul(k + seed, 2654435761) >>> 16) & 255,
      )
      const given: Uint8ClampedArray[] = []
      const picture = reduced({ width, height }, target, groupings, stripRows, (top, count) => {
        const rows = rgba.slice(4 * width * top, 4 * width * (top + count))
        given.push(rows)
        return rows
      })
      const expected = plainly(rgba, { width, height }, target, groupings)
      assert.equal(picture.data.length, expected.length)
      expected.forEach((value, k) => {
        assert.ok(Math.abs(value - (picture.data[k] ?? Number.NaN)) <= 0.51, `${value} and ${picture.data[k]}`)
      })
      assert.ok(
        given.every((rows) => rows.every((byte) => byte === 0)),
        'what it was given is wiped',
      )
    }),
    { numRuns: 200 },
  )
})
