import assert from 'node:assert/strict'
import fc from 'fast-check'
import imghash from 'imghash'
import t from 'tap'
import { formatHash } from '../../../packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../../packages/hash/src/pdq-kernel.js'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import { transforms } from '../../../packages/hash/src/transforms.js'
import { blockhashesOf, blockhashesOfTiny } from '../../../workers/media/imghash-blockhash.js'
import { drawn, noisy, rotatedPixels } from '../../hash/synthetic.js'

const kernel = loadPdqKernelSync()

/** What imghash makes of every pixel. */
function allPixels({ data, width, height, channels }: Pixels): string {
  const rgba = Uint8Array.from({ length: 4 * width * height }, (_, k) =>
    k % 4 === 3 ? 255 : (data[Math.floor(k / 4) * channels + (channels === 1 ? 0 : k % 4)] ?? 0),
  )
  return imghash.hashRaw({ width, height, data: rgba }, 16)
}

function fromTotals(picture: Pixels): string[] {
  return blockhashesOf(kernel.hash(picture).blockTotals ?? [], picture).map(formatHash)
}

t.test('gives for each of the eight ways what imghash gives for the picture turned that way, bit for bit', async (t) => {
  for (const [width, height] of [
    [16, 16],
    [17, 33],
    [100, 75],
    [256, 256],
    [321, 200],
  ] as const) {
    const picture = drawn(1, width, height)
    t.same(
      fromTotals(picture),
      transforms.map((orientation) => allPixels(rotatedPixels(picture, orientation))),
      `${width} × ${height}`,
    )
  }
})

t.test('does so where blockhash decides by a hair: flat, nearly flat, dark and bright', async () => {
  const side = fc.integer({ min: 16, max: 70 })
  fc.assert(
    fc.property(fc.nat(), side, side, fc.integer({ min: 1, max: 3 }), fc.nat(252), (seed, width, height, steps, base) => {
      const { data, ...size } = noisy(seed, width, height, 3)
      const picture = { ...size, data: data.map((byte) => base + (byte % (steps + 1))) }
      assert.equal(fromTotals(picture)[0], allPixels(picture))
    }),
    { numRuns: 300 },
  )
  for (const grey of [127, 128, 129]) {
    const picture: Pixels = { data: new Uint8Array(32 * 32).fill(grey), width: 32, height: 32, channels: 1 }
    assert.equal(fromTotals(picture)[0], allPixels(picture), `flat, ${grey}`)
  }
})

t.test('asks imghash itself about a picture smaller than its blocks, and leaves none of its pixels', async (t) => {
  const calls = t.capture(imghash, 'hashRaw', imghash.hashRaw)
  for (const [width, height] of [
    [1, 1],
    [8, 8],
    [15, 40],
    [3, 200],
  ] as const) {
    for (const channels of [1, 3, 4] as const) {
      const picture = noisy(2, width, height, channels)
      const [hash] = blockhashesOfTiny(picture).map(formatHash)
      const given = calls().flatMap(({ args: [image] }) => Array.from(image.data))
      t.ok(given.length > 0 && given.every((byte) => byte === 0), 'what it was given is overwritten')
      t.equal(hash, allPixels(picture), `${width} × ${height}, ${channels} channels`)
      calls()
    }
  }
})
