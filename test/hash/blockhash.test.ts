import assert from 'node:assert/strict'
import fc from 'fast-check'
import imghash from 'imghash'
import t from 'tap'
import { blockhashOf } from '../../packages/hash/src/blockhash.js'
import { formatHash } from '../../packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../packages/hash/src/pdq-kernel.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { drawn, noisy } from './synthetic.js'

const kernel = loadPdqKernelSync()

function fromTotals(picture: Pixels): string {
  return formatHash(blockhashOf(kernel.hash(picture).blockTotals ?? [], picture))
}

/** What imghash makes of every pixel. */
function allPixels({ data, width, height, channels }: Pixels): string {
  const rgba = Uint8Array.from({ length: 4 * width * height }, (_, k) =>
    k % 4 === 3 ? 255 : (data[Math.floor(k / 4) * channels + (channels === 1 ? 0 : k % 4)] ?? 0),
  )
  return imghash.hashRaw({ width, height, data: rgba }, 16)
}

t.test('is what imghash makes of all pixels, for sides that the blocks divide and for others', async (t) => {
  for (const [width, height] of [
    [16, 16],
    [17, 33],
    [100, 75],
    [256, 256],
    [321, 200],
  ] as const) {
    const picture = drawn(1, width, height)
    t.equal(fromTotals(picture), allPixels(picture), `${width} × ${height}`)
  }
})

t.test('is so where blockhash decides by a hair: flat, nearly flat, dark and bright', async () => {
  const side = fc.integer({ min: 16, max: 70 })
  fc.assert(
    fc.property(fc.nat(), side, side, fc.integer({ min: 1, max: 3 }), fc.nat(252), (seed, width, height, steps, base) => {
      const { data, ...size } = noisy(seed, width, height, 3)
      const picture = { ...size, data: data.map((byte) => base + (byte % (steps + 1))) }
      assert.equal(fromTotals(picture), allPixels(picture))
    }),
    { numRuns: 300 },
  )
  for (const grey of [127, 128, 129]) {
    const picture: Pixels = { data: new Uint8Array(32 * 32).fill(grey), width: 32, height: 32, channels: 1 }
    assert.equal(fromTotals(picture), allPixels(picture), `flat, ${grey}`)
  }
})

t.test('refuses anything but 256 totals', async (t) => {
  t.throws(() => blockhashOf([1, 2, 3], { width: 16, height: 16 }), RangeError)
})
