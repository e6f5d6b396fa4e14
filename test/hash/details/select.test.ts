import t from 'tap'
import { editsOf } from '../../../packages/hash/src/details/edits.js'
import { featuresOf } from '../../../packages/hash/src/details/features.js'
import { MAX_RANKED, selected } from '../../../packages/hash/src/details/select.js'
import { loadDetailsKernelSync } from '../../../packages/hash/src/details-kernel.js'
import { distance, hashFromBytes } from '../../../packages/hash/src/hash256.js'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import { wholeOf } from '../../../packages/hash/src/raster.js'
import { shaded } from '../patterns.js'
import { drawn, wordsFrom } from '../synthetic.js'

const kernel = loadDetailsKernelSync()
const picture = grey(drawn(9, 360, 300))
const view = viewOf(picture)

t.test('an edit maps a place of the original to its own place', async (t) => {
  const dots = [
    [0.3, 0.4],
    [0.62, 0.7],
    [0.5, 0.25],
  ] as const
  for (const [x, y] of dots) {
    const dotted = shaded(200, 160, (i, j) => [Math.hypot(i + 0.5 - 200 * x, j + 0.5 - 160 * y) < 7 ? 250 : 30], 1)
    for (const { pixels, mapPoint: placeOf } of editsOf(dotted)) {
      const [across, down] = placeOf(x, y)
      const { width, height, data } = pixels
      t.ok((data[Math.floor(down * height) * width + Math.floor(across * width)] ?? 0) > 150, `${width} × ${height}`)
    }
  }
})

t.test('selected features are found again in other edits than those used to select them', async (t) => {
  const chosen = selected(kernel, picture, view)
  t.equal(chosen.length, MAX_RANKED)
  const word = wordsFrom(3)
  const changed = grey(picture, (level) => 0.8 * level + 30 + (word() >>> 28))
  const found = viewOf(changed).features
  const again = (hash: (typeof chosen)[number]['hash']) => found.some((feature) => distance(feature.hash, hash) <= 24)
  const share = (features: typeof chosen) => features.filter(({ hash }) => again(hash)).length / features.length

  t.ok(share(chosen) > share([...view.features]), `${share(chosen)} against ${share([...view.features])} of all`)
})

t.test('a feature that no edit keeps in its place is not selected', async (t) => {
  const word = wordsFrom(5)
  const invented = view.features.map((feature) => ({
    ...feature,
    hash: hashFromBytes(Uint8Array.from({ length: 32 }, () => word() >>> 24)),
  }))
  t.same(selected(kernel, picture, { ...view, features: invented }), [])
  const { length } = view.features
  const elsewhere = view.features.map((feature, i) => ({
    ...feature,
    hash: view.features[(i + 60) % length]?.hash ?? feature.hash,
  }))
  t.ok(selected(kernel, picture, { ...view, features: elsewhere }).length < 5)
})

t.test('a plain picture has no features to select', async (t) => {
  const plain: Pixels = { data: new Uint8Array(300 * 200).fill(99), width: 300, height: 200, channels: 1 }
  t.same(selected(kernel, plain, viewOf(plain)), [])
})

function viewOf(pixels: Pixels) {
  const options = { sidePx: 480, count: 250, mirrors: false, aspect: pixels.width / pixels.height }
  return kernel.usePyramid(pixels, 480, (pyramid) => featuresOf(pyramid, wholeOf(pixels), options))
}

function grey({ data, width, height, channels }: Pixels, change: (level: number) => number = (level) => level): Pixels {
  const levels = Uint8ClampedArray.from({ length: width * height }, (_, i) => change(data[i * channels] ?? 0))
  return { data: levels, width, height, channels: 1 }
}
