// Parts that only queries hash: crops of the query, and the middle of a picture in a chat.

import t from 'tap'
import { loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import type { ImageSignal } from '../../packages/hash/src/image-hasher.js'
import { cutOut, type Pixels } from '../../packages/hash/src/pixels.js'
import { overlapOf } from '../../packages/hash/src/rectangle.js'
import { viewsOf } from '../../packages/hash/src/views.js'
import { areas, hasher, nearest } from './deframe/nearest.js'
import { photographed } from './synthetic.js'

const kernel = loadFrameKernelSync()
const SEEDS = [2, 7, 22]
const [WIDTH, HEIGHT] = [640, 480]
const LEFT = 32
const TOP = 24

/** Cut off, in twentieths: left, top, right, bottom. */
type Cut = readonly [left: number, top: number, right: number, bottom: number]

function cropped(picture: Pixels, [left, top, right, bottom]: Cut): Pixels {
  return cutOut(picture, { left: left * LEFT, top: top * TOP, right: WIDTH - right * LEFT, bottom: HEIGHT - bottom * TOP })
}

t.test('a copy without a twentieth at one side is found by its original, and finds it, also on a page', async (t) => {
  const sides: readonly Cut[] = [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ]
  for (const seed of SEEDS) {
    const original = photographed(seed, WIDTH, HEIGHT)
    for (const side of sides) {
      const copy = cropped(original, side)
      t.ok(nearest(original, copy) <= 4, `${seed}, ${side} registered: ${nearest(original, copy)}`)
      t.ok(nearest(copy, original) <= 31, `${seed}, ${side} asked about: ${nearest(copy, original)}`)
      const page = onPage(copy)
      t.ok(nearest(page, original) <= 4, `${seed} without ${side}: ${nearest(page, original)}`)
    }
  }
})

t.test('a picture in a chat finds its middle, which was registered, although the chat looks like a form', async (t) => {
  for (const seed of SEEDS) {
    const picture = photographed(seed, 480, 360)
    const screen = chat(picture)
    t.ok(hasher.hash(screen, 'query').isForm, `${seed} is a form`)
    t.ok(nearest(screen, middleOf(picture)) <= 20, `${seed}: ${nearest(screen, middleOf(picture))}`)
  }
})

t.test('the second picture of a page finds its middle, which was registered', async (t) => {
  const [width, height] = [640, 960]
  for (const seed of [2, 7]) {
    const [first, second] = [photographed(seed + 50, 480, 360), photographed(seed, 480, 360)]
    const page = onto(second, onto(first, shadedGround(width, height), width, 60, 60).data, width, 90, 520)
    t.ok(nearest(page, middleOf(second)) <= 31, `${seed}: ${nearest(page, middleOf(second))}`)
  }
})

t.test(
  'a screenshot registers its second picture, and not an app’s header or footer, which other screens share',
  async (t) => {
    const [width, height] = [640, 960]
    const layouts = {
      header: { picture: photographed(52, 480, 420), above: 480, second: [120, 80, 520, 320] },
      footer: { picture: photographed(52, 480, 360), above: 60, second: [90, 560, 490, 860] },
    } as const
    for (const [name, { picture, above, second }] of Object.entries(layouts)) {
      const [left, top, right, bottom] = second
      const registers = (shown: Pixels) => {
        const page = onto(shown, onto(picture, shadedGround(width, height), width, 60, above).data, width, left, top)
        return kernel.measure(page, (raster) =>
          viewsOf(raster, width / height, 'register').some(({ kind, part }) => {
            if (kind !== 'deframed' || !('left' in part)) return false
            const [across, down] = [width / raster.width, height / raster.height]
            const rectangle = {
              ...{ left: part.left * across, right: part.right * across },
              top: part.top * down,
              bottom: part.bottom * down,
            }
            return overlapOf(rectangle, { left, top, right, bottom }) > 0.9
          }),
        )
      }
      for (const seed of SEEDS)
        t.ok(registers(photographed(seed, right - left, bottom - top)), `${name}: a picture, ${seed}`)
      for (const colour of [250, 160, 60])
        t.notOk(registers(words(right - left, bottom - top, colour)), `${name} of colour ${colour}`)
    }
  },
)

t.test('a form is not queried by crops of itself, which other forms of its kind share', async (t) => {
  const form = chat(photographed(7, 480, 360))
  t.ok(hasher.hash(form, 'query').isForm)
  const isAtSide = ({ view, part }: ImageSignal) => view === 'crop' && part !== undefined && part.left + part.right !== 1
  t.same(areas(form, 'query').filter(isAtSide), [])
  t.ok(areas(onPage(photographed(7, 480, 360)), 'query').some(isAtSide), 'a page is')
})

t.test('a photograph is queried as a whole without each side, and a page or a form is not', async (t) => {
  const photograph = photographed(7, 480, 360)
  const tilted = (picture: Pixels) => areas(picture, 'query', (view) => view === 'tilted').length
  t.equal(tilted(photograph), ROTATIONS + 4)
  t.ok(tilted(onPage(photograph)) <= ROTATIONS, 'a picture in a frame')
  t.ok(hasher.hash(striped(), 'query').isForm)
  t.ok(tilted(striped()) <= ROTATIONS, 'a form without a frame')
})

/** How many rotations of a query are hashed. */
const ROTATIONS = 6

/** So shaded that no row or column has one colour. Otherwise the second part would be the page without its margins. */
function shadedGround(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: 3 * width * height }, (_, k) => {
    const pixel = Math.floor(k / 3)
    return 120 + ((pixel % width) + Math.floor(pixel / width)) / 14
  })
}

/** Lines of text on one colour. */
function words(width: number, height: number, colour: number): Pixels {
  const isInk = (x: number, y: number) =>
    y % 36 >= 20 && x > 30 && x < 200 + 90 * (Math.floor(y / 36) % 3) && (7 * x) % 11 < 5
  const data = Uint8Array.from({ length: 3 * width * height }, (_, k) =>
    isInk(Math.floor(k / 3) % width, Math.floor(k / 3 / width)) ? 20 : colour,
  )
  return { data, width, height, channels: 3 }
}

/** As a phone's screen shows a picture of 480 × 360 pixels that fills it. */
function middleOf(picture: Pixels): Pixels {
  return cutOut(picture, { left: 139, top: 0, right: 341, bottom: 360 })
}

/** Lines of text on a plain screen, below a picture. */
function chat(picture: Pixels): Pixels {
  const [width, height] = [900, 1400]
  const isInk = (x: number, y: number) => {
    const line = Math.floor((y - 600) / 36)
    return y >= 600 && (y - 600) % 36 < 14 && x >= 40 && x < 40 + ((300 + 13 * line) % 420) && (7 * x + 3 * line) % 11 < 5
  }
  const data = Uint8Array.from({ length: 3 * width * height }, (_, k) =>
    isInk(Math.floor(k / 3) % width, Math.floor(k / 3 / width)) ? 20 : 244,
  )
  return onto(picture, data, width, 60, 200)
}

/** Words from edge to edge. */
function striped(): Pixels {
  const [width, height] = [600, 800]
  const data = Uint8Array.from({ length: 3 * width * height }, (_, k) => {
    const [x, y] = [Math.floor(k / 3) % width, Math.floor(k / 3 / width)]
    return y % 40 < 18 && (Math.imul(Math.floor(x / 24) + 1, 7919 + 31 * Math.floor(y / 40)) >>> 3) % 3 !== 0 ? 20 : 244
  })
  return { data, width, height, channels: 3 }
}

function onPage(picture: Pixels): Pixels {
  return onto(picture, new Uint8Array(3 * 760 * 620).fill(250), 760, 60, 70)
}

function onto(picture: Pixels, ground: Pixels['data'], width: number, left: number, top: number): Pixels {
  const data = Uint8Array.from(ground)
  for (let y = 0; y < picture.height; y++) {
    const row = picture.data.subarray(3 * y * picture.width, 3 * (y + 1) * picture.width)
    data.set(row, 3 * ((top + y) * width + left))
  }
  return { data, width, height: data.length / (3 * width), channels: 3 }
}
