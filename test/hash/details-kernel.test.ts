import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { cornersOf } from '../../packages/hash/src/details/corners.js'
import { featuresOf } from '../../packages/hash/src/details/features.js'
import { MAX_TABLE_PIXELS } from '../../packages/hash/src/details/luma-table.js'
import { LEVELS, type Pyramid, pyramidOf } from '../../packages/hash/src/details/pyramid.js'
import { loadDetailsKernelSync } from '../../packages/hash/src/details-kernel.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { wholeOf } from '../../packages/hash/src/raster.js'
import type { Rectangle } from '../../packages/hash/src/rectangle.js'
import { runs } from '../helpers/runs.js'
import { withMemory } from './kernel-memory.js'
import { chessboard, pictures } from './patterns.js'
import { noisy } from './synthetic.js'

const kernel = loadDetailsKernelSync()
const SIDE_PX = 160

const side = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 61, max: 240 }))
const share = fc.double({ min: 0, max: 1, noNaN: true })
const levelSide = fc.integer({ min: 1, max: SIDE_PX })

t.test('the kernel finds and describes the same corners as the oracle, in any part at any size', async () => {
  fc.assert(
    fc.property(
      pictures(side),
      fc.array(fc.tuple(share, share, share, share, levelSide, levelSide), { minLength: 1, maxLength: LEVELS }),
      (picture, parts) => {
        kernel.usePyramid(picture, SIDE_PX, (pyramid) => {
          const oracle = pyramidOf(picture)
          for (const [level, [a, b, c, d, width, height]] of parts.entries()) {
            assertAlike(pyramid, oracle, { level, part: partOf(picture, [a, b, c, d]), width, height })
          }
        })
      },
    ),
    { numRuns: runs(50) },
  )
})

t.test('one colour and a picture that is too small have no corners', async (t) => {
  const plain: Pixels = { data: new Uint8Array(3 * 300 * 200).fill(120), width: 300, height: 200, channels: 3 }
  kernel.usePyramid(plain, 200, (pyramid) => t.same(pyramid.corners(0, wholeOf(plain), 200, 133), []))
  const small = noisy(1, 38, 200, 1)
  kernel.usePyramid(small, 200, (pyramid) => t.same(pyramid.corners(0, wholeOf(small), 38, 200), []))
})

t.test('every corner of a chessboard is found, and the number of features is bounded', async (t) => {
  const board = chessboard(400, 400, 20)
  const options = { sidePx: 400, count: 300, mirrors: true, aspect: 1 }
  kernel.usePyramid(board, 400, (pyramid) => {
    t.ok(pyramid.corners(0, wholeOf(board), 400, 400).length >= 17 * 17)
    t.equal(featuresOf(pyramid, wholeOf(board), options).features.length, 300)
  })
})

t.test('sizes that do not fit the data and pictures above the limit of the tables are refused', async (t) => {
  const pixels = noisy(1, 20, 20, 3)
  const see = () => undefined
  t.throws(() => kernel.usePyramid({ ...pixels, width: 21 }, SIDE_PX, see), RangeError)
  const width = 4096
  const height = Math.ceil((MAX_TABLE_PIXELS + 1) / width)
  const large: Pixels = { data: new Uint8Array(width * height), width, height, channels: 1 }
  t.throws(() => kernel.usePyramid(large, SIDE_PX, see), RangeError)
  t.throws(() => pyramidOf(large), RangeError)
})

t.test('the largest sum of a table is exact', async (t) => {
  const [width, height] = [4096, Math.floor(MAX_TABLE_PIXELS / 4096)]
  const data = new Uint8Array(width * height).fill(255)
  // A corner in the last rows, where the sums are largest.
  for (let y = height - 60; y < height - 30; y++) data.fill(0, y * width + width - 70, y * width + width - 35)
  const picture: Pixels = { data, width, height, channels: 1 }
  const part: Rectangle = { left: width - 100, right: width, top: height - 100, bottom: height }
  kernel.usePyramid(picture, 100, (pyramid) => {
    const corners = pyramid.corners(0, part, 100, 100)
    t.ok(corners.length >= 4)
    t.same(corners, pyramidOf(picture).corners(0, part, 100, 100))
  })
})

t.test('the kernel erases a picture from its memory, even after a failed look', async (t) => {
  const picture = noisy(7, 120, 90, 3)
  const { kernel: own, memory } = withMemory(t, loadDetailsKernelSync)
  own.usePyramid({ ...picture, data: new Uint8Array(picture.data.length) }, SIDE_PX, (pyramid) => {
    pyramid.corners(0, wholeOf(picture), 120, 90)
  })
  const before = Uint8Array.from(new Uint8Array(memory.buffer))

  own.usePyramid(picture, SIDE_PX, (pyramid) => {
    const [corner] = pyramid.corners(0, wholeOf(picture), 120, 90)
    if (corner !== undefined) pyramid.describe(0, corner.x, corner.y, 0, false)
  })
  t.ok(Buffer.from(before).equals(new Uint8Array(memory.buffer)))
  t.throws(() =>
    own.usePyramid(picture, SIDE_PX, (pyramid) => {
      pyramid.corners(0, wholeOf(picture), 120, 90)
      throw new Error('as callers do')
    }),
  )
  t.ok(Buffer.from(before).equals(new Uint8Array(memory.buffer)))
})

function partOf({ width, height }: Pixels, [a, b, c, d]: readonly [number, number, number, number]): Rectangle {
  const [left, right] = [Math.min(a, b) * width, Math.max(a, b) * width]
  const [top, bottom] = [Math.min(c, d) * height, Math.max(c, d) * height]
  return right - left < 1 || bottom - top < 1
    ? { left: 0, right: width, top: 0, bottom: height }
    : { left, top, right, bottom }
}

interface Look {
  readonly level: number
  readonly part: Rectangle
  readonly width: number
  readonly height: number
}

function assertAlike(pyramid: Pyramid, oracle: Pyramid, { level, part, width, height }: Look): void {
  const corners = pyramid.corners(level, part, width, height)
  assert.deepEqual(corners, oracle.corners(level, part, width, height))
  for (const [i, { x, y }] of corners.entries()) {
    assert.deepEqual(pyramid.moments(level, x, y), oracle.moments(level, x, y))
    for (const isMirrored of [false, true])
      assert.deepEqual(pyramid.describe(level, x, y, i % 64, isMirrored), oracle.describe(level, x, y, i % 64, isMirrored))
  }
}

t.test('the oracle finds the corners of a rectangle', async (t) => {
  const level = { width: 60, height: 50, luma: new Uint8Array(60 * 50) }
  for (let y = 22; y < 30; y++) level.luma.fill(200, y * 60 + 25, y * 60 + 35)
  const corners = cornersOf(level)
  t.equal(corners.length, 4, 'a rectangle has four')
  for (const { x, y } of corners) {
    t.ok(
      Math.min(Math.abs(x - 25), Math.abs(x - 34)) <= 1 && Math.min(Math.abs(y - 22), Math.abs(y - 29)) <= 1,
      `${x}, ${y}`,
    )
  }
})
