import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { isObject } from '../../../packages/hash/src/deframe/object.js'
import { type FilePicture, hashFrames, hashImage } from '../../../packages/hash/src/hash-image.js'
import { loadImageHasherSync } from '../../../packages/hash/src/image-hasher.js'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import { rasterOf } from '../../../packages/hash/src/raster.js'
import { randomFrom, scenePixels } from '../../helpers/pictures.js'
import { runs } from '../../helpers/runs.js'

const hasher = loadImageHasherSync()
const SIDE = 64

/** Whether a point, from −1 to 1, belongs to an object. */
type Outline = (x: number, y: number) => boolean
const box =
  (left: number, top: number, right: number, bottom: number): Outline =>
  (x, y) =>
    x >= left && x < right && y >= top && y < bottom
const shirt: Outline = (x, y) => box(-0.35, -0.6, 0.35, 0.7)(x, y) || box(-0.8, -0.6, 0.8, -0.2)(x, y)
const tilted: Outline = (x, y) => Math.abs(x + 0.2 * y) < 0.7 && Math.abs(y - 0.2 * x) < 0.5

function pictureOf(outline: Outline, ground: (x: number, y: number) => number = () => 240, side = 240): Pixels {
  const scene = scenePixels(3, { width: side, height: side })
  const data = Uint8Array.from(scene.data, (level, k) => {
    const [x, y] = [Math.floor(k / 3) % side, Math.floor(k / 3 / side)]
    return outline((2 * x + 1) / side - 1, (2 * y + 1) / side - 1) ? level / 2 : ground(x, y)
  })
  return { data, width: side, height: side, channels: 3 }
}
const isOne = (pixels: Pixels) => isObject(rasterOf(pixels))

t.test('an object is found on any plain ground, with grain and in part of the picture', async (t) => {
  const random = randomFrom(1)
  t.ok(isOne(pictureOf(shirt)))
  t.ok(isOne(pictureOf(shirt, () => 200 + 14 * random())))
  t.ok(isOne(pictureOf(shirt, (x) => 200 + x / 10)), 'shaded')
  t.ok(isOne(pictureOf((x, y) => shirt(x * 1.5 - 0.3, y * 1.5 + 0.3))))
  t.ok(isOne(pictureOf((x, y) => shirt(x, y) || box(-0.9, 0.8, -0.8, 0.9)(x, y))), 'with a label beside it')
})

t.test('photographs, framed and tilted ones, several objects and patterns are no object', async (t) => {
  t.notOk(isOne({ ...scenePixels(1, { width: 240, height: 180 }), channels: 3 }))
  t.notOk(isOne(pictureOf(box(-0.7, -0.7, 0.7, 0.7))))
  t.notOk(isOne(pictureOf(tilted)))
  t.notOk(isOne(pictureOf((x, y) => shirt(2 * x - 1, 2 * y) || shirt(2 * x + 1, 2 * y))), 'two of them')
  t.notOk(isOne(pictureOf(shirt, (x) => (x % 80 < 40 ? 240 : 150))), 'on stripes')
  t.notOk(isOne(pictureOf((x, y) => shirt(x, y) || x < -0.8)), 'up to the border')
  t.notOk(isOne(pictureOf(() => false)), 'ground alone')
  const bar = (x: number, y: number) => box(-0.78, -0.84, -0.59, 0.59)(x, y) || box(-1, -0.375, -0.78, -0.19)(x, y)
  const other = box(0.81, -0.406, 1, -0.22)
  t.notOk(isOne(pictureOf((x, y) => bar(x, y) || other(x, y), undefined, SIDE)), 'at two borders')
})

t.test('whether a picture shows an object agrees with the definition', async () => {
  const place = fc.integer({ min: 1, max: 36 })
  const size = fc.integer({ min: 1, max: 28 })
  const shapes = fc.array(fc.tuple(place, place, size, size), { minLength: 1, maxLength: 4 })
  let objects = 0
  fc.assert(
    fc.property(shapes, fc.constantFrom(31, 32, 33, 90), (rectangles, contrast) => {
      const rgb = new Uint8Array(3 * SIDE * SIDE).fill(200)
      for (const [left, top, wide, high] of rectangles)
        for (let y = top; y < Math.min(SIDE, top + high); y++)
          rgb.fill(200 - contrast, 3 * (y * SIDE + left), 3 * (y * SIDE + Math.min(SIDE, left + wide)))
      const found = isObject({ width: SIDE, height: SIDE, rgb })
      objects += Number(found)
      assert.equal(found, isObjectByDefinition(rgb))
    }),
    { numRuns: runs(150), seed: 7 },
  )
  assert.ok(objects > runs(5))
})

t.test(
  'objects on a plain ground are queried by rotations of the whole, and not without its sides, where others are alike',
  async (t) => {
    const flower: Outline = (x, y) => Math.hypot(x, y) < 0.5 + 0.2 * Math.cos(5 * Math.atan2(y, x))
    const two: Outline = (x, y) => flower(2 * x - 0.9, 2 * y) || flower(2 * x + 0.9, 2 * y)
    const cut: Outline = (x, y) => flower(0.8 * x - 0.875, 0.8 * y)
    for (const [name, outline] of Object.entries({ flower, two, cut })) {
      const pixels = pictureOf(outline, (x, y) => 190 + ((7 * x + 13 * y) % 40))
      const { signals, isForm, isObject } = hasher.hash(pixels, 'query')
      t.notOk(isForm, name)
      t.equal(isObject, outline === flower, name)
      t.equal(signals.filter(({ view }) => view === 'tilted').length, 6, name)
    }
  },
)

t.test('it is told of queries only, and not of files with other frames', async (t) => {
  const pixels = pictureOf(shirt)
  t.equal((await hashImage(pixels)).isObject, true)
  t.equal((await hashImage(pictureOf(tilted))).isObject, undefined)
  t.equal(hasher.hash(pixels, 'register').isObject, false)
  t.equal(hasher.hash(pixels, 'query', 1, 'likely').isObject, false, 'a frame of a video')
  t.equal((await hashFrames([{ pixels }, { pixels }])).isObject, true, 'the same frame again')
  const other: Pixels = { ...scenePixels(5, { width: 240, height: 240 }), channels: 3 }
  t.equal((await hashFrames([{ pixels }, { pixels: other }])).isObject, undefined)
})

t.test('a cut-out is an object on either background, and an animation is one if each frame is', async (t) => {
  const [onWhite, onBlack] = [pictureOf(shirt, () => 255), pictureOf(shirt, () => 0)]
  const dark = (pixels: Pixels): Pixels => ({
    ...pixels,
    data: pixels.data.map((level) => (level < 255 ? level / 8 : level)),
  })
  const looks = async (...frames: readonly FilePicture[]) => (await hashFrames(frames)).isObject
  t.equal(await looks({ pixels: onWhite }, { pixels: onBlack, isSamePicture: true }), true)
  t.equal(isOne(dark(onBlack)), false, 'a black shirt cannot be seen on black')
  t.equal(await looks({ pixels: dark(onWhite) }, { pixels: dark(onBlack), isSamePicture: true }), true)
  const turned = pictureOf((x, y) => shirt(y, x))
  t.equal(await looks({ pixels: onWhite }, { pixels: turned }), true, 'two objects')
  const photograph: Pixels = { ...scenePixels(5, { width: 240, height: 240 }), channels: 3 }
  t.equal(await looks({ pixels: onWhite }, { pixels: onBlack, isSamePicture: true }, { pixels: photograph }), undefined)
})

/** By other algorithms: growing by passes, every corner of every cell, rectangles along all lines between two of them. */
function isObjectByDefinition(rgb: Uint8Array): boolean {
  const level = (cell: number) => rgb[3 * cell] ?? 0
  const cells = Array.from({ length: SIDE * SIDE }, (_, cell) => cell)
  const at = (cell: number) => [cell % SIDE, Math.floor(cell / SIDE)] as const
  const isBorder = (cell: number) => at(cell).some((place) => place === 0 || place === SIDE - 1)
  const border = cells.filter(isBorder)
  const median = border.map(level).sort((a, b) => a - b)[border.length >> 1] ?? 0
  const isNear = (cell: number) => Math.abs(level(cell) - median) <= 32
  if (border.filter(isNear).length < 0.95 * border.length) return false
  const grown = (start: readonly number[], isSo: (cell: number) => boolean) => {
    const part = new Set(start.filter(isSo))
    for (let size = -1; size !== part.size; ) {
      size = part.size
      for (const cell of cells) {
        const [x, y] = at(cell)
        const isBeside =
          cells.length > 0 &&
          [
            [x - 1, y],
            [x + 1, y],
            [x, y - 1],
            [x, y + 1],
          ].some(([u = -1, v = -1]) => u >= 0 && u < SIDE && v >= 0 && v < SIDE && part.has(v * SIDE + u))
        if (isBeside && isSo(cell)) part.add(cell)
      }
    }
    return part
  }
  const ground = grown(border, isNear)
  const rest = cells.filter((cell) => !ground.has(cell))
  if (rest.length === 0) return false
  let object = new Set<number>()
  const known = new Set<number>()
  for (const cell of rest) {
    if (known.has(cell)) continue
    const part = grown([cell], (other) => !ground.has(other))
    for (const one of part) known.add(one)
    if (part.size > object.size) object = part
  }
  if (object.size < 0.9 * rest.length) return false
  const corners = [...object].flatMap((cell) => {
    const [x, y] = at(cell)
    return [
      [x, y],
      [x + 1, y],
      [x, y + 1],
      [x + 1, y + 1],
    ] as [number, number][]
  })
  const hull = wrapped(corners)
  const share = hull.map(([ax, ay], i) => {
    const [bx, by] = hull[(i + 1) % hull.length] ?? [ax, ay]
    const [dx, dy] = [(bx - ax) / Math.hypot(bx - ax, by - ay), (by - ay) / Math.hypot(bx - ax, by - ay)]
    const across = corners.map(([x, y]) => x * dx + y * dy)
    const down = corners.map(([x, y]) => y * dx - x * dy)
    const span = (values: number[]) => values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b))
    return areaIn(hull) / (span(across) * span(down))
  })
  return Math.max(...share) <= 0.9
}

/** The convex hull by gift wrapping. */
function wrapped(corners: readonly [number, number][]): [number, number][] {
  const points = [...new Map(corners.map((corner) => [corner.join(), corner])).values()]
  const [first] = points.sort(([ax, ay], [bx, by]) => ax - bx || ay - by)
  const hull: [number, number][] = []
  for (let from = first; from !== undefined; ) {
    hull.push(from)
    const [x, y] = from
    let next: [number, number] | undefined
    for (const point of points) {
      if (point === from) continue
      const [dx, dy] = [(next?.[0] ?? x) - x, (next?.[1] ?? y) - y]
      const turn = dx * (point[1] - y) - dy * (point[0] - x)
      const isFarther = Math.hypot(point[0] - x, point[1] - y) > Math.hypot(dx, dy)
      if (next === undefined || turn < 0 || (turn === 0 && isFarther)) next = point
    }
    from = next === first ? undefined : next
  }
  return hull
}

function areaIn(hull: readonly [number, number][]): number {
  const doubled = hull.reduce((sum, [x, y], i) => {
    const [u, v] = hull[(i + 1) % hull.length] ?? [x, y]
    return sum + x * v - y * u
  }, 0)
  return Math.abs(doubled) / 2
}
