import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import { type MeasuredRaster, measuredOf } from '../../packages/hash/src/measured.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { runs } from '../helpers/runs.js'
import { withMemory } from './kernel-memory.js'
import { chessboard, pictures, shaded } from './patterns.js'
import { noisy } from './synthetic.js'

const kernel = loadFrameKernelSync()

// Lanes are sixteen pixels, blocks eight, and lines treat their third pixel and their last three specially, so short sides
// are drawn as often as long ones. From 651 pixels on a side is reduced.
const side = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 41, max: 200 }))
const anySide = fc.oneof(side, fc.integer({ min: 600, max: 1400 }))

t.test('the kernel equals the oracle on pictures of any size and kind', async () => {
  fc.assert(
    fc.property(pictures(side), (picture) => {
      assertEqual(picture)
    }),
    { numRuns: runs(60) },
  )
})

t.test('the kernel equals the oracle where one side or both are reduced', async () => {
  fc.assert(
    fc.property(pictures(anySide), (picture) => {
      assertEqual(picture)
    }),
    { numRuns: runs(12) },
  )
})

t.test('the kernel equals the oracle on the longest pictures', async () => {
  for (const [width, height] of [
    [1, 10_000],
    [10_000, 1],
    [65_535, 2],
    [3, 65_535],
  ] as const) {
    assertEqual(noisy(width, width, height, 3))
  }
})

t.test('a reduced picture has the means of its areas as pixels', async () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 651, max: 1500 }), fc.integer({ min: 1, max: 12 }), (seed, width, height) => {
      const picture = noisy(seed, width, height, 3)
      kernel.measure(picture, ({ rgb }) => {
        const means = meansOf(picture, 640, height)
        for (const [k, mean] of means.entries()) assert.ok(Math.abs((rgb[k] ?? 0) - mean) <= 0.51, `${rgb[k]} for ${mean}`)
      })
      const rotated = shaded(height, width, (x, y) => at(picture, y, x))
      kernel.measure(rotated, ({ rgb }) => {
        const means = meansOf(rotated, height, 640)
        for (const [k, mean] of means.entries()) assert.ok(Math.abs((rgb[k] ?? 0) - mean) <= 0.6, `${rgb[k]} for ${mean}`)
      })
    }),
    { numRuns: runs(10) },
  )
})

t.test('the kernel stays correct when a small picture follows a large one', async (t) => {
  const small = noisy(5, 90, 61, 3)
  const before = kernel.measure(small, copied)

  kernel.measure(noisy(6, 700, 500, 4), copied)

  t.same(kernel.measure(small, copied), before)
})

t.test('the kernel erases a picture from its memory, even after a failed measurement', async (t) => {
  const { kernel: observed, memory } = withMemory(t, loadFrameKernelSync)
  const fails = () => {
    throw new Error('seen enough')
  }

  observed.measure(noisy(1, 733, 417, 3), copied)
  const first = Buffer.from(memory.buffer).toString('base64')
  t.throws(() => observed.measure(chessboard(733, 417, 5), fails), { message: 'seen enough' })
  const second = Buffer.from(memory.buffer).toString('base64')

  // Sizes and positions stay, in some tens of bytes that are the same for both; all else is as before.
  t.ok(first === second)
  t.ok(Buffer.from(memory.buffer).filter((byte) => byte !== 0).length < 200)
})

t.test('the kernel refuses sizes that do not fit the data', async (t) => {
  t.throws(() => kernel.measure({ data: new Uint8Array(5), width: 2, height: 1, channels: 3 }, copied), RangeError)
})

function assertEqual(picture: Pixels): void {
  assert.deepEqual(kernel.measure(picture, copied), copied(measuredOf(picture)))
}

function copied({ width, height, rgb, areas, lines, texture }: MeasuredRaster) {
  return { width, height, lines, rgb: rgb.slice(), sums: areas.sums.slice(), counts: texture.counts.slice() }
}

/** Sums in doubles, pixel by pixel. */
function meansOf(picture: Pixels, newWidth: number, newHeight: number): number[] {
  const across = picture.width / newWidth
  const down = picture.height / newHeight
  const means: number[] = []
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      const sums = [0, 0, 0]
      for (let row = Math.floor(y * down); row < Math.min(picture.height, (y + 1) * down); row++) {
        for (let column = Math.floor(x * across); column < Math.min(picture.width, (x + 1) * across); column++) {
          const part =
            (Math.min(row + 1, (y + 1) * down) - Math.max(row, y * down)) *
            (Math.min(column + 1, (x + 1) * across) - Math.max(column, x * across))
          for (const [channel, level] of at(picture, column, row).entries())
            sums[channel] = (sums[channel] ?? 0) + part * level
        }
      }
      means.push(...sums.map((sum) => sum / (across * down)))
    }
  }
  return means
}

function at({ data, width }: Pixels, x: number, y: number): [number, number, number] {
  const k = 3 * (y * width + x)
  return [data[k] ?? 0, data[k + 1] ?? 0, data[k + 2] ?? 0]
}
