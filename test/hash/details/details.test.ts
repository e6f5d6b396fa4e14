import t from 'tap'
import { detailsWith } from '../../../packages/hash/src/details/details.js'
import { askedFeatures } from '../../../packages/hash/src/details/kept.js'
import { meetsThreshold, verify } from '../../../packages/hash/src/details/verify.js'
import { loadDetailsKernelSync } from '../../../packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../../packages/hash/src/frame-kernel.js'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import { shaded } from '../patterns.js'
import { drawn, photographed } from '../synthetic.js'

const details = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())

/** Pastes a picture on a page, white unless given. */
function onPage(inner: Pixels, width: number, height: number, left: number, top: number, page?: Pixels): Pixels {
  return shaded(width, height, (x, y) => {
    const [across, down] = [x - left, y - top]
    if (across < 0 || down < 0 || across >= inner.width || down >= inner.height) {
      const at = (y * width + x) * 3
      return page === undefined ? [250, 250, 250] : Array.from(page.data.subarray(at, at + 3))
    }
    const from = (down * inner.width + across) * 3
    return Array.from(inner.data.subarray(from, from + 3))
  })
}

t.test('a picture in a frame is registered without the frame', async (t) => {
  const { points, ranked } = details.register(onPage(drawn(3, 360, 240), 700, 900, 150, 300))
  t.ok(Math.abs(points.width / points.height - 1.5) < 0.1, `${points.width} × ${points.height}`)
  t.same([ranked.width, ranked.height], [points.width, points.height])
})

t.test('a photograph above or below a drawing of the same width is registered without the drawing', async (t) => {
  for (const [drawing, photograph] of [
    [80, 500],
    [500, 80],
  ] as const) {
    const page = onPage(drawn(3, 400, 300), 520, 900, 60, drawing)
    const { points } = details.register(onPage(photographed(4, 400, 300), 520, 900, 60, photograph, page))
    t.ok(Math.abs(points.width / points.height - 4 / 3) < 0.1, `${points.width} × ${points.height}`)
    const views = details.ask(photographed(4, 400, 300))
    t.ok(views.some((view) => meetsThreshold(verify(points, askedFeatures(view, false), view))))
  }
})

t.test('a drawing and a photograph in one column are registered together where no plain frame surrounds them', async (t) => {
  for (const seed of [2, 4]) {
    const around = photographed(seed + 40, 520, 900)
    const column = onPage(drawn(seed, 400, 300), 520, 900, 60, 80, around)
    const { points } = details.register(onPage(photographed(seed + 20, 400, 300), 520, 900, 60, 500, column))
    t.ok(Math.abs(points.width / points.height - 400 / 720) < 0.1, `${points.width} × ${points.height}`)
  }
})

t.test('a page without a frame is registered by a picture on it, but not by a smaller one, such as an avatar', async (t) => {
  const page = shaded(700, 900, (x, y) => (y % 30 < 10 && x % 12 < 5 && x > 40 && x < 660 ? [20, 20, 20] : [250, 250, 250]))
  for (const [picture, aspect] of [
    [photographed(3, 270, 180), 270 / 180],
    [photographed(3, 180, 120), 700 / 900],
  ] as const) {
    const { points } = details.register(onPage(picture, 700, 900, 200, 300, page))
    t.ok(Math.abs(points.width / points.height - aspect) < 0.1, `${points.width} × ${points.height}`)
  }
})

t.test('a page is not registered by a band of words or buttons on it', async (t) => {
  for (const [band, width, height] of [
    [drawn(3, 600, 110), 700, 700],
    [drawn(4, 120, 620), 700, 700],
  ] as const) {
    const { points } = details.register(onPage(band, width, height, 40, 40))
    t.ok(Math.abs(points.width / points.height - width / height) < 0.1, `${points.width} × ${points.height}`)
  }
})

t.test('a very wide picture is registered without its frame', async (t) => {
  const { points } = details.register(onPage(drawn(3, 564, 240), 700, 700, 60, 300))
  t.ok(Math.abs(points.width / points.height - 2.35) < 0.15, `${points.width} × ${points.height}`)
})
