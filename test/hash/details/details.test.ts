import t from 'tap'
import { detailsWith } from '../../../packages/hash/src/details/details.js'
import { loadDetailsKernelSync } from '../../../packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../../packages/hash/src/frame-kernel.js'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import { shaded } from '../patterns.js'
import { drawn } from '../synthetic.js'

const details = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())

/** Pastes a picture on a white page. */
function onPage(inner: Pixels, width: number, height: number, left: number, top: number): Pixels {
  return shaded(width, height, (x, y) => {
    const [across, down] = [x - left, y - top]
    if (across < 0 || down < 0 || across >= inner.width || down >= inner.height) return [250, 250, 250]
    const from = (down * inner.width + across) * 3
    return Array.from(inner.data.subarray(from, from + 3))
  })
}

t.test('a picture in a frame is registered without the frame', async (t) => {
  const { points, ranked } = details.register(onPage(drawn(3, 360, 240), 700, 900, 150, 300))
  t.ok(Math.abs(points.width / points.height - 1.5) < 0.1, `${points.width} × ${points.height}`)
  t.same([ranked.width, ranked.height], [points.width, points.height])
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
