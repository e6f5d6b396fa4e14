// The kernel's answer counts when its scratch memory is exactly full; one more entry makes it refuse.

import { t } from 'tap'
import { scratch } from '../../packages/core/src/search/engine.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { BAND_BITS, BANDS, dealt, flippedByBand, randomFrom, rowsOf } from './corpora.js'
import { load, rawProbe } from './kernel-probes.js'
import { headOf, padded, segmentOf } from './parts.js'
import { seeded, zeros } from './rows.js'

const zeros16 = new Array<number>(BANDS).fill(0)
/** Capacities of scratch memory; see kernel/layout.ts. */
const MAX_HITS = 16_384
const MAX_SURVIVORS = 524_288

t.test('a probe that exactly fills the room for hits counts; with one more hit it fails', async (t) => {
  const reach = dealt(1, () => 5)
  const near = (rows: number) => segmentOf(padded(rowsOf(new Array<Hash256>(rows).fill(zeros)))).block

  for (const count of [MAX_HITS, MAX_HITS + 1]) {
    const block = near(count)
    t.equal(rawProbe(block, [zeros], reach, 0, BANDS, 0), count === MAX_HITS ? MAX_HITS : -1)
  }
  const half = near(MAX_HITS / 2)
  t.equal(rawProbe(half, [zeros, zeros], reach, 0, BANDS, 0), MAX_HITS)
  t.equal(rawProbe(half, [zeros, zeros, zeros], reach, 0, BANDS, 0), -1)
})

t.test('a probe at its limit of rows counts; above it, it fails before it reads any', async (t) => {
  // All equal in bands 0 to 2, and far away in all others.
  const far = flippedByBand(zeros, [0, 0, 0, ...new Array<number>(13).fill(8)], randomFrom(1))
  const { block } = segmentOf(padded(rowsOf([...new Array<Hash256>(99).fill(far), zeros])))
  const exact = dealt(1, () => 0)

  t.equal(rawProbe(block, [zeros], exact, 0, BANDS, 31, 100), 1)
  t.equal(rawProbe(block, [zeros], exact, 0, BANDS, 31, 99), -1)
  t.equal(rawProbe(block, [zeros, zeros], exact, 0, BANDS, 31, 200), 2)
  t.equal(rawProbe(block, [zeros, zeros], exact, 0, BANDS, 31, 199), -1)
})

t.test('a probe that exactly fills the room for candidates counts; with one more it fails', async (t) => {
  // Equal in bands 0 to 3, so that only the whole rows show that they are far away.
  const far = Array.from({ length: 64 }, (_, i) =>
    flippedByBand(zeros, [0, 0, 0, 0, ...new Array<number>(12).fill(8)], randomFrom(i)),
  )
  const rows = rowsOf(Array.from({ length: MAX_SURVIVORS }, (_, i) => far[i % far.length] ?? zeros))
  rows.push({ image: 0, view: 0, hash: flippedByBand(zeros, [1, 1, 0, 0, ...new Array<number>(12).fill(8)], randomFrom(1)) })
  const { block } = segmentOf(rows)
  const exact = dealt(1, () => 0)

  t.equal(rawProbe(block, [zeros], exact, 0, BANDS, 31), 0)
  t.equal(
    rawProbe(
      block,
      [zeros],
      dealt(2, () => 0),
      0,
      BANDS,
      31,
    ),
    -1,
  )
  t.equal(rawProbe(block, [seeded(1), zeros], exact, 0, BANDS, 31), 0)
  t.equal(rawProbe(block, [zeros, zeros], exact, 0, BANDS, 31), -1)
  const most = segmentOf(rows.slice(0, MAX_SURVIVORS * 0.6)).block
  t.equal(rawProbe(most, [zeros], exact, 0, BANDS, 31), 0)
  t.equal(rawProbe(most, [zeros, zeros], exact, 0, BANDS, 31), -1, 'a needle’s candidates take room from the next needle')
  t.equal(
    rawProbe(
      block,
      [zeros],
      dealt(2, (i) => i),
      0,
      BANDS,
      31,
    ),
    -1,
  )
  t.equal(
    rawProbe(
      block,
      [zeros],
      dealt(2, (i) => i),
      0,
      1,
      31,
    ),
    0,
  )
  t.equal(
    rawProbe(
      block,
      [zeros],
      dealt(2, (i) => i),
      1,
      BANDS,
      31,
    ),
    0,
  )
})

t.test('following chains counts up to its limit of visits; one more visit and it fails', async (t) => {
  const { block } = headOf(rowsOf([...new Array<Hash256>(100).fill(zeros), seeded(1)]))

  load(
    block,
    [seeded(1), zeros],
    dealt(1, () => 9),
  )
  t.equal(block.engine.follow(1, 101, 0, 100), 100)
  t.equal(block.engine.follow(1, 101, 0, 99), -1)
  load(
    block,
    [zeros],
    dealt(2, (i) => i),
  )
  t.equal(block.engine.follow(0, 101, 1, 200), 100)
  t.equal(block.engine.follow(0, 101, 1, 199), -1)
})

t.test('chains that are too long together fail before any row is read', async (t) => {
  const { block } = headOf(rowsOf(new Array<Hash256>(100).fill(zeros)))
  load(
    block,
    [zeros],
    dealt(17, (i) => i),
  )
  block.engine.words.fill(7, scratch.hitsAt >>> 2, (scratch.hitsAt >>> 2) + 200)

  t.equal(block.engine.follow(0, 100, 16, 16 * 100 - 1), -1)
  t.ok(block.engine.words.subarray(scratch.hitsAt >>> 2, (scratch.hitsAt >>> 2) + 200).every((word) => word === 7))
  t.equal(block.engine.follow(0, 100, 16, 16 * 100), 100)
})

t.test('chains that exactly fill the room for hits count; with one more hit they fail', async (t) => {
  const { block } = headOf(rowsOf(new Array<Hash256>(MAX_HITS + 1).fill(zeros)))
  load(
    block,
    [zeros],
    dealt(1, () => 15),
  )

  t.equal(block.engine.follow(0, MAX_HITS, 0, 1_000_000), MAX_HITS)
  t.equal(block.engine.follow(0, MAX_HITS + 1, 0, 1_000_000), -1)
})

t.test('chains that exactly fill the room for rows count; with one more band they fail', async (t) => {
  // Equal to the needle in some bands, so that all their rows are read for each of these, and too far in the others.
  const hash = flippedByBand(
    zeros,
    zeros16.map((_, band) => (band < 8 ? 0 : BAND_BITS)),
    randomFrom(1),
  )
  const { block } = headOf(rowsOf(new Array<Hash256>(65_535).fill(hash)))
  for (const [bands, found] of [
    [6, 0],
    [7, -1],
  ] as const) {
    load(
      block,
      [zeros],
      dealt(bands, (i) => i),
    )
    t.equal(block.engine.follow(0, 65_535, 31, 1_000_000), found)
  }
})
