import t from 'tap'
import { placedRow, rowsOf } from '../../../packages/hash/src/details/rows.js'
import { hashFromBytes } from '../../../packages/hash/src/hash256.js'

t.test('a row keeps the place of its feature to one of sixteen cells, and its angle', async (t) => {
  const hash = hashFromBytes(new Uint8Array(32))
  const { rows, ...size } = rowsOf({ width: 480, height: 360, features: [{ column: 5, row: 20, angle: 3, level: 2, hash }] })
  t.same(size, { width: 480, height: 360 })
  const [row] = rows
  if (row === undefined) throw new Error('one row')
  t.same(placedRow(row, size), { x: 75, y: 236.25, angle: 12, level: 2 })
})
