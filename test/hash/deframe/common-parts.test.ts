import t from 'tap'
import { common, middleOf } from '../../../packages/hash/src/deframe/common-parts.js'
import { MAX_AREA_SIGNALS } from '../../../packages/hash/src/image-hasher.js'
import { cutOut, type Pixels } from '../../../packages/hash/src/pixels.js'
import type { Rectangle } from '../../../packages/hash/src/rectangle.js'
import { onto } from '../patterns.js'
import { photographed } from '../synthetic.js'
import { areas, findEachOther, nearest } from './nearest.js'

t.test('each centred crop from a phone’s screen to a wide one has a part in common with the picture', async (t) => {
  for (const [width, height] of [
    [300, 300],
    [400, 300],
    [300, 400],
  ] as const) {
    const whole = { left: 0, top: 0, right: width, bottom: height }
    for (const shape of [0.42, 9 / 16, 0.75, 1, 1.5, 1.7]) {
      const [across, down] = [Math.min(width, height * shape), Math.min(height, width / shape)]
      const crop = {
        left: (width - across) / 2,
        top: (height - down) / 2,
        right: (width + across) / 2,
        bottom: (height + down) / 2,
      }
      const [ofWhole, ofCrop] = [common(whole, width / height), common(crop, shape)]
      t.ok(
        ofWhole.some((one) => ofCrop.some((other) => isSame(one, other))),
        `${width} × ${height} cropped to ${shape}`,
      )
    }
  }
})

t.test('a picture on a page, cropped to a wide screen, and the uncut picture find each other', async (t) => {
  const page = shaded(760, 560, (_x, y) => (y > 430 && y < 450 ? 150 : 240))
  for (const seed of [4, 7, 11]) {
    const original = photographed(seed, 480, 480)
    const post = onto(cutOut(original, { left: 0, top: 90, right: 480, bottom: 390 }), page, 140, 80)
    findEachOther(t, post, original, 31, String(seed))
  }
})

t.test('a picture on a tablet, cropped to its screen, and the uncut picture find each other', async (t) => {
  const body = shaded(760, 560, (x, y) => (isOfTablet(x, y) ? 10 : 240))
  for (const seed of [4, 7, 11]) {
    const original = photographed(seed, 480, 480)
    const tablet = onto(cutOut(original, { left: 0, top: 65, right: 480, bottom: 415 }), body, 140, 105)
    findEachOther(t, tablet, original, 42, String(seed))
  }
})

t.test('a tall picture is found in a circle, even with so many parts that not all are registered', async (t) => {
  for (const seed of [1, 22]) {
    const tall = photographed(seed, 360, 480)
    t.equal(areas(tall, 'register').length, MAX_AREA_SIGNALS)
    t.ok(nearest(circleOf(tall), tall) <= 20, `${seed}: ${nearest(circleOf(tall), tall)}`)
  }
})

t.test('the middle is the square that a circle around the middle square leaves', async (t) => {
  const { left, top, right, bottom } = middleOf({ left: 0, top: 0, right: 400, bottom: 200 }, 2)
  for (const [x, y] of [
    [left, top],
    [right, bottom],
  ] as const)
    t.ok(Math.abs(Math.hypot(x - 200, y - 100) - 100) < 1e-9)
  t.ok(Math.abs(right - left - (bottom - top)) < 1e-9)
})

function isSame(one: Rectangle, other: Rectangle): boolean {
  return (['left', 'top', 'right', 'bottom'] as const).every((side) => Math.abs(one[side] - other[side]) < 1e-6)
}

/** A body with round corners. */
function isOfTablet(x: number, y: number): boolean {
  const [across, down] = [Math.max(0, Math.abs(x - 380) - 240), Math.max(0, Math.abs(y - 280) - 175)]
  return across * across + down * down < 40 * 40
}

function shaded(width: number, height: number, levelAt: (x: number, y: number) => number): Pixels {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, k) =>
    levelAt(Math.floor(k / 3) % width, Math.floor(k / 3 / width)),
  )
  return { data, width, height, channels: 3 }
}

/** The middle square of a picture, in a circle on black. */
function circleOf(picture: Pixels): Pixels {
  const side = Math.min(picture.width, picture.height)
  const [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2]
  const square = cutOut(picture, { left, top, right: left + side, bottom: top + side })
  const isIn = (k: number) => Math.hypot((k % side) + 0.5 - side / 2, Math.floor(k / side) + 0.5 - side / 2) < side / 2
  return { ...square, data: Uint8Array.from(square.data, (level, k) => (isIn(Math.floor(k / 3)) ? level : 0)) }
}

/** The least distance between any view of a query and any registered one. */
