// Apps crop a picture to the aspect of their layout. A centred crop finds the whole picture, the whole its crop, and one crop
// another.

import t from 'tap'
import { aloneBits, contentOf } from '../../packages/core/src/matching/evidence.js'
import { distance } from '../../packages/hash/src/hash256.js'
import { type ImageSignal, loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import { randomFrom } from '../helpers/pictures.js'

const hasher = loadImageHasherSync()
const SHAPES = { story: 9 / 16, phone: 9 / 19.5, tall: 9 / 22, post: 4 / 5, print: 3 / 4, square: 1, wide: 16 / 9 }

interface Picture {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: 3
}

const SEEDS = [1, 2, 3]

/** Clouds of all sizes, so that every part has structure, as in most photographs. */
function clouds(seed: number, width: number, height: number): Picture {
  const random = randomFrom(seed)
  const data = new Uint8Array(3 * width * height)
  const waves = Array.from({ length: 60 }, () => {
    const cycles = 2 ** (1 + 4 * random())
    const angle = 2 * Math.PI * random()
    const scale = (2 * Math.PI * cycles) / Math.max(width, height)
    return { x: scale * Math.cos(angle), y: scale * Math.sin(angle), phase: 7 * random(), height: 60 / Math.sqrt(cycles) }
  })
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const level = waves.reduce((sum, wave) => sum + wave.height * Math.sin(wave.x * x + wave.y * y + wave.phase), 128)
      data.fill(Math.max(0, Math.min(255, level)), 3 * (y * width + x), 3 * (y * width + x) + 3)
    }
  }
  return { data, width, height, channels: 3 }
}

function cropped({ data, width, height }: Picture, shape: number): Picture {
  const [wide, high] = [
    Math.round(width * Math.min(1, (shape * height) / width)),
    Math.round(height * Math.min(1, width / shape / height)),
  ]
  const [left, top] = [(width - wide) >> 1, (height - high) >> 1]
  const cut = new Uint8Array(3 * wide * high)
  for (let y = 0; y < high; y++) {
    const from = 3 * ((top + y) * width + left)
    cut.set(data.subarray(from, from + 3 * wide), 3 * y * wide)
  }
  return { data: cut, width: wide, height: high, channels: 3 }
}

function isFound(registered: readonly ImageSignal[], asked: readonly ImageSignal[]): boolean {
  return registered.some(({ type, view, hashes: [row] }) =>
    asked.some((query) => {
      const [needle] = query.hashes
      if (type !== query.type || row === undefined || needle === undefined) return false
      const views = { asked: query.view, registered: view, rotated: false, content: contentOf(query) }
      return distance(row, needle) <= aloneBits(type, views)
    }),
  )
}

for (const [orientation, size] of Object.entries({
  landscape: { width: 450, height: 300 },
  portrait: { width: 300, height: 450 },
})) {
  t.test(`${orientation}: crops and the whole picture find each other`, async (t) => {
    for (const seed of SEEDS) {
      const whole = clouds(seed, size.width, size.height)
      const pictures = {
        whole,
        ...Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, cropped(whole, shape)])),
      }
      const hashed = Object.entries(pictures).map(([name, pixels]) => {
        return { name, registered: hasher.hash(pixels, 'register').signals, asked: hasher.hash(pixels, 'query').signals }
      })
      const [of, ...crops] = hashed
      for (const crop of crops) {
        t.ok(of && isFound(of.registered, crop.asked), `${seed}: ${crop.name} finds the whole`)
        t.ok(of && isFound(crop.registered, of.asked), `${seed}: the whole finds ${crop.name}`)
      }
    }
  })
}

t.test('a story on a phone is found with words at its top and bottom and icons at its right', async (t) => {
  for (const seed of SEEDS) {
    const photo = clouds(seed, 400, 400)
    const screen = cropped(photo, 9 / 19.5)
    cover(screen, [0, 0, 1, 0.09], 20)
    cover(screen, [0, 0.9, 1, 1], 20)
    for (const top of [0.5, 0.58, 0.66, 0.74]) cover(screen, [0.86, top, 0.96, top + 0.05], 250)
    t.ok(isFound(hasher.hash(photo, 'register').signals, hasher.hash(screen, 'query').signals), `${seed}`)
  }
})

t.test('a screen that a picture fills is found when it is registered with a bar at its bottom', async (t) => {
  for (const seed of SEEDS) {
    const photo = clouds(seed, 400, 400)
    const screen = cropped(photo, 9 / 19.5)
    cover(screen, [0, 0.94, 1, 1], 20)
    const { signals } = hasher.hash(screen, 'register')
    t.ok(isFound(signals, hasher.hash(photo, 'query').signals), `${seed}: by the picture`)
    t.ok(isFound(signals, hasher.hash(onPage([photo]), 'query').signals), `${seed}: by the picture on a page`)
  }
})

t.test('of a registered page the two likeliest parts are taken for the picture, and no more', async (t) => {
  for (const seed of SEEDS) {
    const photos = [clouds(seed, 400, 300), clouds(seed + 10, 400, 220), clouds(seed + 20, 400, 260)]
    const { signals } = hasher.hash(onPage(photos), 'register')
    t.equal(signals.filter(({ view }) => view === 'deframed').length, 2, `${seed}`)
  }
})

/** @param share left, top, right and bottom, relative to the sides. */
function cover({ data, width, height }: Picture, [left, top, right, bottom]: readonly number[], level: number): void {
  const [l = 0, t = 0, r = 0, b = 0] = [left, top, right, bottom]
  for (let y = Math.round(t * height); y < Math.round(b * height); y++) {
    data.fill(level, 3 * (y * width + Math.round(l * width)), 3 * (y * width + Math.round(r * width)))
  }
}

/** Pictures of one width below each other on a light page. */
function onPage(pictures: readonly Picture[]): Picture {
  const [margin, gap] = [40, 40]
  const width = 2 * margin + (pictures[0]?.width ?? 0)
  const height = pictures.reduce((sum, picture) => sum + picture.height + gap, 2 * margin - gap)
  const page: Picture = { data: new Uint8Array(3 * width * height).fill(240), width, height, channels: 3 }
  let top = margin
  for (const picture of pictures) {
    for (let y = 0; y < picture.height; y++) {
      const row = picture.data.subarray(3 * y * picture.width, 3 * (y + 1) * picture.width)
      page.data.set(row, 3 * ((top + y) * width + margin))
    }
    top += picture.height + gap
  }
  return page
}
