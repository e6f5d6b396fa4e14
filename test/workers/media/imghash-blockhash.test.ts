import assert from 'node:assert/strict'
import imghash from 'imghash'
import t from 'tap'
import { formatHash } from '../../../packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../../packages/hash/src/pdq-kernel.js'
import type { Pixels } from '../../../packages/hash/src/pixels.js'
import { transforms } from '../../../packages/hash/src/transforms.js'
import { blockhashesOf, blockhashesOfTiny } from '../../../workers/media/imghash-blockhash.js'
import { allPixels, checkCloseCalls, SIDES } from '../../hash/imghash-oracle.js'
import { drawn, noisy, rotatedPixels } from '../../hash/synthetic.js'

const kernel = loadPdqKernelSync()

function fromTotals(picture: Pixels): string[] {
  return blockhashesOf(kernel.hash(picture).blockTotals ?? [], picture).map(formatHash)
}

t.test('each orientation has exactly the hash that imghash gives for the rotated picture', async (t) => {
  for (const [width, height] of SIDES) {
    const picture = drawn(1, width, height)
    t.same(
      fromTotals(picture),
      transforms.map((orientation) => allPixels(rotatedPixels(picture, orientation))),
      `${width} × ${height}`,
    )
  }
})

t.test('blockhash equals imghash on close calls: flat, nearly flat, dark and bright pictures', async () => {
  checkCloseCalls((picture) => {
    assert.equal(fromTotals(picture)[0], allPixels(picture))
  })
})

t.test('a picture smaller than the blocks is hashed by imghash, and its pixels are overwritten', async (t) => {
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
      t.ok(given.length > 0 && given.every((byte) => byte === 0), 'the pixels given to imghash are overwritten')
      t.equal(hash, allPixels(picture), `${width} × ${height}, ${channels} channels`)
      calls()
    }
  }
})
