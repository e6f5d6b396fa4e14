import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { reducedSide } from '../../packages/hash/src/reduced-side.js'

t.test('shrinks a long side to about 600 pixels and never enlarges a short one', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65_535 }), (length) => {
      const reduced = reducedSide(length)
      assert.ok(reduced <= length)
      if (length <= 650) assert.equal(reduced, length)
      else assert.ok(reduced >= 450 && reduced <= 650)
    }),
    { numRuns: 60 },
  )
})

t.test('prefers a size whose window is centred when that of the full side is', async (t) => {
  // 640 has a window of 5 pixels, as centred as the 31 of 3900; 512 would have one of 4, half a pixel off in each pass.
  for (const length of [1500, 3000, 3900, 4000, 8000]) {
    t.equal(Math.floor((reducedSide(length) + 127) / 128) % 2, 1, `${length}`)
  }
})
