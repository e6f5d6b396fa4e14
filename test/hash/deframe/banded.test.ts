import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import { pictureAround } from '../../../packages/hash/src/deframe/banded.js'
import { deframe } from '../../../packages/hash/src/deframe/deframe.js'
import { loadFrameKernelSync } from '../../../packages/hash/src/frame-kernel.js'
import { overlapOf, type Rectangle } from '../../../packages/hash/src/rectangle.js'
import { scenePixels } from '../../helpers/pictures.js'
import { shaded } from '../patterns.js'

const PICTURE: Rectangle = { left: 10, top: 100, right: 610, bottom: 1100 }
const ELSEWHERE: Rectangle = { left: 0, top: 1200, right: 620, bottom: 1700 }

/** Both parts of `PICTURE` that a band leaves, for a band at these shares of its height. */
function parts(from: number, to: number): [Rectangle, Rectangle] {
  return [
    { ...PICTURE, bottom: 100 + 1000 * from },
    { ...PICTURE, top: 100 + 1000 * to },
  ]
}

t.test('the picture around a band is found from either part, wherever it ranks', async () => {
  const band = fc.record({ from: fc.integer({ min: 20, max: 60 }), height: fc.integer({ min: 6, max: 19 }) })
  fc.assert(
    fc.property(band, fc.boolean(), fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), ({ from, height }, isAbove, order) => {
      const [above, below] = parts(from / 100, (from + height) / 100)
      const [first, second] = isAbove ? [above, below] : [below, above]
      const others = [PICTURE, second, ELSEWHERE]
      const ranked = [first, ...order.flatMap((i) => others[i] ?? [])]
      assert.equal(pictureAround(first, ranked), PICTURE)
    }),
  )
})

t.test('a gap between two pictures and the text between two posts are no band, and other parts no picture', async (t) => {
  const around = (above: Rectangle, below: Rectangle, ...others: Rectangle[]) =>
    pictureAround(above, [above, below, PICTURE, ...others])
  t.equal(around(...parts(0.4, 0.55)), PICTURE)
  t.equal(around(...parts(0.4, 0.44)), undefined, 'a gap')
  t.equal(around(...parts(0.4, 0.62)), undefined, 'text')
  t.equal(around(...parts(0.15, 0.3)), undefined, 'the upper part is too low')
  t.equal(around(...parts(0.7, 0.85)), undefined, 'the lower part is too low')
  const [above, below] = parts(0.4, 0.55)
  t.equal(pictureAround(above, [above, PICTURE, ELSEWHERE]), undefined, 'no second part')
  t.equal(pictureAround(above, [above, below, ELSEWHERE]), undefined, 'no picture')
  for (const side of ['left', 'right'] as const) {
    t.equal(around(above, { ...below, [side]: below[side] + 13 }), undefined, `the lower part ends elsewhere: ${side}`)
    t.equal(around({ ...above, [side]: above[side] - 13 }, below), undefined, `the upper part ends elsewhere: ${side}`)
  }
  t.equal(around({ ...above, top: above.top + 21 }, below), undefined, 'the upper part begins below')
  t.equal(around(above, { ...below, bottom: below.bottom - 21 }), undefined, 'the lower part ends above')
})

const kernel = loadFrameKernelSync()
const SCREEN = { width: 360, height: 780 }
const PHOTOGRAPHS = new URL('../../../../demo/pictures/', import.meta.url)
/** Where a caption begins and how high it is, relative to the picture, and how dark. */
const CAPTIONS = [
  { top: 0.35, height: 0.12, dark: 0.6 },
  { top: 0.5, height: 0.14, dark: 0.6 },
  { top: 0.62, height: 0.1, dark: 0.5 },
  { top: 0.42, height: 0.18, dark: 0.75 },
]

t.test('a caption across a picture on a black screen does not split it', async (t) => {
  let found = 0
  let all = 0
  for (const name of await readdir(PHOTOGRAPHS)) {
    const resized = sharp(await readFile(new URL(name, PHOTOGRAPHS))).resize({ width: SCREEN.width })
    const { data, info } = await resized.raw().toBuffer({ resolveWithObject: true })
    const top = Math.round((SCREEN.height - info.height) / 2)
    for (const caption of CAPTIONS) {
      const from = top + Math.round(caption.top * info.height)
      const to = from + Math.round(caption.height * info.height)
      const screen = shaded(SCREEN.width, SCREEN.height, (x, y) => {
        if (y < top || y >= top + info.height) return [0, 0, 0]
        const at = ((y - top) * info.width + x) * info.channels
        const light = y >= from && y < to ? 1 - caption.dark : 1
        return [light * (data[at] ?? 0), light * (data[at + 1] ?? 0), light * (data[at + 2] ?? 0)]
      })
      const overlap = kernel.measure(screen, (measured) => {
        const { framed } = deframe(measured)
        const scale = measured.height / SCREEN.height
        const truth = { left: 0, top: top * scale, right: measured.width, bottom: (top + info.height) * scale }
        return framed === undefined ? 0 : overlapOf(framed, truth)
      })
      if (overlap > 0.95) found++
      all++
    }
  }
  t.ok(all === 32 && found >= 30, `${found} of ${all}`)
})

/** Where chance edges of scene 4 look like a picture of which a band across leaves two parts. Its score is too low for one. */
const CHANCE_EDGES: Rectangle = { left: 284, top: 15, right: 594, bottom: 298 }

t.test('edges that are arranged by chance like a picture behind a band are none', async (t) => {
  const { data, width, height } = scenePixels(4, { width: 640, height: 360 })
  const { parts, framed } = kernel.measure(
    shaded(width, height, (x, y) => [data[3 * (y * width + x) + 1] ?? 0], 1),
    (measured) => deframe(measured),
  )
  const [first] = parts
  t.ok(first && overlapOf(first, CHANCE_EDGES) < 0.95, `the likeliest part is ${JSON.stringify(first)}`)
  t.ok(framed && overlapOf(framed, CHANCE_EDGES) < 0.95, `in a frame is ${JSON.stringify(framed)}`)
})
