import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { deframe } from '../../../packages/hash/src/deframe/deframe.js'
import { texturedPart } from '../../../packages/hash/src/deframe/texture.js'
import { trimmed } from '../../../packages/hash/src/deframe/trim.js'
import { loadFrameKernelSync } from '../../../packages/hash/src/frame-kernel.js'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import { wholeOf } from '../../../packages/hash/src/raster.js'
import { overlapOf, type Rectangle } from '../../../packages/hash/src/rectangle.js'
import { runs } from '../../helpers/runs.js'
import { chessboard, lined, pictures, plain, shaded } from '../patterns.js'
import { drawn, noisy, wordsFrom } from '../synthetic.js'

const kernel = loadFrameKernelSync()
const WIDTH = 400
const HEIGHT = 480

const BACKGROUNDS = {
  white: () => [255, 255, 255],
  black: () => [0, 0, 0],
  blurred: (x: number, y: number) => [10 + x / 60, 8 + y / 60, 16 + (x + y) / 120],
} as const

const place = fc.record({
  left: fc.integer({ min: 12, max: 90 }),
  top: fc.integer({ min: 12, max: 160 }),
  right: fc.integer({ min: 250, max: WIDTH - 12 }),
  bottom: fc.integer({ min: 300, max: HEIGHT - 12 }),
})

t.test('deframing finds a picture on white, black and blurred backgrounds', async () => {
  for (const background of ['white', 'black', 'blurred'] as const) {
    fc.assert(
      fc.property(fc.nat(), place, (seed, truth) => {
        const parts = kernel.measure(framed(seed, truth, background), (measured) => deframe(measured).parts)
        const best = Math.max(...parts.map((part) => overlapOf(part, truth)))
        assert.ok(best > 0.95, `${background}: ${best}`)
      }),
      { numRuns: runs(12) },
    )
  }
})

t.test('margins of one colour are trimmed, and the textured part of a blurred background is found', async () => {
  fc.assert(
    fc.property(fc.nat(), place, (seed, truth) => {
      kernel.measure(framed(seed, truth, 'white'), (measured) => {
        assert.ok(overlapOf(trimmed(measured, wholeOf(measured)), truth) > 0.95)
      })
      kernel.measure(framed(seed, truth, 'blurred'), ({ texture }) => {
        const part = texturedPart(texture)
        // Density is smoothed over 2 % of a side, and a quarter of it is enough: the part may extend a few pixels too far.
        assert.ok(part !== undefined && overlapOf(part, truth) > 0.9)
      })
    }),
    { numRuns: runs(12) },
  )
})

t.test('deframing finds few parts in any picture, all within it', async () => {
  const hostile = [
    plain(300, 300, 255),
    plain(64, 64, 0),
    chessboard(640, 640, 40),
    chessboard(640, 480, 7),
    lined(640, 640, 64, 20),
    noisy(1, 1, 10_000, 3),
    noisy(1, 10_000, 1, 3),
    sheet(4, 5),
  ]
  for (const picture of hostile) assertFew(picture)
  fc.assert(fc.property(pictures(fc.integer({ min: 1, max: 250 })), assertFew), { numRuns: runs(30) })
})

t.test('a plain picture has no parts and no frame', async (t) => {
  t.same(kernel.measure(plain(300, 200, 128), deframe), { parts: [], framed: undefined })
})

function assertFew(picture: Pixels): void {
  kernel.measure(picture, (measured) => {
    const { parts } = deframe(measured)
    assert.ok(parts.length <= 14)
    for (const { left, top, right, bottom } of parts) {
      assert.ok(
        left >= 0 && top >= 0 && left < right && top < bottom && right <= measured.width && bottom <= measured.height,
      )
    }
  })
}

/** A drawn scene with a little noise, as in photographs, on a background. */
function framed(seed: number, { left, top, right, bottom }: Rectangle, background: 'white' | 'black' | 'blurred'): Pixels {
  const scene = drawn(seed % 1000, right - left, bottom - top)
  const word = wordsFrom(seed)
  return shaded(WIDTH, HEIGHT, (x, y) => {
    if (x < left || x >= right || y < top || y >= bottom) return BACKGROUNDS[background](x, y)
    const k = 3 * ((y - top) * (right - left) + x - left)
    const noise = (word() >>> 26) - 32
    const [red = 0, green = 0, blue = 0] = [...scene.data.subarray(k, k + 3)].map((level) =>
      Math.min(235, Math.max(40, level + noise)),
    )
    return [red, green, blue]
  })
}

/** Pictures of one size in rows, with gaps between them. */
function sheet(across: number, down: number): Pixels {
  const scenes = Array.from({ length: across * down }, (_, n) => drawn(n, 100, 100))
  return shaded(120 * across, 120 * down, (x, y) => {
    const scene = scenes[Math.floor(y / 120) * across + Math.floor(x / 120)]
    if (scene === undefined || x % 120 >= 100 || y % 120 >= 100) return [240, 240, 240]
    const k = 3 * ((y % 120) * 100 + (x % 120))
    return [scene.data[k] ?? 0, scene.data[k + 1] ?? 0, scene.data[k + 2] ?? 0]
  })
}
