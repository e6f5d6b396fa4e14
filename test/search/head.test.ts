import { t } from 'tap'
import { HEAD_ROWS, Head } from '../../packages/core/src/search/head.js'
import type { Hit } from '../../packages/core/src/search/hit.js'
import { linear } from '../../packages/core/src/search/linear.js'
import { blurred, clumpy, randomFrom, rowsOf } from './corpora.js'
import { blockOf, drain, headOf, hitsOf } from './parts.js'
import { assertSameHits, concatenated, seeded, sorted } from './rows.js'
import { spyOn } from './spies.js'

t.test('a small head is scanned, a fuller one follows chains, and both find the same', async (t) => {
  const rows = rowsOf(
    Array.from({ length: 4_200 }, (_, i) => (i % 840 === 3 ? blurred(seeded(3), i % 40, randomFrom(i)) : seeded(i))),
  )
  const needles = [seeded(3), seeded(17)]
  for (const [count, isFollowed] of [
    [100, false],
    [4_200, true],
  ] as const) {
    const head = headOf(rows.slice(0, count))
    const calls = spyOn(head.block.engine)
    assertSameHits(hitsOf(head, needles, 31), linear(rows.slice(0, count), needles, 31))
    t.equal(calls.follows.length, isFollowed ? 2 : 0)
    t.equal(calls.scans.length, isFollowed ? 0 : 1)
  }
})

t.test('a head is scanned where no plan is cheap enough for the threshold', async (t) => {
  const rows = rowsOf(Array.from({ length: 10_000 }, (_, i) => seeded(i)))
  const head = headOf(rows)
  const calls = spyOn(head.block.engine)

  for (const bits of [80, 95, 96, 256]) assertSameHits(hitsOf(head, [seeded(1)], bits), linear(rows, [seeded(1)], bits))

  t.equal(calls.follows.length, 0)
  t.ok(calls.scans.length >= 4)
})

t.test('a head is scanned for needles with long chains only', async (t) => {
  // A tenth of all rows in one place: more visits than the limit allows.
  const random = randomFrom(2)
  const rows = rowsOf(
    Array.from({ length: 20_000 }, (_, i) => (i % 10 === 0 ? blurred(seeded(1), 4, random) : seeded(1_000 + i))),
  )
  const needles = [seeded(1_001), seeded(1), seeded(1_002), blurred(seeded(1), 3, random)]
  const head = headOf(rows)
  const calls = spyOn(head.block.engine)

  assertSameHits(hitsOf(head, needles, 20), linear(rows, needles, 20))

  t.same(
    calls.follows.map(({ isDone }) => isDone),
    [true, false, true, false],
  )
  t.ok(calls.follows.every(({ maxVisits }) => maxVisits > 100 && maxVisits < 20_000 / 10))
  t.ok(calls.scans.every(({ needles }) => needles === 2))
  t.equal(
    calls.scans.reduce((sum, { rows }) => sum + rows, 0),
    20_000,
  )
})

t.test('a row found by a chain and by a scan keeps its nearest needle, the first of equals', async (t) => {
  const random = randomFrom(3)
  const hot = seeded(1)
  const rows = rowsOf(Array.from({ length: 20_000 }, (_, i) => (i % 10 === 0 ? hot : blurred(hot, 32, random))))
  const cold = blurred(hot, 30, random)
  for (const needles of [
    [cold, hot],
    [hot, cold, hot, cold],
    [blurred(hot, 12, random), cold, hot],
  ])
    assertSameHits(hitsOf(headOf(rows), needles, 31), linear(rows, needles, 31))
  t.pass()
})

t.test('a search sees no row added after it began, by a chain or by a scan', async (t) => {
  for (const isCrowded of [false, true]) {
    const head = new Head(HEAD_ROWS, 'open')
    const add = (count: number, offset: number) => {
      for (let i = 0; i < count; i++) {
        const near = isCrowded || i % 1_000 === 0
        head.append(offset + i, 0, near ? seeded(0) : seeded(1 + offset + i))
      }
    }
    add(10_000, 0)
    const hits: Hit[] = []
    const search = head.search(concatenated([seeded(0)]), 20, head.block.rows, hits)
    add(10_000, 10_000)
    drain(search)

    t.equal(hits.length, isCrowded ? 10_000 : 10)
    t.ok(hits.every(({ image }) => image < 10_000))
  }
})

t.test('rows copied from a block are found like added rows', async (t) => {
  const rows = rowsOf(clumpy(3_000, 4), 500)
  const head = new Head(2_000, 'settled')
  head.appendFrom(blockOf(rows), 1_000, 1_000)
  head.appendFrom(blockOf(rows), 1_000, 2_500)
  head.appendFrom(blockOf(rows), 0, 500)

  const expected = [...rows.slice(1_000, 2_500), ...rows.slice(0, 500)]
  t.equal(head.block.rows, 2_000)
  for (const needle of [rows[0], rows[999], rows[1_000], rows[2_499]]) {
    const needles = [needle?.hash ?? seeded(0)]
    for (const bits of [0, 31]) assertSameHits(hitsOf(head, needles, bits), linear(expected, needles, bits))
  }
})

t.test('an open head is not settled, a compacted one is', async (t) => {
  t.notOk(new Head(1, 'open').isSettled)
  t.ok(new Head(1, 'settled').isSettled)
})

t.test('a full head finds its first and its last row', async (t) => {
  const rows = rowsOf(Array.from({ length: HEAD_ROWS }, (_, i) => seeded(i)))
  const head = headOf(rows)
  t.same(
    sorted(hitsOf(head, [seeded(HEAD_ROWS - 1), seeded(0)], 31)).map(({ image, transform }) => [image, transform]),
    [
      [0, 1],
      [HEAD_ROWS - 1, 0],
    ],
  )
})
