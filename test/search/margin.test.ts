// Rows just beyond the threshold, as far as a search meets them: the probing guard counts queries near an edge by them.

import { type Test, t } from 'tap'
import type { Hit } from '../../packages/core/src/search/hit.js'
import { SignalIndex } from '../../packages/core/src/search/signal-index.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { compactAll } from './indexes.js'
import { drain } from './parts.js'
import { columnsOf, seeded } from './rows.js'

const NEEDLES = Array.from({ length: 300 }, (_, i) => seeded(1 + i))
const BEYOND = [0, 1, 2, 3]
const FAR = Array.from({ length: 40_000 }, (_, i) => seeded(1000 + i))
const MARGIN_BITS = 2

for (const thresholdBits of [23, 31, 42]) {
  const rows = [...plantedAt(thresholdBits), ...FAR]
  for (const [kind, index] of Object.entries(indexesOf(rows))) {
    t.test(`a ${kind} misses nothing within ${thresholdBits} bits, and little just beyond them`, async (t) => {
      assertFound(
        t,
        thresholdBits,
        NEEDLES.map((needle) => drain(index.search([needle], thresholdBits, MARGIN_BITS))),
      )
      const sets = NEEDLES.map((needle) => [needle])
      const together = drain(index.searchEach(sets, thresholdBits, MARGIN_BITS))
      assertFound(
        t,
        thresholdBits,
        together.map((hits) => hits ?? []),
      )
      const exact = NEEDLES.flatMap((needle) => drain(index.search([needle], thresholdBits)))
      t.equal(Math.max(...exact.map(({ distanceBits }) => distanceBits)), thresholdBits, 'no farther without a margin')
    })
  }
}

/**
 * A wide margin: a plan for 31 bits meets nine of ten rows that are twenty-one bits farther, where the pigeonring principle
 * alone would let one in four through. A plan for fewer bits is for more rows, and lets fewer through. A copy is near in
 * several views.
 */
for (const { sure, least } of [
  { sure: 31, least: [0.95, 0.85] },
  { sure: 23, least: [0.7, 0.3] },
] as const) {
  const [farthest, nearer] = [52, 42]
  const distances = [sure, nearer, farthest, farthest + 1]
  const planted = NEEDLES.flatMap((needle, n) =>
    distances.map((bits, i) => drawnAway(needle, bits, distances.length * n + i)),
  )
  const rows = [...planted, ...FAR]
  for (const [kind, index] of Object.entries(indexesOf(rows))) {
    t.test(`a ${kind} misses nothing within ${sure} bits, finds most rows in a wide margin, and none beyond`, async (t) => {
      const sets = NEEDLES.map((needle) => [needle])
      const separately = NEEDLES.map((needle) => drain(index.search([needle], sure, farthest - sure)))
      const together = drain(index.searchEach(sets, sure, farthest - sure)).map((hits) => hits ?? [])
      for (const found of [separately, together]) {
        const counts = distances.map(
          (bits, i) =>
            found.filter((hits, n) =>
              hits.some((hit) => hit.image === distances.length * n + i && hit.distanceBits === bits),
            ).length,
        )
        const [atThreshold, inMargin = 0, atFarthest = 0, beyond] = counts.map((count) => count / NEEDLES.length)
        t.equal(atThreshold, 1)
        t.ok(inMargin > least[0] && atFarthest > least[1], `${inMargin}, ${atFarthest}`)
        t.equal(beyond, 0)
      }
    })
  }
}

/** Of needle n, the rows from 4n: at the threshold, and one, two and three bits beyond. */
function plantedAt(thresholdBits: number): Hash256[] {
  return NEEDLES.flatMap((needle, n) =>
    BEYOND.map((beyond) => drawnAway(needle, thresholdBits + beyond, BEYOND.length * n + beyond)),
  )
}

/** The differing bits are random: without the stored hash nobody can choose where a query differs from it. */
function drawnAway(needle: Hash256, bits: number, seed: number): Hash256 {
  const draws = Array.from({ length: 8 }, (_, i) => seeded(1_000_000 + 8 * seed + i)).flatMap((hash) => [...hash])
  const bytes = Uint8Array.from(needle)
  for (const place of [...new Set(draws)].slice(0, bits)) bytes[place >> 3] = (bytes[place >> 3] ?? 0) ^ (1 << (place & 7))
  return hashFromBytes(bytes)
}

function indexesOf(rows: readonly Hash256[]): Record<'raw part' | 'segment' | 'head', SignalIndex> {
  const loaded = () => {
    const index = new SignalIndex()
    index.load(columnsOf(rows.map((hash, image) => ({ image, view: 0, hash }))))
    return index
  }
  const [raw, segment, head] = [loaded(), loaded(), new SignalIndex()]
  compactAll(segment)
  for (const [image, hash] of rows.entries()) head.insert(image, 0, hash)
  return { 'raw part': raw, segment, head }
}

function assertFound(t: Test, thresholdBits: number, found: readonly (readonly Hit[])[]): void {
  const share = (beyond: number) => {
    const isFound = (hits: readonly Hit[], n: number) =>
      hits.some(({ image, distanceBits }) => image === BEYOND.length * n + beyond && distanceBits === thresholdBits + beyond)
    return found.filter(isFound).length / NEEDLES.length
  }
  t.equal(share(0), 1)
  t.ok(share(1) > 0.97 && share(2) > 0.97, `${share(1)}, ${share(2)}`)
  t.equal(share(3), 0)
}
