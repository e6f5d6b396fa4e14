import t from 'tap'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import { pdq } from '../../packages/hash/src/pdq.js'
import { MAX_SEPARABLE_BITS, separableBits } from '../../packages/hash/src/separable.js'
import { hashNamed } from '../helpers/hashes.js'
import { scenePixels } from '../helpers/pictures.js'

t.test('a pattern of one bit per row and one per column is wholly separable', async (t) => {
  for (const [down, across] of [
    [0xffff, 0xffff],
    [0x0f3c, 0xa5a5],
    [0x8001, 0x1234],
  ] as const) {
    const bytes = new Uint8Array(32)
    for (let k = 0; k < 256; k++) {
      const bit = ((down >> (k >> 4)) ^ (across >> (k & 15))) & 1
      bytes[k >> 3] = (bytes[k >> 3] ?? 0) | (bit << (k & 7))
    }
    t.equal(separableBits(hashFromBytes(bytes)), 256)
  }
})

t.test('separableBits equals its definition, with one sign at a time', async (t) => {
  const hashes = Array.from({ length: 300 }, (_, i) => hashNamed(`${i}`))
  t.same(hashes.map(separableBits), hashes.map(definedBits))
})

t.test('separableBits tells app graphics from photographs', async (t) => {
  const scenes = [1, 2, 3, 4, 5].map((seed) => separableBits(pdq({ ...scenePixels(seed), channels: 3 }).hash))
  t.ok(Math.max(...scenes) <= MAX_SEPARABLE_BITS, scenes.join(' '))
  for (const drawn of [
    box(300, 200, 40, 120, 220, 40),
    box(600, 400, 80, 250, 440, 60),
    box(600, 400, 100, 100, 200, 150),
    box(640, 480, 300, 50, 150, 300),
  ])
    t.ok(separableBits(pdq(drawn).hash) > MAX_SEPARABLE_BITS)
})

t.test('a box on a plain ground has no part that another box could match', async (t) => {
  const { signals } = loadImageHasherSync().hash(box(600, 400, 80, 250, 440, 60), 'register')

  t.same(
    signals.filter(({ type }) => type === 'pdq-area'),
    [],
  )
})

function box(width: number, height: number, left: number, top: number, across: number, down: number) {
  const isIn = (x: number, y: number) => x >= left && x < left + across && y >= top && y < top + down
  const data = Uint8Array.from({ length: width * height }, (_, k) => (isIn(k % width, Math.floor(k / width)) ? 240 : 20))
  return { data, width, height, channels: 1 } as const
}

/** The definition: alternately the best sign of each row and of each column. */
function definedBits(hash: Hash256): number {
  const signAt = (i: number, j: number) => (((hash[(16 * i + j) >> 3] ?? 0) >> (j & 7)) & 1 ? 1 : -1)
  const sums = (of: (i: number, j: number) => number) =>
    Array.from({ length: 16 }, (_, i) => Array.from({ length: 16 }, (_, j) => of(i, j)).reduce((sum, one) => sum + one))
  const signs = (of: readonly number[]) => of.map((sum) => (sum >= 0 ? 1 : -1))
  const climbed = [0, 5, 10, 15].map((start) => {
    let columns = Array.from({ length: 16 }, (_, j) => signAt(start, j))
    let along: readonly number[] = []
    for (let round = 0; round < 6; round++) {
      const rows = signs(sums((i, j) => signAt(i, j) * (columns[j] ?? 0)))
      along = sums((j, i) => signAt(i, j) * (rows[i] ?? 0))
      columns = signs(along)
    }
    return (256 + along.reduce((sum, one) => sum + Math.abs(one), 0)) / 2
  })
  return Math.max(...climbed)
}
