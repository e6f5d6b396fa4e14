import { t } from 'tap'
import type { Hit } from '../../packages/core/src/search/hit.js'
import { NearestByRow, pick, scanAll } from '../../packages/core/src/search/part.js'
import { rowsOf } from './corpora.js'
import { blockOf } from './parts.js'
import { concatenated, seeded, zeros } from './rows.js'
import { spyOn } from './spies.js'

t.test('of several reports about a row the nearest needle is kept, the first of equals, in any order', async (t) => {
  const block = blockOf(rowsOf([zeros, zeros, zeros], 70))
  const nearest = new NearestByRow(64)
  for (const [row, needle, bits] of [
    [0, 5, 20],
    [0, 2, 20],
    [0, 7, 20],
    [0, 1, 21],
    [2, 1, 9],
    [2, 63, 8],
    [2, 0, 9],
    [1, 4, 4],
    [1, 4, 4],
  ] as const)
    nearest.add(row, needle, bits)

  const hits: Hit[] = []
  nearest.moveTo(block, hits)
  t.same(
    hits.toSorted((a, b) => a.image - b.image),
    [
      { image: 70, view: 0, transform: 2, distanceBits: 20 },
      { image: 71, view: 1, transform: 4, distanceBits: 4 },
      { image: 72, view: 2, transform: 63, distanceBits: 8 },
    ],
  )
})

t.test('of two needles the nearer is kept, and one needle keeps each of its rows', async (t) => {
  const block = blockOf(rowsOf([zeros, zeros], 70))
  const reported = (needleCount: number, reports: readonly (readonly [number, number, number])[]) => {
    const nearest = new NearestByRow(needleCount)
    for (const [row, needle, bits] of reports) nearest.add(row, needle, bits)
    const hits: Hit[] = []
    nearest.moveTo(block, hits)
    return hits.map(({ image, transform, distanceBits }) => [image, transform, distanceBits])
  }

  t.same(
    reported(2, [
      [1, 1, 256],
      [1, 0, 256],
    ]),
    [[71, 0, 256]],
  )
  t.same(
    reported(1, [
      [1, 0, 0],
      [0, 0, 256],
    ]),
    [
      [71, 0, 0],
      [70, 0, 256],
    ],
  )
})

t.test('needles are picked by number, in the requested order', async (t) => {
  const needles = concatenated([seeded(0), seeded(1), seeded(2)])
  t.same(pick(needles, [2, 0]), concatenated([seeded(2), seeded(0)]))
  t.same(pick(needles, []), new Uint8Array(0))
  t.same(pick(needles, [0, 1, 2]), needles)
})

t.test('a scan of all rows reads each exactly once, however often it pauses, and none beyond the request', async (t) => {
  const block = blockOf(rowsOf(Array.from({ length: 60_000 }, (_, i) => (i % 7 === 0 ? zeros : seeded(i)))))
  for (const [needleCount, rows, minPauses, maxPauses] of [
    [1, 60_000, 0, 0],
    [64, 60_000, 3, 6],
    [64, 40_001, 2, 4],
    [64, 10, 0, 0],
    [64, 0, 0, 0],
  ] as const) {
    const calls = spyOn(block.engine)
    const hits: Hit[] = []
    const needles = concatenated(new Array(needleCount).fill(zeros))
    let pauses = 0
    const scan = scanAll(block, rows, needles, 5, hits)
    while (scan.next().done !== true) {
      pauses++
      // Another search loads its needles in between.
      block.loadNeedles(concatenated([seeded(1)]))
    }
    t.same(
      hits,
      Array.from({ length: Math.ceil(rows / 7) }, (_, i) => block.hit(i * 7, 0, 0)),
    )
    t.equal(
      calls.scans.reduce((sum, { rows }) => sum + rows, 0),
      rows,
    )
    t.ok(pauses >= minPauses && pauses <= maxPauses)
  }
})
