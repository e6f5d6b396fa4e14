import { randomBytes } from 'node:crypto'
import t from 'tap'
import { type FeatureView, featuresOf } from '../../../packages/hash/src/details/features.js'
import { askedFeatures, kept } from '../../../packages/hash/src/details/kept.js'
import { pyramidOf } from '../../../packages/hash/src/details/pyramid.js'
import { type Points, pointsOf } from '../../../packages/hash/src/details/rows.js'
import { meetsThreshold, verify } from '../../../packages/hash/src/details/verify.js'
import { hashFromBytes } from '../../../packages/hash/src/hash256.js'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import { wholeOf } from '../../../packages/hash/src/raster.js'
import { transforms } from '../../../packages/hash/src/transforms.js'
import { chessboard, shaded } from '../patterns.js'
import { drawn, rotatedPixels, wordsFrom } from '../synthetic.js'

const picture = drawn(11, 360, 280)
const registered = registeredOf(picture)

function viewOf(pixels: Pixels, count: number): FeatureView {
  const options = { sidePx: 480, count, mirrors: true, aspect: pixels.width / pixels.height }
  return featuresOf(pyramidOf(pixels), wholeOf(pixels), options)
}

function registeredOf(pixels: Pixels): Points {
  return pointsOf(kept(viewOf(pixels, 150)))
}

t.test('a picture is verified in itself, rotated, mirrored, or on a page', async (t) => {
  t.ok(meetsThreshold(verifiedIn(registered, viewOf(picture, 300), false)))
  const rotated = rotatedPixels(picture, transforms[1])
  t.ok(meetsThreshold(verifiedIn(registered, viewOf(rotated, 300), false)))
  const mirrored = rotatedPixels(picture, transforms[5])
  t.ok(meetsThreshold(verifiedIn(registered, viewOf(mirrored, 300), true)))
  t.notOk(meetsThreshold(verifiedIn(registered, viewOf(mirrored, 300), false)), 'a mirrored picture is not a rotated one')

  const page = onPage(picture, 480, 480, 90, 120)
  const found = verifiedIn(registered, viewOf(page, 300), false)
  t.ok(meetsThreshold(found))
  t.ok(
    found.pairs.every(({ x, y }) => x >= 85 && y >= 115 && x <= 455 && y <= 405),
    'all pairs are where the picture is',
  )
})

t.test('other pictures, patterns and empty views do not show the picture', async (t) => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const view = viewOf(drawn(seed, 360, 280), 300)
    for (const isMirrored of [false, true]) t.notOk(meetsThreshold(verifiedIn(registered, view, isMirrored)), `${seed}`)
  }
  t.notOk(meetsThreshold(verifiedIn(registered, viewOf(chessboard(400, 300, 20), 300), false)))
  t.same(verify(registered, [], { width: 480, height: 360 }), { pairs: [], inliers: 0, cells: 0, least: 8 })
  t.same(verifiedIn({ width: 480, height: 360, points: [] }, viewOf(picture, 300), false).inliers, 0)
})

t.test('a sticker that two pictures share does not make them match', async (t) => {
  const sticker = drawn(77, 70, 70)
  const one = withSticker(drawn(21, 360, 280), sticker, 40, 40)
  const other = withSticker(drawn(22, 360, 280), sticker, 250, 180)
  t.notOk(meetsThreshold(verifiedIn(registeredOf(one), viewOf(other, 300), false)))
})

t.test('two pages of one app agree in what the app draws, and that is not enough', async (t) => {
  const app = drawn(90, 420, 420)
  const pageOf = (seed: number) => withSticker(app, drawn(seed, 310, 310), 55, 55)
  const [one, other] = [pageOf(1), pageOf(2)]
  const found = verifiedIn(registeredOf(one), viewOf(other, 300), false)
  t.ok(found.inliers >= 8 && found.cells >= 6, `${found.inliers} details in ${found.cells} cells agree`)
  t.notOk(meetsThreshold(found))
  t.ok(
    meetsThreshold(verifiedIn(registeredOf(one), viewOf(withSticker(one, drawn(3, 160, 160), 20, 20), 300), false)),
    'a seventh is covered',
  )
  t.ok(meetsThreshold(verifiedIn(registeredOf(drawn(1, 310, 310)), viewOf(one, 300), false)), 'the picture itself is shown')
})

t.test('details outside of the view need not agree', async (t) => {
  const corner = cutTo(picture, 100, 80, 200, 170)
  const found = verifiedIn(registered, viewOf(corner, 300), false)
  t.ok(meetsThreshold(found))
  t.ok(found.least < 0.3 * registered.points.length * 0.6, `${found.least} of ${registered.points.length}`)
})

t.test('a match needs enough agreeing details, enough of the visible ones, in enough cells', async (t) => {
  t.ok(meetsThreshold({ inliers: 8, cells: 6, least: 8 }))
  for (const short of [{ inliers: 7 }, { cells: 5 }, { least: 9 }])
    t.notOk(meetsThreshold({ inliers: 8, cells: 6, least: 8, ...short }))
})

t.test('the required share of agreeing details depends on the relative size', async (t) => {
  const shown = (agreeing: number, scale: number) => {
    const points = Array.from({ length: 100 }, (_, i) => ({ column: (i * 7) % 32, row: (i * 11) % 32, hash: anyHash() }))
    const asked = points.map(({ column, row, hash }, i) => ({
      ...{ x: ((column + 0.5) * 15) / scale, y: ((row + 0.5) * 15) / scale, angle: 0, level: 0 },
      hash: i < agreeing ? hash : anyHash(),
    }))
    const size = { width: 480, height: 480 }
    return meetsThreshold(verify({ ...size, points }, asked, { width: 480 / scale, height: 480 / scale }))
  }
  const about = (agreeing: number, scale: number) => [shown(agreeing - 1, scale), shown(agreeing, scale)]
  t.same(about(35, 1), [false, true], 'as large')
  t.same(about(35, 1.2), [false, true])
  t.same(about(15, 1.3), [false, true], 'smaller')
  t.same(about(15, 1.9), [false, true], 'half as large')
  t.ok(shown(8, 2.4), 'smaller yet')
})

t.test('two halves that overlap need enough agreement in the overlap, and at least eight details', async (t) => {
  const shown = (inHalf: number, agreeing: number) => {
    const at = (i: number, from: number) => ({ column: from + ((i * 5) % 16), row: (i * 7) % 32 })
    const points = Array.from({ length: 100 }, (_, i) => ({ ...at(i, i < inHalf ? 16 : 0), hash: anyHash() }))
    // The right half of one is the left half of the other.
    const asked = points.map(({ hash }, i) => {
      const { column, row } = at(i, i < inHalf ? 0 : 16)
      return { x: (column + 0.5) * 15, y: (row + 0.5) * 15, angle: 0, level: 0, hash: i < agreeing ? hash : anyHash() }
    })
    return meetsThreshold(verify({ width: 480, height: 480, points }, asked, { width: 480, height: 480 }))
  }
  t.same(
    [17, 18].map((agreeing) => shown(50, agreeing)),
    [false, true],
  )
  t.same(
    [7, 8].map((agreeing) => shown(20, agreeing)),
    [false, true],
  )
})

t.test('of equal registered details the first is paired', async (t) => {
  const place = (i: number) => ({ column: 3 + 5 * (i % 5), row: 4 + 9 * Math.floor(i / 5) })
  const own = Array.from({ length: 10 }, (_, i) => ({ ...place(i), hash: anyHash() }))
  const elsewhere = own.map(({ hash }, i) => ({ column: (i * 13) % 32, row: (i * 19) % 32, hash }))
  const asked = own.map(({ column, row, hash }) => ({
    x: (column + 0.5) * 15,
    y: (row + 0.5) * 15,
    angle: 0,
    level: 0,
    hash,
  }))
  const points = [...own, ...elsewhere]
  t.equal(verify({ width: 480, height: 480, points }, asked, { width: 480, height: 480 }).inliers, 10)
})

t.test('a view of a corner needs three in five of the details in the corner', async (t) => {
  const inCorner = (i: number) => ({
    column: ([1, 6, 12][i % 3] ?? 0) + Math.floor(i / 6),
    row: (i % 6 < 3 ? 1 : 6) + Math.floor(i / 6),
  })
  const points = Array.from({ length: 150 }, (_, i) => ({
    ...(i < 24 ? inCorner(i) : { column: 16 + (i % 16), row: (i * 5) % 32 }),
    hash: anyHash(),
  }))
  const shown = (agreeing: number) => {
    const asked = points.slice(0, 24).map(({ column, row, hash }, i) => ({
      ...{ x: (column + 0.5) * 15, y: (row + 0.5) * 15, angle: 0, level: 0 },
      hash: i < agreeing ? hash : anyHash(),
    }))
    return meetsThreshold(verify({ width: 480, height: 480, points }, asked, { width: 240, height: 165 }))
  }
  t.same([14, 15].map(shown), [false, true])
})

t.test('crowded details whose places cannot be told apart are no match', async (t) => {
  const word = wordsFrom(4)
  const below = (end: number) => (word() >>> 8) % end
  const points = Array.from({ length: 60 }, () => ({ column: below(32), row: below(32), hash: anyHash() }))
  const asked = points.map(({ hash }) => ({ x: 200 + below(90), y: 200 + below(90), angle: 0, level: 0, hash }))
  const found = verify({ width: 480, height: 480, points }, asked, { width: 560, height: 560 })
  t.ok(found.inliers < 8, `${found.inliers} of 60 agree with a picture made small`)
})

t.test('a detail of the view counts once, however many registered details equal it', async (t) => {
  const [one, other] = [anyHash(), anyHash()]
  const like = Array.from({ length: 12 }, (_, i) => {
    const hash = Uint8Array.from(one)
    hash[i] = (hash[i] ?? 0) ^ 1
    return { column: 3, row: 3, hash: hashFromBytes(hash) }
  })
  const points = [{ column: 3, row: 3, hash: one }, { column: 20, row: 25, hash: other }, ...like]
  const place = (cell: number) => (cell + 0.5) * 15
  const asked = [
    { x: place(3), y: place(3), angle: 0, level: 0, hash: one },
    { x: place(20), y: place(25), angle: 0, level: 0, hash: other },
  ]
  t.equal(verify({ width: 480, height: 480, points }, asked, { width: 480, height: 480 }).inliers, 2)
})

function anyHash() {
  return hashFromBytes(randomBytes(32))
}

function verifiedIn(points: Points, view: FeatureView, isMirrored: boolean) {
  return verify(points, askedFeatures(view, isMirrored), view)
}

function cutTo(from: Pixels, left: number, top: number, width: number, height: number): Pixels {
  return shaded(width, height, (x, y) => at(from, x + left, y + top) ?? [0, 0, 0])
}

function onPage(inner: Pixels, width: number, height: number, left: number, top: number): Pixels {
  return shaded(width, height, (x, y) => at(inner, x - left, y - top) ?? [245, 245, 245])
}

function withSticker(outer: Pixels, sticker: Pixels, left: number, top: number): Pixels {
  return shaded(outer.width, outer.height, (x, y) => at(sticker, x - left, y - top) ?? at(outer, x, y) ?? [0, 0, 0])
}

function at({ data, width, height, channels }: Pixels, x: number, y: number): number[] | undefined {
  if (x < 0 || y < 0 || x >= width || y >= height) return undefined
  return Array.from(data.subarray((y * width + x) * channels, (y * width + x) * channels + 3))
}
