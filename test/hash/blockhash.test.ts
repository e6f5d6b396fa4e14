import assert from 'node:assert/strict'
import t from 'tap'
import { blockhashOf } from '../../packages/hash/src/blockhash.js'
import { formatHash } from '../../packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../packages/hash/src/pdq-kernel.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { allPixels, checkCloseCalls, SIDES } from './imghash-oracle.js'
import { drawn } from './synthetic.js'

const kernel = loadPdqKernelSync()

function fromTotals(picture: Pixels): string {
  return formatHash(blockhashOf(kernel.hash(picture).blockTotals ?? [], picture))
}

t.test('blockhash equals imghash on all pixels, for sides that the blocks divide and others', async (t) => {
  for (const [width, height] of SIDES) {
    const picture = drawn(1, width, height)
    t.equal(fromTotals(picture), allPixels(picture), `${width} × ${height}`)
  }
})

t.test('blockhash equals imghash on close calls: flat, nearly flat, dark and bright pictures', async () => {
  checkCloseCalls((picture) => {
    assert.equal(fromTotals(picture), allPixels(picture))
  })
})

t.test('blockhash refuses any number of totals but 256', async (t) => {
  t.throws(() => blockhashOf([1, 2, 3], { width: 16, height: 16 }), RangeError)
})
