import t from 'tap'
import { type FeatureView, featuresOf } from '../../../src/hash/details/features.js'
import { askedFeatures, kept } from '../../../src/hash/details/kept.js'
import { type Points, pointsOf } from '../../../src/hash/details/rows.js'
import { sightOf } from '../../../src/hash/details/sight.js'
import { isShown, verify } from '../../../src/hash/details/verify.js'
import type { Pixels } from '../../../src/hash/pixels.js'
import { wholeOf } from '../../../src/hash/raster.js'
import { transforms } from '../../../src/hash/transforms.js'
import { chessboard, shaded } from '../patterns.js'
import { drawn, turnedPixels } from '../synthetic.js'

const picture = drawn(11, 360, 280)
const registered = registeredOf(picture)

function viewOf(pixels: Pixels, count: number): FeatureView {
  const options = { sidePx: 480, count, mirrors: true, aspect: pixels.width / pixels.height }
  return featuresOf(sightOf(pixels), wholeOf(pixels), options)
}

function registeredOf(pixels: Pixels): Points {
  return pointsOf(kept(viewOf(pixels, 150)))
}

t.test('a picture shows itself, turned, mirrored, or on a page', async (t) => {
  t.ok(isShown(verify(registered, askedFeatures(viewOf(picture, 300), false))))
  const turned = turnedPixels(picture, transforms[1])
  t.ok(isShown(verify(registered, askedFeatures(viewOf(turned, 300), false))))
  const mirrored = turnedPixels(picture, transforms[5])
  t.ok(isShown(verify(registered, askedFeatures(viewOf(mirrored, 300), true))))
  t.notOk(isShown(verify(registered, askedFeatures(viewOf(mirrored, 300), false))), 'a mirror is no turn')

  const page = onPage(picture, 480, 480, 90, 120)
  const found = verify(registered, askedFeatures(viewOf(page, 300), false))
  t.ok(isShown(found))
  t.ok(
    found.pairs.every(({ x, y }) => x >= 85 && y >= 115 && x <= 455 && y <= 405),
    'all of it is where the picture is',
  )
})

t.test('other pictures, patterns and nothing do not show it', async (t) => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const view = viewOf(drawn(seed, 360, 280), 300)
    for (const isMirrored of [false, true]) t.notOk(isShown(verify(registered, askedFeatures(view, isMirrored))), `${seed}`)
  }
  t.notOk(isShown(verify(registered, askedFeatures(viewOf(chessboard(400, 300, 20), 300), false))))
  t.same(verify(registered, []), { pairs: [], inliers: 0, cells: 0 })
  t.same(verify({ width: 480, height: 360, points: [] }, askedFeatures(viewOf(picture, 300), false)).inliers, 0)
})

t.test('a sticker that two pictures share does not make them one', async (t) => {
  const sticker = drawn(77, 70, 70)
  const one = withSticker(drawn(21, 360, 280), sticker, 40, 40)
  const other = withSticker(drawn(22, 360, 280), sticker, 250, 180)
  t.notOk(isShown(verify(registeredOf(one), askedFeatures(viewOf(other, 300), false))))
})

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
