import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { reducedSide } from '../../packages/hash/src/reduced-side.js'
import { runs } from '../helpers/runs.js'

t.test('a long side is reduced to about 600 pixels, and a short one is never enlarged', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65_535 }), (length) => {
      const reduced = reducedSide(length)
      assert.ok(reduced <= length)
      if (length <= 650) assert.equal(reduced, length)
      else assert.ok(reduced >= 450 && reduced <= 650)
    }),
    { numRuns: runs(30) },
  )
})

t.test('a reduced side has a centred window when the full side has one', async (t) => {
  // 640 has a window of 5 pixels, as centred as the 31 of 3900; 512 would have one of 4, half a pixel off in each pass.
  for (const length of [1500, 3000, 3900, 4000, 8000]) {
    t.equal(Math.floor((reducedSide(length) + 127) / 128) % 2, 1, `${length}`)
  }
})
