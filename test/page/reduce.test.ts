import assert from 'node:assert/strict'
import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import type { Decoded } from '../../page/hashing/grouping.js'
import { createMeans } from '../../page/hashing/means.js'
import { reduced } from '../../page/hashing/reduce.js'
import { runs } from '../helpers/runs.js'

interface Size {
  readonly width: number
  readonly height: number
}

function noise({ width, height }: Size, seed: number): Uint8ClampedArray {
  return Uint8ClampedArray.from({ length: 4 * width * height }, (_, k) => (Math.imul(k + seed, 2654435761) >>> 16) & 255)
}

/** With its input, to check that it is overwritten. */
function rowsOf(rgba: Uint8ClampedArray, width: number) {
  const given: Uint8ClampedArray[] = []
  const rowsAt = (top: number, count: number) => {
    const rows = rgba.slice(4 * width * top, 4 * width * (top + count))
    given.push(rows)
    return rows
  }
  return { rowsAt, isWiped: () => given.every((rows) => rows.every((byte) => byte === 0)) }
}

const share = fc.double({ min: 0.02, max: 1, noNaN: true })
const sides = fc.record({
  width: fc.integer({ min: 2, max: 160 }),
  height: fc.integer({ min: 2, max: 160 }),
  shareX: share,
  shareY: share,
  stripRows: fc.integer({ min: 1, max: 50 }),
  seed: fc.nat(),
})

t.test('a full picture is reduced to exactly the pixels of libvips, in any strips', async () => {
  await fc.assert(
    fc.asyncProperty(sides, async ({ width, height, shareX, shareY, stripRows, seed }) => {
      const full = { width, height }
      const target = { width: Math.ceil(width * shareX), height: Math.ceil(height * shareY) }
      const rgba = noise(full, seed)
      const { rowsAt, isWiped } = rowsOf(rgba, width)
      const picture = reduced(full, { ...full, groupPx: 1 }, target, stripRows, rowsAt)
      const rgb = Buffer.from(rgba.filter((_, k) => k % 4 < 3))
      const expected = await sharp(rgb, { raw: { ...full, channels: 3 } })
        .resize({ ...target, fit: 'fill', kernel: 'linear' })
        .raw()
        .toBuffer()
      assert.ok(expected.equals(Buffer.from(picture.data)))
      assert.ok(isWiped(), 'the input is overwritten')
    }),
    { numRuns: runs(50) },
  )
})

/** The definition: each new pixel is the mean of its group, or of the pixels in its area. */
function plainMeans(rgba: Uint8ClampedArray, full: Size, { width, height, groupPx }: Decoded): number[] {
  const weight = (i: number, k: number, fullPx: number, newPx: number) => {
    if (groupPx !== 'areas') return Math.floor(i / groupPx) === k ? 1 : 0
    return Math.max(0, Math.min(((i + 1) * newPx) / fullPx, k + 1) - Math.max((i * newPx) / fullPx, k))
  }
  const out: number[] = []
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sums = [0, 0, 0]
      let total = 0
      for (let row = 0; row < full.height; row++) {
        for (let column = 0; column < full.width; column++) {
          const share = weight(row, y, full.height, height) * weight(column, x, full.width, width)
          total += share
          for (const c of [0, 1, 2]) sums[c] = (sums[c] ?? 0) + share * (rgba[4 * (row * full.width + column) + c] ?? 0)
        }
      }
      out.push(...sums.map((sum) => sum / total))
    }
  }
  return out
}

t.test('createMeans gives the means of groups or areas, as a reducing decoder does', async () => {
  const groupPx = fc.oneof(fc.constantFrom(1, 2, 4, 8), fc.constant('areas' as const))
  const small = { width: fc.integer({ min: 8, max: 40 }), height: fc.integer({ min: 8, max: 40 }) }
  fc.assert(
    fc.property(fc.record({ ...small, shareX: share, shareY: share, groupPx, seed: fc.nat() }), (chosen) => {
      const { width, height, shareX, shareY, groupPx, seed } = chosen
      const to = (px: number, its: number) => (groupPx === 'areas' ? Math.ceil(px * its) : Math.floor(px / groupPx))
      const decoded: Decoded = { width: to(width, shareX), height: to(height, shareY), groupPx }
      const rgba = noise(chosen, seed)
      const made: number[] = []
      const means = createMeans(chosen, decoded, (row) => made.push(...row))
      for (let y = 0; y < height; y++) means.add(rgba, 4 * width * y)
      const expected = plainMeans(rgba, chosen, decoded)
      assert.equal(made.length, expected.length)
      expected.forEach((value, k) => {
        assert.ok(Math.abs(value - (made[k] ?? Number.NaN)) <= 0.51, `${value} and ${made[k]}`)
      })
    }),
    { numRuns: runs(50) },
  )
})
