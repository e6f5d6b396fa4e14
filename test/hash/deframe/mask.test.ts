import fc from 'fast-check'
import t from 'tap'
import { SAMPLES_A_SIDE } from '../../../packages/hash/src/area-table.js'
import { canvasesAround, fillIn, framesOf } from '../../../packages/hash/src/deframe/mask.js'

const BOX = { left: 10, top: 20, right: 110, bottom: 110 }
/** Much larger than the box, so that the picture did not end at its borders. */
const CANVAS = { whole: { left: 0, top: 0, right: 400, bottom: 400 }, aspect: 1 }
/** As wide as the box. */
const NARROW = { whole: { left: 10, top: 0, right: 110, bottom: 400 }, aspect: 0.25 }
const WHOLE = { left: 0, top: 0, right: SAMPLES_A_SIDE, bottom: SAMPLES_A_SIDE }

t.test(
  'a heart may have been cut from its box, from an icon’s square, or from any square as wide that contains the box',
  async (t) => {
    const frames = framesOf(BOX, 100 / 90, CANVAS)
    t.same(frames[0], BOX)
    const icons = frames.slice(1, 3)
    t.same(
      icons.map(({ left, top, right, bottom }) => [left, top, right, bottom].map((at) => Math.round(10 * at) / 10)),
      [
        [0, 5, 120, 125],
        [2.5, 7.5, 117.5, 122.5],
      ],
    )
    const squares = frames.slice(3)
    for (const { left, top, right, bottom } of squares) {
      t.same([left, right], [BOX.left, BOX.right])
      t.ok(Math.abs(bottom - top - 100) < 1e-9 && top < BOX.top + 1e-9 && bottom > BOX.bottom - 1e-9)
    }
    t.ok(Math.abs((squares[0]?.top ?? 0) - 15) < 1, 'as much room above as below comes first')
    const tops = squares.map(({ top }) => top).sort((a, b) => b - a)
    t.ok(
      Math.abs((tops[0] ?? 0) - 20) < 1e-9 && Math.abs((tops.at(-1) ?? 0) - 10) < 1e-9,
      'room only below, room only above',
    )
    for (const [i, top] of tops.slice(1).entries()) t.ok((tops[i] ?? 0) - top <= 1.6 + 1e-9, 'no gap between them')
  },
)

t.test('a shape that is as wide as high, higher, or much wider was not cut from a square as wide', async (t) => {
  for (const sides of [1, 1.01, 0.8, 1.2, 3]) t.equal(framesOf(BOX, sides, NARROW).length, 1, `${sides}`)
})

t.test('a shape with room around it may have been cut from the whole canvas or its middle square', async (t) => {
  const whole = { left: 0, top: 0, right: 120, bottom: 160 }
  const square = { left: 0, top: 20, right: 120, bottom: 140 }
  t.same(canvasesAround(BOX, { whole, aspect: 0.75 }), [whole, square])
  t.same(framesOf(BOX, 1, { whole, aspect: 0.75 }).slice(0, 3), [BOX, whole, square])
  t.same(canvasesAround({ ...BOX, top: 10 }, { whole, aspect: 0.75 }), [whole], 'not in the square')
  t.same(canvasesAround(BOX, CANVAS), [], 'it is small')
  t.same(canvasesAround(whole, { whole, aspect: 0.75 }), [], 'no room')
  t.same(canvasesAround(square, { whole: square, aspect: 1 }), [])
})

t.test('no shape has more than fifteen possible pictures', async () => {
  const canvas = { whole: { left: 0, top: 0, right: 120, bottom: 130 }, aspect: 12 / 13 }
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 100, noNaN: true }), (sides) => framesOf(BOX, sides, canvas).length <= 15),
  )
})

t.test('the background is replaced by what continues the picture, whatever its colour, and nothing else is', async (t) => {
  const slope = (k: number) => 40 + 2 * (k % SAMPLES_A_SIDE)
  const isHole = (x: number, y: number) => x > 20 && x < 32 && y > 30 && y < 40
  const isCorner = (x: number, y: number) => x < 5 && y < 8
  const isBackground = (x: number, y: number) => isHole(x, y) || isCorner(x, y)
  const results = [0, 255].map((colour) => {
    const samples = Float32Array.from({ length: SAMPLES_A_SIDE ** 2 }, (_, k) =>
      isBackground((k % SAMPLES_A_SIDE) + 0.5, Math.floor(k / SAMPLES_A_SIDE) + 0.5) ? colour : slope(k),
    )
    fillIn(samples, WHOLE, isBackground)
    return samples
  })
  t.same(results[0], results[1])
  for (const [k, level] of results[0]?.entries() ?? []) {
    const [x, y] = [(k % SAMPLES_A_SIDE) + 0.5, Math.floor(k / SAMPLES_A_SIDE) + 0.5]
    if (isHole(x, y)) t.ok(Math.abs(level - slope(k)) < 4, `${x}, ${y}: ${level}`)
    else if (isCorner(x, y)) t.ok(Math.abs(level - slope(k)) < 20, `${x}, ${y}: ${level}`)
    else if (level !== slope(k)) t.fail(`${x}, ${y} is not background`)
  }
})

t.test('where all is background, the samples become even', async (t) => {
  const samples = new Float32Array(SAMPLES_A_SIDE ** 2).fill(200)
  fillIn(samples, WHOLE, () => true)
  t.ok(samples.every((level) => level === samples[0]))
})
