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

t.test('is what imghash makes of all pixels, for sides that the blocks divide and for others', async (t) => {
  for (const [width, height] of SIDES) {
    const picture = drawn(1, width, height)
    t.equal(fromTotals(picture), allPixels(picture), `${width} × ${height}`)
  }
})

t.test('is so where blockhash decides by a hair: flat, nearly flat, dark and bright', async () => {
  checkCloseCalls((picture) => {
    assert.equal(fromTotals(picture), allPixels(picture))
  })
})

t.test('refuses anything but 256 totals', async (t) => {
  t.throws(() => blockhashOf([1, 2, 3], { width: 16, height: 16 }), RangeError)
})
