import { t } from 'tap'
import { linear } from '../../packages/core/src/search/linear.js'
import { packed, zeros } from './rows.js'

t.test('a linear scan finds rows at the threshold, not one bit beyond', async (t) => {
  const rows = [30, 31, 32].map((bits, view) => ({ image: 7, view, hash: packed(zeros, bits) }))

  t.same(linear(rows, [zeros], 31), [
    { image: 7, view: 0, transform: 0, distanceBits: 30 },
    { image: 7, view: 1, transform: 0, distanceBits: 31 },
  ])
})

t.test('a linear scan names the nearest needle, the first of equals', async (t) => {
  const rows = [{ image: 1, view: 2, hash: zeros }]
  const needles = [9, 5, 5, 8].map((bits, i) => packed(zeros, bits, i))

  t.same(linear(rows, needles, 31), [{ image: 1, view: 2, transform: 1, distanceBits: 5 }])
})
