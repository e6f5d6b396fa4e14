import fc from 'fast-check'
import t from 'tap'
import { endsOf, seenEndsOf } from '../../../packages/hash/src/deframe/ends.js'
import { overlapOf, type Rectangle } from '../../../packages/hash/src/rectangle.js'

const SAME_OVERLAP = 0.93

t.test(
  'what a screen shows of a photograph that it cuts off has an end of the registered photograph, to the pixel',
  async () => {
    const cut = fc.record({
      left: fc.integer({ min: 0, max: 500 }),
      width: fc.integer({ min: 100, max: 580 }),
      height: fc.integer({ min: 100, max: 900 }),
      share: fc.double({ min: 0.1, max: 0.95, noNaN: true }),
      isTopCut: fc.boolean(),
      /** How much narrower the raster is than the screen. */
      narrower: fc.constantFrom(1, 2),
    })
    const screen = { width: 1080, height: 1920 }
    fc.assert(
      fc.property(cut, ({ left, width, height, share, isTopCut, narrower }) => {
        const seenPx = Math.round(share * height)
        const photograph = { left, top: 0, right: left + width, bottom: height }
        const topPx = isTopCut ? seenPx - height : screen.height - seenPx
        const seen = {
          left: left / narrower,
          top: Math.max(0, topPx),
          right: (left + width) / narrower,
          bottom: Math.min(screen.height, topPx + height),
        }
        const raster = { width: screen.width / narrower, height: screen.height }
        const asked = seenEndsOf([seen], raster, screen.width / screen.height, SAME_OVERLAP)
        if (seenPx < 0.5 * width) return asked.length === 0
        const registered = endsOf([photograph], SAME_OVERLAP)
        return asked.every((end) => {
          const own = {
            left: end.left * narrower,
            top: end.top - topPx,
            right: end.right * narrower,
            bottom: end.bottom - topPx,
          }
          return registered.some((other) => isNear(own, other))
        })
      }),
    )
  },
)

function isNear(a: Rectangle, b: Rectangle): boolean {
  return (['left', 'top', 'right', 'bottom'] as const).every((side) => Math.abs(a[side] - b[side]) <= 1)
}

t.test('only parts that one border cuts off are asked about, the likeliest two of each border', async (t) => {
  const screen = { width: 400, height: 800 }
  const seen = (...parts: Rectangle[]) => seenEndsOf(parts, screen, 0.5, SAME_OVERLAP)
  const part = (top: number, bottom: number, left = 20) => ({ left, top, right: left + 200, bottom })
  t.same(seen(part(100, 700)), [], 'whole')
  t.same(seen(part(0, 800)), [], 'cut off at both borders')
  t.same(seen(part(0, 90)), [], 'too little of it')
  t.same(seen(part(0, 300)), [part(200, 300)])
  t.same(seen(part(500, 800)), [part(500, 600)])
  t.same(seen(part(11, 300)), [part(200, 300)], 'almost at the border, which is 12 pixels')
  t.same(seen(part(500, 789)), [part(500, 600)])
  t.same(seen(part(14, 300)), [], 'not at the border')
  t.same(seen(part(500, 786)), [])
  t.same(seen(part(0, 300), part(3, 302)), [part(200, 300)], 'the same')
  t.same(seen(part(0, 300), part(0, 400), part(0, 500), part(600, 800)), [part(200, 300), part(300, 400), part(600, 700)])
})

t.test('both ends of a photograph are registered, one of a low one, none of a bar', async (t) => {
  const ends = (height: number) => endsOf([{ left: 20, top: 10, right: 220, bottom: 10 + height }], SAME_OVERLAP)
  t.equal(ends(300).length, 2)
  t.ok(ends(300).every(({ top, bottom }) => bottom - top === 100))
  t.equal(ends(102).length, 1)
  t.ok(
    overlapOf(ends(102)[0] ?? { left: 0, top: 0, right: 0, bottom: 0 }, { left: 20, top: 10, right: 220, bottom: 112 }) >
      0.9,
  )
  t.same(ends(99), [])
})
