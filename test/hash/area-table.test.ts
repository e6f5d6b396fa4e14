import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { areaTableOf, SAMPLES_A_SIDE, sampleArea } from '../../packages/hash/src/area-table.js'
import { type Raster, rasterOf, wholeOf } from '../../packages/hash/src/raster.js'
import type { Rectangle } from '../../packages/hash/src/rectangle.js'
import { gridOf, sampleTilted } from '../../packages/hash/src/tilt.js'
import { runs } from '../helpers/runs.js'
import { sloping } from './patterns.js'
import { drawn, noisy } from './synthetic.js'

const samples = () => new Float32Array(SAMPLES_A_SIDE * SAMPLES_A_SIDE)

t.test('a sample is the mean of its area, wherever its borders lie', async () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  const side = fc.integer({ min: 1, max: 150 })
  fc.assert(
    fc.property(fc.nat(), side, side, share, share, share, share, (seed, width, height, a, b, c, d) => {
      fc.pre(Math.abs(a - b) > 0.05 && Math.abs(c - d) > 0.05)
      const raster = rasterOf(noisy(seed, width, height, 3))
      const part = {
        left: Math.min(a, b) * width,
        right: Math.max(a, b) * width,
        top: Math.min(c, d) * height,
        bottom: Math.max(c, d) * height,
      }
      const into = samples()
      sampleArea(areaTableOf(raster), part, into)
      for (const [k, mean] of meansOf(raster, part).entries()) assert.ok(Math.abs((into[k] ?? 0) - mean) < 1e-3)
    }),
    { numRuns: runs(30) },
  )
})

t.test('a part tilted by 0 degrees has the samples of the untilted part', async (t) => {
  for (const [picture, maxLevels] of [
    [sloping(400, 300), 0.6],
    [drawn(3, 400, 300), 20],
  ] as const) {
    const raster = rasterOf(picture)
    const table = areaTableOf(raster)
    const [straight, tilted] = [samples(), samples()]
    sampleArea(table, { left: 40, right: 360, top: 30, bottom: 270 }, straight)
    sampleTilted(gridOf(table), 4 / 3, { width: 0.8 * (4 / 3), height: 0.8, angleDeg: 0 }, tilted)
    const differences = straight.map((sample, k) => Math.abs(sample - (tilted[k] ?? 0)))
    t.ok(Math.max(...differences) < maxLevels)
    t.ok(differences.reduce((sum, difference) => sum + difference) / differences.length < maxLevels / 4)
  }
})

t.test('a positive angle tilts a part clockwise', async (t) => {
  const table = areaTableOf(rasterOf(noisy(7, 256, 256, 1)))
  const [straight, rotated] = [samples(), samples()]

  sampleArea(table, wholeOf(table), straight)
  sampleTilted(gridOf(table), 1, { width: 1, height: 1, angleDeg: 90 }, rotated)

  const last = SAMPLES_A_SIDE - 1
  const from = straight.map((_, k) => straight[(k % 64) * SAMPLES_A_SIDE + last - Math.floor(k / 64)] ?? 0)
  t.ok(Math.max(...rotated.map((sample, k) => Math.abs(sample - (from[k] ?? 0)))) < 1e-2)
})

function meansOf({ width, height, luma }: Raster, part: Rectangle): number[] {
  const across = (part.right - part.left) / SAMPLES_A_SIDE
  const down = (part.bottom - part.top) / SAMPLES_A_SIDE
  const means: number[] = []
  for (let i = 0; i < SAMPLES_A_SIDE; i++) {
    for (let j = 0; j < SAMPLES_A_SIDE; j++) {
      const [left, top] = [part.left + j * across, part.top + i * down]
      let sum = 0
      for (let y = Math.floor(top); y < Math.min(height, top + down); y++) {
        const rowShare = Math.min(y + 1, top + down) - Math.max(y, top)
        for (let x = Math.floor(left); x < Math.min(width, left + across); x++) {
          sum += (luma[y * width + x] ?? 0) * rowShare * (Math.min(x + 1, left + across) - Math.max(x, left))
        }
      }
      means.push(sum / (across * down))
    }
  }
  return means
}
