import t from 'tap'
import { featuresOf } from '../../../packages/hash/src/details/features.js'
import { askedFeatures, kept, placed } from '../../../packages/hash/src/details/kept.js'
import { pyramidOf } from '../../../packages/hash/src/details/pyramid.js'
import { distance } from '../../../packages/hash/src/hash256.js'
import { wholeOf } from '../../../packages/hash/src/raster.js'
import { transforms } from '../../../packages/hash/src/transforms.js'
import { shaded } from '../patterns.js'
import { drawn, rotatedPixels } from '../synthetic.js'

const picture = drawn(5, 300, 220)
const options = { sidePx: 300, count: 150, mirrors: true, aspect: 300 / 220 }
const own = featuresOf(pyramidOf(picture), wholeOf(picture), options)

t.test('the mirrored description of a feature equals that of the mirrored picture', async (t) => {
  const mirrored = rotatedPixels(picture, transformOf('flipY'))
  const other = featuresOf(pyramidOf(mirrored), wholeOf(mirrored), options)
  const seen = askedFeatures(own, true)
  const near = other.features.flatMap((feature) => {
    const same = seen.find(({ x, y, level }) => level === feature.level && Math.hypot(x - feature.x, y - feature.y) < 0.5)
    return same === undefined ? [] : [{ bits: distance(same.hash, feature.hash), turns: same.angle - feature.angle }]
  })

  t.ok(near.length > 0.9 * other.features.length, `${near.length} of ${other.features.length}`)
  // Rounding to pixels differs only at halves; an angle between two steps may fall on either.
  t.ok(near.filter(({ bits, turns }) => bits <= 12 && turns % 64 === 0).length > 0.9 * near.length)
})

t.test('a quarter turn of the picture turns its features and keeps their descriptions', async (t) => {
  const rotated = rotatedPixels(picture, transformOf('rotate90'))
  const other = featuresOf(pyramidOf(rotated), wholeOf(rotated), { ...options, aspect: 220 / 300 })
  const same = other.features.flatMap((feature) => {
    const before = own.features.find(
      ({ x, y, level }) => level === feature.level && Math.hypot(y - feature.x, 300 - x - feature.y) < 0.5,
    )
    return before === undefined ? [] : [distance(before.hash, feature.hash)]
  })

  t.ok(same.length > 0.7 * other.features.length, `${same.length} of ${other.features.length}`)
  t.ok(same.filter((bits) => bits <= 24).length > 0.9 * same.length)
})

t.test('features lie all over the picture, and no more than requested', async (t) => {
  const few = featuresOf(pyramidOf(picture), wholeOf(picture), { ...options, count: 36 })
  t.equal(few.features.length, 36)
  const quarters = new Set(few.features.map(({ x, y }) => `${x < 150} ${y < 110}`))
  t.equal(quarters.size, 4)
})

t.test('the strongest feature of a place comes first', async (t) => {
  const strong = [105, 85] as const
  const weak = [135, 100] as const
  const dotted = shaded(
    480,
    360,
    (x, y) => {
      if (Math.hypot(x - strong[0], y - strong[1]) < 5) return [220]
      return Math.hypot(x - weak[0], y - weak[1]) < 5 ? [90] : [40]
    },
    1,
  )
  const { features } = featuresOf(pyramidOf(dotted), wholeOf(dotted), {
    sidePx: 480,
    count: 1,
    mirrors: false,
    aspect: 4 / 3,
  })
  const [first] = features
  t.ok(first !== undefined && Math.hypot(first.x - strong[0], first.y - strong[1]) < 15, `${first?.x}, ${first?.y}`)
})

t.test('a part is never enlarged', async (t) => {
  const part = { left: 50, top: 50, right: 150, bottom: 150 }
  const { width, height } = featuresOf(pyramidOf(picture), part, { ...options, sidePx: 560, aspect: 1 })
  t.same([width, height], [100, 100])
})

t.test('a kept place is rounded to its cell', async (t) => {
  const view = kept(own)
  for (const [i, { x, y, angle, level, hash }] of placed(view).entries()) {
    const feature = own.features[i]
    if (feature === undefined) throw new Error('as many as before')
    t.ok(Math.abs(x - feature.x) <= own.width / 64 + 1e-9 && Math.abs(y - feature.y) <= own.height / 64 + 1e-9)
    t.ok([0, 1, 2, 62, 63].includes((angle - feature.angle + 64) % 64))
    t.same([level, hash], [feature.level, feature.hash])
  }
  for (const { column, row, angle } of view.features) {
    t.ok(column >= 0 && column < 32 && row >= 0 && row < 32 && angle >= 0 && angle < 16)
  }
})

function transformOf(name: (typeof transforms)[number]['name']) {
  const transform = transforms.find((one) => one.name === name)
  if (transform === undefined) throw new Error(name)
  return transform
}
