import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { blocksOf } from '../../../packages/hash/src/deframe/page-blocks.js'
import { smallPicturesOf } from '../../../packages/hash/src/deframe/small-pictures.js'
import { loadFrameKernelSync } from '../../../packages/hash/src/frame-kernel.js'
import { cutOut, type Pixels } from '../../../packages/hash/src/pixels.js'
import { areaOf, overlapOf, type Rectangle } from '../../../packages/hash/src/rectangle.js'
import { runs } from '../../helpers/runs.js'
import { chessboard, lined, onto, pictures, plain, shaded } from '../patterns.js'
import { noisy, photographed } from '../synthetic.js'
import { nearest } from './nearest.js'

const kernel = loadFrameKernelSync()
const SCREEN = { width: 360, height: 640 }

t.test('each cell of a grid is proposed, with gaps or without', async (t) => {
  for (const [columns, gap] of [
    [2, 0],
    [3, 0],
    [3, 2],
    [3, 6],
    [4, 1],
    [4, 8],
  ] as const) {
    const { screen, cells } = gridOf(columns, gap)
    const parts = partsOf(screen)
    const missed = cells.filter((cell) => parts.every((part) => overlapOf(part, cell) < 0.93))
    t.same(missed, [], `${columns} columns, gaps of ${gap}`)
  }
})

t.test('a picture is found in a grid of square crops', async (t) => {
  for (const gap of [0, 2]) {
    const { screen, originals } = gridOf(3, gap)
    for (const at of [1, 5]) {
      const original = originals[at] ?? plain(64, 64, 0)
      t.ok(nearest(screen, original) <= 31, `gaps of ${gap}, picture ${at}: ${nearest(screen, original)}`)
    }
  }
})

t.test('a preview with round corners is found between the messages of a chat', async (t) => {
  for (const seed of [4, 7, 11]) {
    const original = photographed(seed, 96, 128)
    const chat = onto(rounded(original, 14), messages(), 24, 230)
    t.ok(nearest(chat, original) <= 42, `${seed}: ${nearest(chat, original)}`)
  }
})

t.test('a picture is found that fills the left of a card with text beside it', async (t) => {
  for (const seed of [4, 7, 11]) {
    const original = photographed(seed, 90, 90)
    // The reduction of a screenshot blends the card's edges with the page.
    const card = shaded(330, 92, (x, y) => {
      if (y === 0 || y === 91) return [242, 243, 244]
      return x > 110 && y % 18 > 9 && (x * 7 + y) % 11 < 4 ? [40, 40, 40] : [226, 228, 232]
    })
    const page = onto(onto(original, card, 0, 1), plain(SCREEN.width, SCREEN.height, 255), 15, 200)
    t.ok(partsOf(page).some((part) => overlapOf(part, { left: 15, top: 201, right: 105, bottom: 291 }) > 0.97))
    t.ok(nearest(page, original) <= 31, `${seed}: ${nearest(page, original)}`)
  }
})

t.test('a small picture is also cropped to the nearest shapes that registrations have, unless it has one', async (t) => {
  const cropsOf = (width: number, height: number) =>
    partsOf(onto(photographed(7, width, height), plain(SCREEN.width, SCREEN.height, 255), 24, 230)).map((part) => [
      Math.round(part.right - part.left),
      Math.round(part.bottom - part.top),
    ])
  t.same(cropsOf(90, 135), [
    [90, 135],
    [76, 135],
    [90, 113],
  ])
  t.notOk(cropsOf(120, 120).some(([width, height]) => width === 96 && height === 120))
})

t.test('a plain sky is not cut off a picture, and the picture without it is proposed, too', async (t) => {
  const sky = photographed(3, 120, 120)
  sky.data.fill(150, 0, 3 * 120 * 50)
  const page = onto(sky, plain(SCREEN.width, SCREEN.height, 255), 30, 200)
  const parts = kernel.measure(page, blocksOf)
  const isProposed = (part: Rectangle) => parts.some((other) => overlapOf(part, other) > 0.95)
  t.ok(isProposed({ left: 30, top: 200, right: 150, bottom: 320 }))
  t.ok(isProposed({ left: 30, top: 250, right: 150, bottom: 320 }))
})

t.test('cards of text and icons are not proposed', async (t) => {
  t.same(partsOf(messages()), [])
})

t.test('an object on a plain ground is no small picture', async (t) => {
  t.same(partsOf(onto(photographed(7, 240, 480), plain(SCREEN.width, SCREEN.height, 255), 60, 80)), [])
})

t.test('a photograph has no small pictures', async (t) => {
  for (const seed of [1, 2, 3, 4, 5]) t.same(partsOf(photographed(seed, 300, 400)), [])
})

t.test('no picture has more than 36 small ones, all of them within it', async () => {
  const hostile = [
    plain(300, 300, 255),
    chessboard(640, 640, 40),
    chessboard(640, 480, 7),
    lined(640, 640, 64, 20),
    noisy(1, 640, 32, 3),
    nested(),
    gridOf(8, 6).screen,
  ]
  for (const picture of hostile) assertBounded(picture)
  fc.assert(fc.property(pictures(fc.integer({ min: 32, max: 250 })), assertBounded), { numRuns: runs(30) })
})

function assertBounded(picture: Pixels): void {
  kernel.measure(picture, (measured) => {
    const parts = smallPicturesOf(measured, picture.width / picture.height, [])
    assert.ok(parts.length <= 36, `${parts.length}`)
    assert.ok(blocksOf(measured).length <= 600, `${blocksOf(measured).length}`)
    for (const part of parts) {
      assert.ok(part.left >= 0 && part.top >= 0 && part.right <= measured.width && part.bottom <= measured.height)
      assert.ok(areaOf(part) > 0)
    }
  })
}

function partsOf(picture: Pixels): Rectangle[] {
  return kernel.measure(picture, (measured) => smallPicturesOf(measured, picture.width / picture.height, []))
}

/** A profile: a header of one colour, and below it squares of pictures, the last row cut off by a bar. */
function gridOf(columns: number, gap: number): { screen: Pixels; cells: Rectangle[]; originals: Pixels[] } {
  const side = Math.floor((SCREEN.width - gap * (columns - 1)) / columns)
  const [top, bottom] = [200, 590]
  let screen = plain(columns * side + gap * (columns - 1), SCREEN.height, 250)
  const cells: Rectangle[] = []
  const originals: Pixels[] = []
  for (let y = top; y < bottom; y += side + gap) {
    for (let column = 0; column < columns; column++) {
      const original = photographed(20 + originals.length, side, Math.round(1.4 * side))
      const square = {
        left: 0,
        top: Math.round(0.2 * side),
        right: side,
        bottom: Math.round(0.2 * side) + Math.min(side, bottom - y),
      }
      const left = column * (side + gap)
      screen = onto(cutOut(original, square), screen, left, y)
      originals.push(original)
      if (y + side <= bottom) cells.push({ left, top: y, right: left + side, bottom: y + side })
    }
  }
  return { screen, cells, originals }
}

/** Bubbles of one colour with words, which have longer edges than a preview has. */
function messages(): Pixels {
  return shaded(SCREEN.width, SCREEN.height, (x, y) => {
    const isBubble = y % 70 < 44 && x > 20 && x < 300 && (y < 210 || y > 400)
    if (!isBubble) return [255, 255, 255]
    return y % 70 > 14 && y % 70 < 30 && (x * 5 + y * 3) % 13 < 5 ? [30, 30, 30] : [214, 236, 255]
  })
}

function rounded(picture: Pixels, radius: number): Pixels {
  const { width, height, data } = picture
  return shaded(width, height, (x, y) => {
    const [dx, dy] = [Math.max(radius - x, x - (width - 1 - radius), 0), Math.max(radius - y, y - (height - 1 - radius), 0)]
    return dx * dx + dy * dy > radius * radius
      ? [255, 255, 255]
      : [...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)]
  })
}

/** Frames of two colours inside one another. */
function nested(): Pixels {
  return shaded(600, 600, (x, y) => {
    const depth = Math.min(x, y, 599 - x, 599 - y)
    return depth % 20 < 10 ? [255, 255, 255] : [40, 90, 160]
  })
}
