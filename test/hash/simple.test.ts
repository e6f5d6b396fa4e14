import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { hashImage } from '../../packages/hash/src/hash-image.js'
import { distance } from '../../packages/hash/src/hash256.js'
import { type ImageSignals, loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { rasterOf } from '../../packages/hash/src/raster.js'
import { isForm, isPage, isPhotographIn, isSignageInside, isSimple } from '../../packages/hash/src/simple.js'
import { runs } from '../helpers/runs.js'
import { chessboard, pictures, plain, shaded, striped } from './patterns.js'
import { drawn, noisy } from './synthetic.js'

/** A cross on a disc: two colours, a third around it if `ground` is given, and more in bands. */
function sign({
  ground = 250,
  ink = 250,
  disc = 90,
  noise = 0,
  bands = 0,
  side = 240,
}: Partial<Record<'ground' | 'ink' | 'disc' | 'noise' | 'bands' | 'side', number>>) {
  return shaded(side, side, (column, row) => {
    const [x, y] = [(column * 240) / side, (row * 240) / side]
    const [across, down] = [Math.abs(x - 120), Math.abs(y - 120)]
    const isInk = Math.min(across, down) < 14 && Math.max(across, down) < 60
    const isDisc = across * across + down * down < 110 * 110
    const level = (isInk ? ink : isDisc ? disc : ground) - bands * Math.floor(y / 60)
    const shade = level + ((x * 7 + y * 13) % 5) * noise
    return [shade, shade, 255 - shade]
  })
}

t.test('a sign in two or three flat colours is simple, with soft edges as well', async (t) => {
  t.ok(isSimple(rasterOf(sign({}))))
  t.ok(isSimple(rasterOf(sign({ ground: 90 }))), 'on a square')
  t.ok(isSimple(rasterOf(sign({ ground: 180 }))), 'on a third colour')
  t.ok(isSimple(rasterOf(plain(100, 100, 7))))
})

/** Upright strokes on a red ground, `edge` pixels soft, and a small picture in a corner. */
function strip(height: number, edge = 0) {
  return shaded(480, height, (x, y) => {
    if (x < 34 && y < height / 2) return [(6 * x) % 256, (5 * y) % 256, (x * y) % 256]
    const isLine = y > 0.3 * height && y < 0.7 * height && x > 60
    const intoStroke = Math.min(x % 16, 8 - (x % 16))
    const share = isLine ? Math.max(0, Math.min(1, (intoStroke + 1) / (edge + 1))) : 0
    return [190 + 60 * share, 20 + 230 * share, 30 + 220 * share]
  })
}

t.test('a strip of text on one colour is simple, and the same text on a page is not', async (t) => {
  t.ok(isSimple(rasterOf(strip(100))))
  t.ok(isSimple(rasterOf(strip(240))), 'twice as wide as high')
  t.notOk(isSimple(rasterOf(strip(260))), 'a page')
  t.notOk(isSimple(rasterOf(strip(100, 3))), 'without a sharp edge')
})

t.test('a picture with more colours or any texture is not simple', async (t) => {
  t.notOk(isSimple(rasterOf(sign({ bands: 40 }))), 'in bands of many')
  t.notOk(isSimple(rasterOf(sign({ noise: 3 }))), 'the same with grain')
  t.notOk(isSimple(rasterOf(noisy(1, 200, 150, 3))))
  t.notOk(isSimple(rasterOf(chessboard(200, 200, 2))), 'a fine pattern of two colours')
  for (const seed of [1, 2, 3]) t.notOk(isSimple(rasterOf(drawn(seed, 320, 240))))
})

t.test('isSimple is reported for registration only, by the kernels as by the definition', async (t) => {
  const hasher = loadImageHasherSync()
  for (const pixels of [sign({}), striped(300, 200, 60), drawn(1, 320, 240)]) {
    t.equal(hasher.hash(pixels, 'register').isSimple, isSimple(rasterOf(pixels)))
    t.equal((await hashImage(pixels, { purpose: 'register' })).isSimple === true, isSimple(rasterOf(pixels)))
    t.equal(hasher.hash(pixels, 'query').isSimple, false)
    const query = await hashImage(pixels)
    t.equal(query.isForm === true, isForm(rasterOf(pixels)))
    const looks = (['isForm', 'isObject'] as const).filter((name) => query[name])
    t.same(Object.keys(query), ['signals', ...looks], 'a query is sent as it is')
  }
  t.equal(hasher.hash(plain(20, 20, 7), 'register').isSimple, false, 'too small to judge')
})

t.test('any picture is judged simple or not', async () => {
  fc.assert(
    fc.property(pictures(fc.integer({ min: 1, max: 120 })), (pixels) => {
      assert.equal(typeof isSimple(rasterOf(pixels)), 'boolean')
    }),
    { numRuns: runs(20) },
  )
})

t.test('a form may have more colours than a sign, but no texture', async (t) => {
  t.ok(isForm(rasterOf(sign({}))))
  t.notOk(isForm(rasterOf(sign({ noise: 3 }))), 'the same with grain')
  for (const seed of [1, 2, 3]) t.notOk(isForm(rasterOf(drawn(seed, 320, 240))))
  // Shades without an edge, as in a grey photograph: three coarse colours and their neighbours cover all of them.
  t.notOk(isForm(rasterOf(shaded(280, 200, (x) => [x >> 2, x >> 2, x >> 2]))), 'shades of grey')
  t.ok(
    isForm(rasterOf(shaded(280, 200, (x, y) => (y % 40 === 0 && x > 40 ? [30, 30, 30] : [240, 240, 240])))),
    'lines on white paper',
  )
})

/** A card of many colours: a head, a picture, and lines of text, which are sharp or soft. */
function card(text: 'sharp' | 'soft' | 'none') {
  return shaded(320, 200, (x, y) => {
    if (y < 36) return [40, 90, 150]
    if (x < 96 && y > 56 && y < 176) return [(x * 5) & 255, (y * 7) & 255, ((x + y) * 3) & 255]
    const isLine = text !== 'none' && x > 120 && x < 290 && y > 56 && y % 24 < 12
    if (!isLine) return [236, 242, 250]
    return text === 'sharp' ? (x % 8 < 3 ? [20, 20, 20] : [236, 242, 250]) : [200 + ((x * 4) & 31), 206, 214]
  })
}

t.test('a coloured card is a form by its text, and no page', async (t) => {
  t.ok(isForm(rasterOf(card('sharp'))))
  t.notOk(isPage(rasterOf(card('sharp'))))
  t.notOk(isForm(rasterOf(card('soft'))), 'a flat picture without sharp edges')
  t.ok(isForm(rasterOf(sign({}))) && isPage(rasterOf(sign({}))), 'a page needs none')
})

t.test('a card with a gradient is a form by its text, in whichever channel it is sharp', async (t) => {
  const side = 400
  /** Of many colours, with white bars as large as letters. */
  const gradient = (isBar: (x: number, y: number) => boolean) =>
    shadedRgb(side, (x, y) => (isBar(x, y) ? [255, 255, 255] : [10 + (y >> 1), 10 + (x >> 1), 237]))
  const isText = (x: number, y: number) => y % 50 < 8 && x % 12 < 5
  t.ok(isForm(rasterOf(gradient(isText))))
  t.notOk(isPage(rasterOf(gradient(isText))), 'no page: a window with a gradient may be a picture')
  t.notOk(isForm(rasterOf(gradient(() => false))), 'a gradient without text')
  t.notOk(isForm(rasterOf(gradient((x, y) => isText(x, y) || (x + y) % 7 === 0))), 'a pattern is not flat')
  const onLight = shadedRgb(side, (x, y) => (isText(x, y) ? [255, 255, 255] : [10 + (y >> 1), 200, 255]))
  t.ok(isForm(rasterOf(onLight)), 'white on light blue is sharp in red alone')
})

function shadedRgb(side: number, colourAt: (x: number, y: number) => readonly number[]): Pixels {
  const data = Uint8Array.from({ length: 3 * side * side }, (_, k) => {
    const pixel = Math.floor(k / 3)
    return colourAt(pixel % side, Math.floor(pixel / side))[k % 3] ?? 0
  })
  return { data, width: side, height: side, channels: 3 }
}

/** A picture with another one pasted on it, and where. */
function posted(on: Pixels, pasted: Pixels) {
  const { width, height } = pasted
  const part = { left: 20, top: 30, right: 20 + width, bottom: 30 + height }
  const data = Uint8Array.from(on.data)
  for (let y = 0; y < height; y++)
    data.set(pasted.data.subarray(3 * y * width, 3 * (y + 1) * width), 3 * ((part.top + y) * on.width + part.left))
  return { part, post: { ...on, data } }
}

t.test(
  'a logo in a corner and a headline across a photograph are signs, a photograph in the same place is none',
  async (t) => {
    const isSignOn = (pasted: Pixels, aspect = 1) => {
      const { part, post } = posted(drawn(4, 640, 640), pasted)
      return isSignageInside(rasterOf(post), part, aspect)
    }
    t.ok(isSignOn(sign({ side: 200 })), 'a logo')
    t.notOk(isSignOn(drawn(5, 200, 200)), 'a photograph')
    t.notOk(isSignOn(sign({ side: 200, noise: 3 })), 'a sign with grain')
    t.notOk(isSignOn(sign({ side: 210 })), 'a logo of a tenth of the picture and more')
    t.ok(isSignOn(strip(150)), 'a headline of more than a tenth')
    t.notOk(isSignOn(strip(240), 0.9), 'no strip: the picture is narrower than its raster')
  },
)

t.test('a post is not asked by the logo in its corner, but by a small photograph there', async (t) => {
  const hasher = loadImageHasherSync()
  const hashesOf = ({ signals }: ImageSignals) =>
    signals.filter(({ type }) => type === 'pdq-area').flatMap(({ hashes }) => hashes)
  const nearestBits = (pasted: Pixels) => {
    const asked = hashesOf(hasher.hash(posted(drawn(4, 640, 640), pasted).post, 'query'))
    const registered = hashesOf(hasher.hash(pasted, 'register'))
    return Math.min(...asked.flatMap((one) => registered.map((other) => distance(one, other))))
  }
  t.ok(nearestBits(sign({ side: 180, bands: 20 })) > 60)
  t.ok(nearestBits(drawn(5, 180, 180)) <= 16)
})

t.test('a page around a photograph of a fifth of it is no form, and one around a drawing is', async (t) => {
  const hasher = loadImageHasherSync()
  const page = shaded(640, 640, (x, y) => (y > 400 && y % 24 < 12 && x > 40 && x % 8 < 3 ? [20, 20, 20] : [240, 240, 240]))
  for (const [pasted, is] of [
    [noisy(1, 300, 300, 3), true],
    [noisy(1, 280, 280, 3), false],
    [sign({ side: 300 }), false],
  ] as const) {
    const { part, post } = posted(page, pasted)
    t.ok(isForm(rasterOf(post)))
    t.equal(isPhotographIn(rasterOf(post), part), is)
    t.equal(hasher.hash(post, 'query').isForm, !is)
  }
})

t.test('of a form only a part that is none, and no small one, is marked as a photograph', async (t) => {
  const hasher = loadImageHasherSync()
  const page = shaded(640, 640, (x, y) => (y > 400 && y % 24 < 12 && x > 40 && x % 8 < 3 ? [20, 20, 20] : [240, 240, 240]))
  const marked = (pasted: Pixels) => {
    const { isForm, signals } = hasher.hash(posted(page, pasted).post, 'query')
    t.ok(isForm)
    return signals.filter(({ isPicture }) => isPicture)
  }
  const photographs = marked(drawn(5, 240, 240))
  t.ok(photographs.length > 0 && photographs.every(({ view, part }) => view === 'deframed' && part !== undefined))
  t.same(marked(drawn(5, 120, 120)), [], 'an avatar')
  t.same(marked(sign({ side: 240 })), [], 'a sign')
})
