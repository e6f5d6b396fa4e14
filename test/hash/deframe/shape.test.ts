import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { inscribed, isShape, outlineOf, type Shape } from '../../../packages/hash/src/deframe/shape.js'
import { cutOut, type Pixels } from '../../../packages/hash/src/pixels.js'
import { rasterOf, wholeOf } from '../../../packages/hash/src/raster.js'
import { overlapOf, type Rectangle } from '../../../packages/hash/src/rectangle.js'
import { scenePixels } from '../../helpers/pictures.js'
import { runs } from '../../helpers/runs.js'
import { pictures, plain } from '../patterns.js'
import { drawn, noisy, photographed } from '../synthetic.js'
import { findEachOther, hasher, nearest } from './nearest.js'

const SIDE = 240

/** Whether a point, given from −1 to 1, belongs to the shape. */
type Outline = (x: number, y: number) => boolean
const circle: Outline = (x, y) => x * x + y * y < 1
const rounded =
  (radius: number): Outline =>
  (x, y) => {
    const [across, down] = [Math.max(0, Math.abs(x) - 1 + radius), Math.max(0, Math.abs(y) - 1 + radius)]
    return across * across + down * down < radius * radius
  }
const heart: Outline = (x, y) => {
  const [a, b] = [x * 1.15, 0.3 - y * 1.2]
  return (a * a + b * b - 1) ** 3 - a * a * b ** 3 < 0
}
/** Its sides are straight. 0.36 of its box is background. */
const pointed: Outline = (x, y) => {
  const down = (y + 1) / 2
  return down < 0.27 ? (Math.abs(x) - 0.5) ** 2 / 0.25 + (down / 0.27 - 1) ** 2 < 1 : Math.abs(x) < (1 - down) / 0.6
}

t.test('a circle, round corners and a heart are found on any colour', async (t) => {
  const middle = inscribed({ left: 0, top: 0, right: SIDE, bottom: SIDE })
  for (const [name, outline] of Object.entries({ circle, 'round corners': rounded(0.46), 'small ones': rounded(0.16) })) {
    for (const colour of [255, 0, 90]) {
      const shape = shapeIn(shaped(1, outline, { colour }))
      t.ok(shape?.middle !== undefined && overlapOf(shape.middle, middle) > 0.97, `${name} on ${colour}`)
      t.ok(shape !== undefined && isFree(outline, shape.inside), `all of its free part: ${name} on ${colour}`)
    }
  }
  for (const [name, outline] of Object.entries({ heart, 'a pointed heart': pointed })) {
    for (const colour of [255, 0]) {
      const shape = shapeIn(shaped(1, outline, { colour }))
      t.ok(shape !== undefined && isFree(outline, shape.inside), `${name} on ${colour}`)
      t.equal(shape?.middle, undefined)
    }
  }
})

t.test('a shape is found with room around it, and where one side of it has the background’s colour', async (t) => {
  const roomy = shapeIn(shaped(2, circle, { colour: 255, scale: 0.8 }))
  const [from, to] = [SIDE / 2 - 0.8 * (SIDE / 2), SIDE / 2 + 0.8 * (SIDE / 2)]
  const middle = inscribed({ left: from, top: from, right: to, bottom: to })
  t.ok(roomy?.middle !== undefined && overlapOf(roomy.middle, middle) > 0.97)
  const sky = shaped(2, rounded(0.4), { colour: 255, paint: (x, y, level) => (x > 0.4 && y < -0.2 ? 255 : level) })
  t.ok(shapeIn(sky) !== undefined)
})

t.test('a circle and round corners are whole where the picture inside has the background’s colour', async (t) => {
  const middle = inscribed({ left: 0, top: 0, right: SIDE, bottom: SIDE })
  const [left, both] = [(x: number) => x < -0.3, (x: number) => Math.abs(x) > 0.4]
  for (const [name, outline] of Object.entries({ circle, 'round corners': rounded(0.46) })) {
    for (const isLight of [left, both]) {
      const paint = (x: number, y: number, level: number) => (isLight(x) && Math.abs(y - 0.7) < 0.1 ? 255 : level)
      const shape = shapeIn(shaped(2, outline, { colour: 255, paint }))
      t.ok(shape?.middle !== undefined && overlapOf(shape.middle, middle) > 0.97, name)
      t.same(shape?.frames, [], 'its box is where the picture ended')
    }
  }
})

t.test('a bottle, a shirt, a word, a scene or a frame is no shape', async (t) => {
  const bottle: Outline = (x, y) => Math.abs(x - 0.1 * y) < (y < -0.3 ? 0.25 : 0.6)
  const shirt: Outline = (x, y) => Math.abs(x) < (y < -0.2 && x > 0 ? 0.95 : 0.6) && Math.abs(y) < 0.9
  const word: Outline = (x, y) => Math.floor((x + 1) * 6) % 2 === 0 && Math.abs(y) < 0.3
  for (const [name, outline] of Object.entries({ bottle, shirt, word }))
    t.equal(shapeIn(shaped(3, outline, { colour: 255 })), undefined, name)
  t.equal(shapeIn({ ...scenePixels(3), channels: 3 }), undefined)
  t.equal(shapeIn(shaped(3, () => true, { colour: 0, scale: 0.8 })), undefined, 'a frame')
  t.equal(shapeIn(plain(300, 300, 255)), undefined)
  t.equal(shapeIn(plain(1, 900, 255)), undefined)
})

t.test('the inside of a shape lies within any picture', async () => {
  const assertWithin = (pixels: Pixels) => {
    const inside = shapeIn(pixels)?.inside
    if (inside === undefined) return
    const { right, bottom } = wholeOf(rasterOf(pixels))
    assert.ok(inside.left >= 0 && inside.top >= 0 && inside.right <= right && inside.bottom <= bottom)
    assert.ok(inside.left < inside.right && inside.top < inside.bottom)
  }
  for (const [width, height] of [
    [1, 10_000],
    [10_000, 1],
    [33, 33],
  ] as const)
    assertWithin(noisy(1, width, height, 3))
  fc.assert(fc.property(pictures(fc.integer({ min: 1, max: 250 })), assertWithin), { numRuns: runs(20) })
})

t.test('a picture in a circle and the uncut picture find each other', async (t) => {
  for (const seed of [4, 7, 11]) {
    const original = shaped(seed, () => true, { colour: 0 })
    for (const colour of [255, 0]) {
      const masked = shaped(seed, circle, { colour })
      findEachOther(t, masked, original, 20, `${seed} on ${colour}`)
    }
  }
})

t.test('a picture with round corners and the uncut picture find each other, although an app cropped it', async (t) => {
  const [square, wide, tall] = [photographed(4, 300, 300), photographed(7, 400, 300), photographed(11, 240, 360)]
  for (const [name, original, width, height] of [
    ['a square', square, 226, 300],
    ['a wide picture', wide, 226, 300],
    ['a wide picture to a square', wide, 300, 300],
    ['a tall picture to a square', tall, 240, 240],
  ] as const) {
    const [left, top] = [(original.width - width) / 2, (original.height - height) / 2]
    const cropped = cutOut(original, { left, top, right: left + width, bottom: top + height })
    for (const radius of [0.16, 0.46]) {
      const copy = masked(cropped, rounded(radius), 255)
      findEachOther(t, copy, original, 31, `${name}, ${radius}`)
    }
  }
})

t.test('a picture in a heart and the uncut picture find each other, wherever the heart lies in it', async (t) => {
  for (const [seed, width, height] of [
    [4, 300, 300],
    [7, 400, 300],
    [11, 300, 400],
  ] as const) {
    const original = photographed(seed, width, height)
    const [left, top] = [(width - 300) / 2, (height - 300) / 2]
    const square = cutOut(original, { left, top, right: left + 300, bottom: top + 300 })
    for (const above of [0, 0.5, 1]) {
      const copy = masked(square, heartWith(above), seed === 7 ? 0 : 255)
      t.ok(nearest(copy, original) <= 42, `${seed}, ${above}: ${nearest(copy, original)}`)
      if (height > width) continue
      const bits = nearest(original, copy, (view, purpose) => view !== 'crop' || purpose === 'register')
      t.ok(bits <= 42, `the other direction: ${bits}`)
    }
  }
})

t.test('a picture and what a heart with room around it left of it find each other', async (t) => {
  for (const seed of [4, 11]) {
    const original = photographed(seed, 300, 300)
    for (const size of [0.96, 0.9, 0.8, 0.7])
      findEachOther(t, masked(original, within(heart, size), 255), original, 42, `${seed}, ${size}`)
  }
})

t.test('a picture in the heart of an icon on a larger canvas and the uncut picture find each other', async (t) => {
  for (const seed of [4, 11]) {
    const original = photographed(seed, 300, 300)
    const icon = masked(original, within(heartWith(0.5), 1 / 1.2), 255)
    findEachOther(t, onCanvas(icon, 420), original, 42, `${seed}`)
  }
})

t.test('a picture and what a star, a diamond, an arch or a piece of a puzzle left of it find each other', async (t) => {
  for (const [name, outline] of Object.entries({ star, diamond, arch, piece })) {
    for (const seed of [4, 7]) {
      const original = photographed(seed, 300, 300)
      const copy = masked(original, within(outline, 0.94), seed === 4 ? 255 : 0)
      t.equal(shapeIn(copy), undefined)
      findEachOther(t, copy, original, 42, `${name}, ${seed}`)
    }
  }
})

t.test('a picture has an outline where much of it is left, and most of its border is plain', async (t) => {
  const outlineIn = (pixels: Pixels) => outlineOf(rasterOf(pixels), pixels.width / pixels.height)
  t.equal(outlineIn(shaped(3, within(star, 0.1), { colour: 255 })), undefined)
  t.equal(outlineIn({ ...scenePixels(3), channels: 3 }), undefined)
  t.equal(outlineIn(shaped(3, () => true, { colour: 0, scale: 0.8 })), undefined, 'a frame')
  const half: Outline = (x, y) => x > -0.9 && y < 0.3 * x + 0.5 && y > -0.6
  t.not(outlineIn(shaped(3, half, { colour: 255 })), undefined)
  const notched: Outline = (x, y) => x + y >= -1.3 && y - x <= 1.5 && (x < 0.985 || Math.abs(y) < 0.985)
  t.equal(outlineIn(shaped(3, notched, { colour: 255 })), undefined, 'only corners are cut off')
  const band =
    (high: number): Outline =>
    (x, y) =>
      Math.max(Math.abs(x), Math.abs(y)) < 0.8 && Math.abs(y - 0.8 * x - 0.1) < high
  t.equal(outlineIn(shaped(3, band(0.1), { colour: 255 })), undefined, 'too little of the picture is left')
  t.not(outlineIn(shaped(3, band(0.45), { colour: 255 })), undefined)
})

t.test('two pictures in one shape share at most the whole, the only view that has its corners', async (t) => {
  for (const [name, outline] of Object.entries({ circle, heart, 'round corners': rounded(0.46) })) {
    const [one, other] = [7, 8].map((seed) => shaped(seed, outline, { colour: 255 }))
    if (one === undefined || other === undefined) throw new Error('two')
    const bits = nearest(one, other, (view) => view === 'piece')
    t.ok(bits > 60, `${name}: ${bits}`)
    const kinds = hasher.hash(one, 'register').signals.map(({ type, view }) => `${type} ${view}`)
    t.equal(kinds.filter((kind) => kind.includes('whole')).length, 2, kinds.join())
    t.notOk(kinds.includes('pdq-area tilted'))
  }
})

function shapeIn(pixels: Pixels): Shape | undefined {
  const outline = outlineOf(rasterOf(pixels), pixels.width / pixels.height)
  return isShape(outline) ? outline : undefined
}

/** An outline in a part of the picture, of this size, in the middle. */
const within =
  (outline: Outline, size: number): Outline =>
  (x, y) =>
    Math.abs(x) < size && Math.abs(y) < size && outline(x / size, y / size)

const star: Outline = (x, y) => {
  const turn = (Math.PI / 5) * 2
  const angle = Math.atan2(x, -y)
  const beside = Math.abs(angle - turn * Math.round(angle / turn))
  return Math.hypot(x, y) < 1 / (Math.cos(beside) + 1.1 * Math.sin(beside))
}
const diamond: Outline = (x, y) => Math.abs(x) + Math.abs(y) < 1.1
const arch: Outline = (x, y) => y > 0 || x * x + y * y < 1
const piece: Outline = (x, y) =>
  (x < 0.6 && y > -0.6) || (x + 0.2) ** 2 + (y + 0.7) ** 2 < 0.09 || (x - 0.7) ** 2 + (y - 0.2) ** 2 < 0.09

/** A heart as wide as the picture, a tenth less high. @param above the share of the rest that lies above it. */
function heartWith(above: number): Outline {
  return (x, y) => {
    const v = (y + 1 - 0.2 * above) / 1.8
    if (v < 0.3) return (Math.abs(x) - 0.5) ** 2 / 0.25 + ((v - 0.3) / 0.3) ** 2 < 1
    return v < 1 && Math.abs(x) < Math.sqrt((1 - v) / 0.7)
  }
}

function masked(picture: Pixels, outline: Outline, colour: number): Pixels {
  const { width, height } = picture
  const side = Math.min(width, height)
  const data = Uint8Array.from(picture.data, (level, k) => {
    const [x, y] = [Math.floor(k / 3) % width, Math.floor(k / 3 / width)]
    // Beside the middle square, round corners are as those of the square.
    const from = (at: number, length: number) => {
      const beyond = Math.max(0, Math.abs(2 * at + 1 - length) - (length - side))
      return (Math.sign(2 * at + 1 - length) * beyond) / side
    }
    return outline(from(x, width), from(y, height)) ? level : colour
  })
  return { ...picture, data }
}

/** In the middle of a white canvas. */
function onCanvas({ data, width, height }: Pixels, side: number): Pixels {
  const larger = new Uint8Array(3 * side * side).fill(255)
  const [left, top] = [(side - width) / 2, (side - height) / 2]
  for (let y = 0; y < height; y++)
    larger.set(data.subarray(3 * y * width, 3 * (y + 1) * width), 3 * ((top + y) * side + left))
  return { data: larger, width: side, height: side, channels: 3 }
}

function isFree(outline: Outline, { left, top, right, bottom }: Rectangle): boolean {
  const place = (at: number) => (2 * at) / SIDE - 1
  return [left + 2, right - 2].every((x) => [top + 2, bottom - 2].every((y) => outline(place(x), place(y))))
}

interface Drawing {
  readonly colour: number
  /** Size of the shape, as a share of the side. */
  readonly scale?: number
  readonly paint?: (x: number, y: number, level: number) => number
}

/** A scene in a shape on one colour, with noise as in photographs. */
function shaped(seed: number, outline: Outline, { colour, scale = 1, paint = (_x, _y, level) => level }: Drawing): Pixels {
  const scene = drawn(seed, SIDE, SIDE)
  const data = Uint8Array.from(scene.data)
  for (let k = 0; k < data.length; k++) {
    const [x, y] = [Math.floor(k / 3) % SIDE, Math.floor(k / 3 / SIDE)].map((at) => ((2 * at + 1) / SIDE - 1) / scale)
    if (x === undefined || y === undefined) continue
    const isOfShape = Math.abs(x) < 1 && Math.abs(y) < 1 && outline(x, y)
    data[k] = isOfShape ? paint(x, y, data[k] ?? 0) : colour
  }
  return { data, width: SIDE, height: SIDE, channels: 3 }
}

/** The least distance between any view of a query and any registered one, of those that count. */
