import t from 'tap'
import { hashImage } from '../../packages/hash/src/hash-image.js'
import { distance } from '../../packages/hash/src/hash256.js'
import { loadImageHasherSync, MAX_AREA_SIGNALS, MAX_ASKED_AREA_SIGNALS } from '../../packages/hash/src/image-hasher.js'
import { pdq } from '../../packages/hash/src/pdq.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { transforms } from '../../packages/hash/src/transforms.js'
import { scenePixels } from '../helpers/pictures.js'
import { rotatedPixels } from './synthetic.js'

const hasher = loadImageHasherSync()

function picture(seed: number, size?: { width: number; height: number }): Pixels {
  return { ...scenePixels(seed, size), channels: 3 }
}

/** The least distance between any hash of a query and any registered one, of the type that sizes hardly change. */
function nearest(asked: Pixels, registered: Pixels): number {
  const rows = hasher.hash(registered, 'register').signals.filter(({ type }) => type === 'pdq-area')
  const needles = hasher.hash(asked, 'query').signals.filter(({ type }) => type === 'pdq-area')
  const bits = needles.flatMap(({ hashes }) =>
    rows.flatMap((row) => hashes.map((hash) => distance(hash, row.hashes[0] ?? hash))),
  )
  return Math.min(256, ...bits)
}

t.test('the whole picture has exactly the hash of the reference, and comes first', async (t) => {
  for (const purpose of ['register', 'query'] as const) {
    const { quality, signals } = hasher.hash(picture(1), purpose)
    const oracle = pdq(picture(1))

    t.equal(quality, oracle.quality)
    t.match(signals[0], { type: 'pdq', view: 'whole', quality })
    t.same(signals[0]?.hashes, oracle.dihedrals)
    t.equal(signals.filter(({ type }) => type === 'pdq').length, 1)
  }
})

t.test('the number of signals is bounded for any picture', async (t) => {
  const noise = Uint8Array.from({ length: 3 * 300 * 300 }, (_, k) => (Math.imul(k, 2_654_435_761) >>> 24) & 255)
  const pictures: Pixels[] = [
    ...[1, 2, 3].map((seed) => picture(seed)),
    drawn(400, 300, (x, y) => ((x >> 3) + (y >> 3)) % 2 === 0),
    drawn(400, 300, (x, y) => x % 40 === 0 || y % 12 === 0),
    drawn(64, 10_000, (x) => x > 30),
    drawn(1, 10_000, (_, y) => y % 7 === 0),
    drawn(10_000, 1, (x) => x % 7 === 0),
    // A contact sheet of 600 pictures, a frame around nothing, and frames in frames.
    drawn(1200, 800, (x, y) => x % 40 > 3 && y % 40 > 3 && ((x * y) >> 6) % 3 === 0),
    drawn(600, 900, (x, y) => x < 40 || y < 40 || x >= 560 || y >= 860),
    drawn(600, 900, (x, y) => Math.min(x, y, 599 - x, 899 - y) % 60 < 30),
    { data: noise, width: 300, height: 300, channels: 3 },
    { data: new Uint8Array(300 * 200), width: 300, height: 200, channels: 1 },
  ]
  for (const [i, pixels] of pictures.entries()) {
    for (const purpose of ['register', 'query'] as const) {
      const { signals } = hasher.hash(pixels, purpose)
      const most = purpose === 'query' ? MAX_ASKED_AREA_SIGNALS : MAX_AREA_SIGNALS
      t.ok(signals.length >= 1 && signals.length <= 1 + most, `${i} ${purpose}: ${signals.length}`)
      for (const { hashes } of signals) t.ok([1, 2, 8].includes(hashes.length))
    }
  }
})

t.test('a plain picture has no parts that could match those of another one', async (t) => {
  const ramp = Uint8Array.from({ length: 640 * 480 }, (_, k) => 60 + ((k % 640) >> 3) + Math.floor(k / 640 / 8))
  const { signals } = hasher.hash({ data: ramp, width: 640, height: 480, channels: 1 }, 'register')

  t.same(
    signals.filter(({ type }) => type === 'pdq-area'),
    [],
  )
})

t.test('a pale picture is queried as a whole although it is too pale to register, and not by its parts', async (t) => {
  const pale = faded(picture(41), 0.35)
  const [asked, registered] = (['query', 'register'] as const).map((purpose) => hasher.hash(pale, purpose))
  const ofViews = (signals = asked?.signals) => signals?.filter(({ type }) => type === 'pdq-area').map(({ view }) => view)

  t.ok((asked?.quality ?? 50) < 50, `quality: ${asked?.quality}`)
  t.same(ofViews(), ['whole'])
  t.same(ofViews(registered?.signals), [])
  t.ok(nearest(pale, picture(41)) <= 10)
  t.same(
    ofViews(hasher.hash(faded(picture(41), 0.1), 'query').signals),
    [],
    'no view of a picture that has almost faded away',
  )
})

t.test('a picture too small for parts has only its whole, and one pixel is no error', async (t) => {
  t.equal(hasher.hash(picture(1, { width: 31, height: 400 }), 'register').signals.length, 1)
  t.equal(hasher.hash({ data: new Uint8Array(3), width: 1, height: 1, channels: 3 }, 'query').signals.length, 1)
  t.throws(() => hasher.hash({ data: new Uint8Array(5), width: 2, height: 1, channels: 3 }, 'query'), RangeError)
})

t.test('no two registered parts are nearly the same', async (t) => {
  for (const seed of [1, 2, 3, 4]) {
    const rows = hasher.hash(picture(seed), 'register').signals.filter(({ type }) => type === 'pdq-area')
    for (const [i, a] of rows.entries()) {
      for (const b of rows.slice(i + 1)) t.ok(distance(a.hashes[0] ?? never(), b.hashes[0] ?? never()) >= 10)
    }
  }
})

t.test(
  'a picture is found rotated, mirrored, framed, cropped, half covered or tilted, and unrelated ones are not',
  async (t) => {
    const original = picture(11)
    const edits: Record<string, (seen: Pixels) => Pixels> = {
      ...Object.fromEntries(transforms.map((way) => [way.name, (seen: Pixels) => rotatedPixels(seen, way)])),
      'on a screen': (seen) => onCanvas(seen, 700, 1200, 30, 260, 18),
      'with a border': (seen) => onCanvas(seen, 760, 600, 60, 60, 255),
      'cut by a tenth': (seen) => cut(seen, 20, 10, 610, 455),
      'cut to a square': (seen) => cut(seen, 80, 0, 480, 480),
      'half covered': (seen) => covered(seen, 330, 0, 300, 480),
    }
    for (const [what, edit] of Object.entries(edits)) {
      t.ok(nearest(edit(original), original) <= 44, `${what}: ${nearest(edit(original), original)} bits`)
      t.ok(
        nearest(edit(picture(12)), original) > 60,
        `${what}, an unrelated picture: ${nearest(edit(picture(12)), original)} bits`,
      )
    }
  },
)

t.test('a strip on a plain ground is no part of its own, since another post may have the same banner', async (t) => {
  const banner = cut(picture(21), 0, 100, 600, 230)
  const post = onto(banner, onCanvas(cut(picture(31), 0, 0, 600, 480), 600, 800, 0, 290, 250))
  const alone = onto(banner, { ...post, data: new Uint8Array(post.data.length).fill(250) })
  t.ok(nearest(post, alone) > 42, `${nearest(post, alone)} bits`) // one pair of views decides up to this distance
  const photo = onCanvas(cut(picture(21), 0, 0, 600, 250), 600, 900, 0, 320, 250)
  t.ok(nearest(cut(picture(21), 0, 0, 600, 250), photo) <= 44, 'a part 2.4 times as wide as high counts')
})

t.test('a query says where each upright part lies, and a registration says of none', async (t) => {
  const seen = onCanvas(picture(11), 700, 1200, 30, 260, 18)
  const { signals } = hasher.hash(seen, 'query')
  for (const { view, hashes, part } of signals) {
    if (view === 'whole' || view === 'tilted') {
      t.equal(part, undefined, view)
      continue
    }
    const { left, top, right, bottom } = part ?? never()
    const [x, y] = [Math.round(left * seen.width), Math.round(top * seen.height)]
    const there = cut(seen, x, y, Math.round(right * seen.width) - x, Math.round(bottom * seen.height) - y)
    const alone = hasher.hash(there, 'query').signals.find(({ type }) => type === 'pdq-area')
    const bits = distance(alone?.hashes[0] ?? never(), hashes[0] ?? never())
    t.ok(bits <= 20, `${view}: ${bits} bits from what is there`)
  }
  for (const { part } of hasher.hash(seen, 'register').signals) t.equal(part, undefined)
  for (const extent of ['frame', 'window'] as const)
    for (const { part } of hasher.hash(seen, 'query', undefined, extent).signals) t.equal(part, undefined, extent)
})

t.test('hashImage gives the same signals in hex, one hash per view', async (t) => {
  const { signals } = await hashImage(picture(1))
  const expected = hasher.hash(picture(1), 'query').signals

  t.same(
    signals.map(({ type, view, quality }) => ({ type, view, quality })),
    [...expected, { type: 'blockhash', view: 'whole', quality: expected[0]?.quality }].map(({ type, view, quality }) => ({
      type,
      view,
      quality,
    })),
  )
  for (const { hash } of signals) t.match(hash, /^[0-9a-f]{64}$/)
  t.not((await hashImage(picture(1), { purpose: 'register' })).signals.length, signals.length)
  await t.rejects(hashImage({ data: new Uint8Array(1), width: 9, height: 9, channels: 3 }), RangeError)
})

function faded(seen: Pixels, share: number): Pixels {
  return { ...seen, data: Uint8Array.from(seen.data, (level) => 128 + share * (level - 128)) }
}

function drawn(width: number, height: number, isLight: (x: number, y: number) => boolean): Pixels {
  const data = Uint8Array.from({ length: width * height }, (_, k) => (isLight(k % width, Math.floor(k / width)) ? 230 : 20))
  return { data, width, height, channels: 1 }
}

function onCanvas(seen: Pixels, width: number, height: number, left: number, top: number, level: number): Pixels {
  const data = new Uint8Array(3 * width * height).fill(level)
  for (let y = 0; y < seen.height; y++) {
    const row = seen.data.subarray(3 * y * seen.width, 3 * (y + 1) * seen.width)
    data.set(row, 3 * ((top + y) * width + left))
  }
  return { data, width, height, channels: 3 }
}

/** Pastes the strip at the top. */
function onto(strip: Pixels, seen: Pixels): Pixels {
  const data = Uint8Array.from(seen.data)
  data.set(strip.data)
  return { ...seen, data }
}

function cut(seen: Pixels, left: number, top: number, width: number, height: number): Pixels {
  const data = new Uint8Array(3 * width * height)
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * seen.width + left)
    data.set(seen.data.subarray(from, from + 3 * width), 3 * y * width)
  }
  return { data, width, height, channels: 3 }
}

function covered(seen: Pixels, left: number, top: number, width: number, height: number): Pixels {
  const data = Uint8Array.from(seen.data)
  for (let y = top; y < top + height; y++) {
    data.fill(250, 3 * (y * seen.width + left), 3 * (y * seen.width + left + width))
  }
  return { ...seen, data }
}

function never(): never {
  throw new Error('a registered signal has a hash')
}
