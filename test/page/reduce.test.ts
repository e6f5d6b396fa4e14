import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { reduced } from '../../page/hashing/reduce.js'

interface Size {
  readonly width: number
  readonly height: number
}

/** The definition: each new pixel is the mean of all pixels, weighted by a triangle of two new pixels around its middle. */
function plainly(rgba: Uint8ClampedArray, full: Size, target: Size): number[] {
  const weight = (i: number, k: number, fullPx: number, newPx: number) =>
    Math.max(0, 1 - Math.abs(((i + 0.5) * newPx) / fullPx - 0.5 - k))
  const out: number[] = []
  for (let y = 0; y < target.height; y++) {
    for (let x = 0; x < target.width; x++) {
      const sums = [0, 0, 0]
      let total = 0
      for (let row = 0; row < full.height; row++) {
        for (let column = 0; column < full.width; column++) {
          const share = weight(row, y, full.height, target.height) * weight(column, x, full.width, target.width)
          total += share
          for (const c of [0, 1, 2]) sums[c] = (sums[c] ?? 0) + share * (rgba[4 * (row * full.width + column) + c] ?? 0)
        }
      }
      out.push(...sums.map((sum) => sum / total))
    }
  }
  return out
}

const sides = fc.record({
  width: fc.integer({ min: 2, max: 40 }),
  height: fc.integer({ min: 2, max: 40 }),
  shareX: fc.double({ min: 0.1, max: 1, noNaN: true }),
  shareY: fc.double({ min: 0.1, max: 1, noNaN: true }),
  stripRows: fc.integer({ min: 1, max: 50 }),
  seed: fc.nat(),
})

t.test('is the weighted mean that it says it is, whatever the strips', async () => {
  fc.assert(
    fc.property(sides, ({ width, height, shareX, shareY, stripRows, seed }) => {
      const target = { width: Math.max(1, Math.floor(width * shareX)), height: Math.max(1, Math.floor(height * shareY)) }
      const rgba = Uint8ClampedArray.from(
        { length: 4 * width * height },
        (_, k) => (Math.imul(k + seed, 2654435761) >>> 16) & 255,
      )
      const given: Uint8ClampedArray[] = []
      const picture = reduced({ width, height }, target, stripRows, (top, count) => {
        const rows = rgba.slice(4 * width * top, 4 * width * (top + count))
        given.push(rows)
        return rows
      })
      const expected = plainly(rgba, { width, height }, target)
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
