// Padding around a picture in a bubble or a card.

import t from 'tap'
import { withoutPadding } from '../../../packages/hash/src/deframe/trim.js'
import type { Rectangle } from '../../../packages/hash/src/rectangle.js'

const [WIDTH, HEIGHT] = [240, 200]
const PICTURE = { left: 20, top: 30, right: 220, bottom: 170 }
const [BACKGROUND, BUBBLE, SKY] = [240, 180, 200]

type Inset = Readonly<Record<keyof Rectangle, number>>

const around = (part: Rectangle, { left, top, right, bottom }: Inset): Rectangle => {
  return { left: part.left - left, top: part.top - top, right: part.right + right, bottom: part.bottom + bottom }
}
const all = (px: number): Inset => ({ left: px, top: px, right: px, bottom: px })
const isIn = ({ left, top, right, bottom }: Rectangle, x: number, y: number) =>
  x >= left && x < right && y >= top && y < bottom

/** A picture of noise in a bubble with round corners of `radius` pixels, on a background. */
function drawn(bubble: Rectangle, { radius = 0, isSky = false } = {}) {
  const rgb = new Uint8Array(3 * WIDTH * HEIGHT)
  const isCut = (x: number, y: number) => {
    const dx = Math.max(bubble.left + radius - x, x - (bubble.right - 1 - radius), 0)
    const dy = Math.max(bubble.top + radius - y, y - (bubble.bottom - 1 - radius), 0)
    return dx ** 2 + dy ** 2 > radius ** 2
  }
  const shadeAt = (x: number, y: number) => {
    if (!isIn(bubble, x, y) || isCut(x, y)) return BACKGROUND
    if (!isIn(PICTURE, x, y)) return BUBBLE
    return isSky && y < PICTURE.top + 40 ? SKY : Math.imul(x * 31 + y * 17 + 1, 0x9e3779b1) >>> 24
  }
  for (let i = 0; i < WIDTH * HEIGHT; i++) rgb.fill(shadeAt(i % WIDTH, Math.floor(i / WIDTH)), 3 * i, 3 * i + 3)
  return { width: WIDTH, rgb }
}

t.test('padding of a bubble is removed, with the background around its round corners', async (t) => {
  const bubble = around(PICTURE, all(5))
  t.same(withoutPadding(drawn(bubble), bubble), PICTURE)
  t.same(withoutPadding(drawn(bubble, { radius: 9 }), bubble), PICTURE, 'with round corners')
  t.same(withoutPadding(drawn(bubble, { radius: 9 }), around(bubble, all(2))), PICTURE, 'with some background')
  const three = around(PICTURE, { left: 4, top: 4, right: 4, bottom: 0 })
  t.same(withoutPadding(drawn(three), three), PICTURE, 'at three sides')
  t.same(
    withoutPadding(drawn(bubble), { ...bubble, rank: 7 }),
    { ...PICTURE, rank: 7 },
    'what else is known of a part stays',
  )
})

t.test('what belongs to the picture stays', async (t) => {
  t.same(withoutPadding(drawn(PICTURE), PICTURE), PICTURE, 'without padding')
  t.same(withoutPadding(drawn(PICTURE, { isSky: true }), PICTURE), PICTURE, 'a sky')
  for (const sides of [
    { left: 4, top: 0, right: 4, bottom: 0 },
    { left: 0, top: 4, right: 0, bottom: 4 },
  ]) {
    const bubble = around(PICTURE, sides)
    t.same(withoutPadding(drawn(bubble), bubble), bubble, 'bars at two sides')
  }
  const bubble = around(PICTURE, { left: 4, top: 0, right: 4, bottom: 0 })
  t.same(withoutPadding(drawn(bubble, { isSky: true }), bubble), bubble, 'bars, and a sky of another colour')
})

t.test('a wider margin is no padding, and a plain box has none', async (t) => {
  const wide = around(PICTURE, all(16))
  t.same(withoutPadding(drawn(wide), wide), wide)
  const box = { left: 30, top: 40, right: 90, bottom: 80 }
  t.same(withoutPadding({ width: WIDTH, rgb: new Uint8Array(3 * WIDTH * HEIGHT) }, box), box)
})
