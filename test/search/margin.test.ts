// Rows just beyond the threshold, as far as a search meets them: what counts queries near an edge goes by them.

import { t } from 'tap'
import { distance, type Hash256, hashFromBytes } from '../../src/hash/hash256.js'
import { SignalIndex } from '../../src/search/signal-index.js'
import { compactAll } from './indexes.js'
import { drain } from './parts.js'
import { columnsOf, seeded } from './rows.js'

const NEEDLE = seeded(1)
const ROWS_FAR = 60_000
const EACH = 40

/** Which bits differ is drawn: nobody who does not know a stored hash can choose where a query differs from it. */
function drawnAway(bits: number, seed: number): Hash256 {
  const draws = Array.from({ length: 8 }, (_, i) => seeded(100_000 + 8 * seed + i)).flatMap((hash) => [...hash])
  const places = [...new Set(draws)].slice(0, bits)
  const bytes = Uint8Array.from(NEEDLE)
  for (const place of places) bytes[place >> 3] = (bytes[place >> 3] ?? 0) ^ (1 << (place & 7))
  return hashFromBytes(bytes)
}

t.test(
  'nothing within the threshold is missed, nearly nothing up to two bits beyond, and nothing farther is told',
  async (t) => {
    for (const thresholdBits of [31, 42]) {
      const planted = [0, 1, 2, 3].flatMap((beyond) =>
        Array.from({ length: EACH }, (_, i) => drawnAway(thresholdBits + beyond, 4 * i + beyond)),
      )
      const hashes = [...planted, ...Array.from({ length: ROWS_FAR }, (_, i) => seeded(10 + i))]
      const index = new SignalIndex()
      index.load(columnsOf(hashes.map((hash, image) => ({ image, view: 0, hash }))))
      compactAll(index)
      for (const hash of planted.slice(0, 10)) index.insert(hashes.length, 0, hash) // and in a head
      const alone = drain(index.search([NEEDLE], thresholdBits, 2))
      const [each = []] = drain(index.searchEach([[NEEDLE], [seeded(2)]], thresholdBits, 2))
      for (const hits of [alone, each]) {
        const found = new Set(hits.map(({ image }) => image))
        const share = (beyond: number) =>
          planted.filter((hash, image) => distance(hash, NEEDLE) === thresholdBits + beyond && found.has(image)).length /
          EACH
        t.equal(share(0), 1)
        t.ok(share(1) > 0.9 && share(2) > 0.9, `${share(1)}, ${share(2)}`)
        t.equal(share(3), 0)
        t.ok(
          hits.every(
            ({ image, distanceBits }) =>
              image === hashes.length || distance(hashes[image] ?? NEEDLE, NEEDLE) === distanceBits,
          ),
        )
      }
      t.same(
        new Set(drain(index.search([NEEDLE], thresholdBits)).map(({ distanceBits }) => distanceBits)),
        new Set([thresholdBits]),
      )
    }
  },
)
