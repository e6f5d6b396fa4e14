// Rows just beyond the threshold, as far as a search meets them: what counts queries near an edge goes by them.

import { t } from 'tap'
import { type Hash256, hashFromBytes } from '../../src/hash/hash256.js'
import type { Hit } from '../../src/search/hit.js'
import { SignalIndex } from '../../src/search/signal-index.js'
import { compactAll } from './indexes.js'
import { drain } from './parts.js'
import { columnsOf, seeded } from './rows.js'

const NEEDLES = Array.from({ length: 300 }, (_, i) => seeded(1 + i))
const BEYOND = [0, 1, 2, 3]
const ROWS_FAR = 60_000

/** Which bits differ is drawn: nobody who does not know a stored hash can choose where a query differs from it. */
function drawnAway(needle: Hash256, bits: number, seed: number): Hash256 {
  const draws = Array.from({ length: 8 }, (_, i) => seeded(1_000_000 + 8 * seed + i)).flatMap((hash) => [...hash])
  const bytes = Uint8Array.from(needle)
  for (const place of [...new Set(draws)].slice(0, bits)) bytes[place >> 3] = (bytes[place >> 3] ?? 0) ^ (1 << (place & 7))
  return hashFromBytes(bytes)
}

t.test(
  'nothing within the threshold is missed, nearly nothing up to two bits beyond, and nothing farther is told',
  async (t) => {
    for (const thresholdBits of [31, 42]) {
      // Of needle n, the rows that begin at 4n.
      const planted = NEEDLES.flatMap((needle, n) =>
        BEYOND.map((beyond) => drawnAway(needle, thresholdBits + beyond, BEYOND.length * n + beyond)),
      )
      const rows = [...planted, ...Array.from({ length: ROWS_FAR }, (_, i) => seeded(1000 + i))]
      const index = new SignalIndex()
      index.load(columnsOf(rows.map((hash, image) => ({ image, view: 0, hash }))))
      compactAll(index)
      const searches: Record<string, (readonly Hit[])[]> = {
        alone: NEEDLES.map((needle) => drain(index.search([needle], thresholdBits, 2))),
        together: drain(
          index.searchEach(
            NEEDLES.map((needle) => [needle]),
            thresholdBits,
            2,
          ),
        ).map((hits) => hits ?? []),
      }
      for (const [name, found] of Object.entries(searches)) {
        const share = (beyond: number) => {
          const isFound = (hits: readonly Hit[], n: number) =>
            hits.some(
              ({ image, distanceBits }) => image === BEYOND.length * n + beyond && distanceBits === thresholdBits + beyond,
            )
          return found.filter(isFound).length / NEEDLES.length
        }
        t.equal(share(0), 1, name)
        t.ok(share(1) > 0.97 && share(2) > 0.97, `${name}: ${share(1)}, ${share(2)}`)
        t.equal(share(3), 0, name)
      }
      const exact = NEEDLES.flatMap((needle) => drain(index.search([needle], thresholdBits)))
      t.ok(
        exact.every(({ distanceBits }) => distanceBits <= thresholdBits),
        'and none where no margin is asked for',
      )
    }
  },
)
