import { t } from 'tap'
import { HASH_BYTES } from '../../src/hash/hash256.js'
import { RowStore } from '../../src/search/row-store.js'
import type { Hit } from '../../src/search/signal-index.js'
import { seeded, spread } from './rows.js'

t.test('a store takes 37 bytes a row, and an eighth of slack at most', async (t) => {
  const store = new RowStore()
  for (let row = 0; row < 200_000; row++) store.append(row, 0, seeded(1))

  t.ok(store.bytes / store.rows < (37 * 9) / 8 + 1)
  t.ok(store.bytes / store.rows >= 37)
})

t.test('a scan reads the range it is given and nothing else', async (t) => {
  const store = new RowStore()
  for (let row = 0; row < 9_000; row++) store.append(row, 0, seeded(1))

  for (const [from, to] of [
    [0, 0],
    [0, 1],
    [4_095, 4_097],
    [1, 8_999],
    [8_192, 9_000],
  ] as const) {
    const hits: Hit[] = []
    store.scan(seeded(1), 0, from, to, hits)
    t.same(
      hits.map(({ image }) => image),
      Array.from({ length: to - from }, (_, i) => from + i),
    )
  }
})

t.test('a row copied from another store is the same row', async (t) => {
  const source = new RowStore()
  for (let row = 0; row < 5_000; row++) source.append(4_294_960_000 + row, row % 256, seeded(row))
  const copy = new RowStore()

  for (const row of [4_999, 0, 4_096]) copy.appendFrom(source, row)

  const needles = new Uint8Array(3 * HASH_BYTES)
  for (const [i, row] of [0, 4_096, 4_999].entries()) needles.set(spread(seeded(row), 3), i * HASH_BYTES)
  const hits: Hit[] = []
  copy.scan(needles, 3, 0, 3, hits)
  t.same(hits, [
    { image: 4_294_964_999, view: 4_999 % 256, transform: 2, distanceBits: 3 },
    { image: 4_294_960_000, view: 0, transform: 0, distanceBits: 3 },
    { image: 4_294_964_096, view: 0, transform: 1, distanceBits: 3 },
  ])
})
