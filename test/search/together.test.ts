// Many sets of needles at once: each is answered as if alone, or left to its own search.

import assert from 'node:assert/strict'
import { t } from 'tap'
import { BANDS, scratch } from '../../packages/core/src/search/engine.js'
import type { Hit } from '../../packages/core/src/search/hit.js'
import { linear, type Row } from '../../packages/core/src/search/linear.js'
import type { Part } from '../../packages/core/src/search/part.js'
import { SignalIndex } from '../../packages/core/src/search/signal-index.js'
import { MAX_HITS, searchTogether } from '../../packages/core/src/search/together.js'
import { HASH_BYTES, type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { flippedByBand, randomFrom, rowsOf } from './corpora.js'
import { compactAll } from './indexes.js'
import { drain, headOf, segmentOf } from './parts.js'
import { assertSameHits, columnsOf, concatenated, seeded, spread, zeros } from './rows.js'
import { spyOn } from './spies.js'

const ROWS = 20_000
const random = rowsOf(Array.from({ length: ROWS }, (_, i) => seeded(i)))
/** Rows with the hashes of the first ones, under other image numbers. */
const again = (from: number, to: number, firstImage: number) =>
  random.slice(from, to).map((row) => ({ ...row, image: firstImage + row.image }))

function answersOf(parts: readonly Part[], sets: readonly (readonly Hash256[])[], bits: number) {
  const whole = parts.map((part) => ({ part, rows: part.block.rows }))
  return drain(searchTogether(whole, sets, bits))
}

/** @param left the numbers of the sets that must be left to their own search. */
function assertAnswers(
  answers: readonly (readonly Hit[] | undefined)[],
  rows: readonly Row[],
  sets: readonly (readonly Hash256[])[],
  bits: number,
  left: readonly number[] = [],
): void {
  assert.equal(answers.length, sets.length)
  assert.deepEqual(
    answers.flatMap((hits, set) => (hits === undefined ? [set] : [])),
    left,
  )
  for (const [set, hits] of answers.entries())
    if (hits !== undefined) assertSameHits(hits, linear(rows, sets[set] ?? [], bits))
}

/** Sets of one to eight needles, near to their own rows and to those of other sets. */
function manySets(count: number): Hash256[][] {
  return Array.from({ length: count }, (_, set) =>
    Array.from({ length: 1 + (set % 8) }, (_, i) => spread(seeded((set * 7 + i * 5) % 900), (set + i) % 33, set)),
  )
}

t.test('a segment is probed band by band, each time for all needles of all sets', async (t) => {
  const segment = segmentOf(random)
  const calls = spyOn(segment.block.engine)
  const sets = manySets(100)
  const needles = sets.flat().length

  assertAnswers(answersOf([segment], sets, 31), random, sets, 31)

  t.same([calls.scans.length, calls.probes.length], [0, 0])
  const perBand = Math.ceil(needles / scratch.maxNeedles)
  t.same(
    calls.probesOfEach.map(({ band }) => band),
    Array.from({ length: BANDS * perBand }, (_, i) => Math.floor(i / perBand)),
  )
})

t.test('every part is searched: segments, heads, and raw rows', async () => {
  const index = new SignalIndex()
  index.load(columnsOf(random))
  compactAll(index)
  const [inserted, loaded] = [again(0, 500, ROWS), again(200, 260, 2 * ROWS)]
  for (const { image, view, hash } of inserted) index.insert(image, view, hash)
  index.load(columnsOf(loaded))
  const rows = [...random, ...inserted, ...loaded]
  const sets = [...manySets(60), [], [zeros]]

  for (const bits of [0, 31, 45]) assertAnswers(drain(index.searchEach(sets, bits)), rows, sets, bits)
})

t.test('a set of the maximum size is not split, even beside smaller ones', async () => {
  const head = headOf(random.slice(0, 3000))
  const many = Array.from({ length: scratch.maxNeedles }, (_, i) => spread(seeded(i % 40), i % 9))
  const sets = [[seeded(3)], many, [seeded(4), seeded(5)], many.slice(0, 63), [seeded(1), seeded(2)]]
  for (const part of [head, segmentOf(random)]) {
    assertAnswers(answersOf([part], sets, 31), random.slice(0, part.block.rows), sets, 31)
  }
})

t.test('a needle with too many candidates leaves only its own set to a search of its own', async (t) => {
  // A third of all rows equal one needle in one band and its opposite in the next: many candidates, and no row to read.
  const hostile = seeded(77_777)
  const opposite = hashFromBytes(hostile.map((byte) => ~byte))
  const rows = rowsOf(
    Array.from({ length: ROWS }, (_, i) =>
      i % 3 === 0 ? alikeInBands(opposite, alikeInBands(hostile, seeded(i), [0]), [1]) : seeded(i),
    ),
  )
  const segment = segmentOf(rows)
  segment.counts.set(segmentOf(random).counts) // planned without knowing it
  const calls = spyOn(segment.block.engine)
  // Found only in the last bands, when the second set is gone.
  const farInFirst = flippedByBand(
    seeded(5),
    Array.from({ length: BANDS }, (_, band) => (band < 14 ? 2 : 0)),
    randomFrom(1),
  )
  const sets = [
    [seeded(1), seeded(2)],
    [seeded(4), hostile],
    [seeded(50_000), farInFirst],
  ]

  assertAnswers(answersOf([segment], sets, 31), rows, sets, 31, [1])

  t.ok(
    calls.probesOfEach.every(({ band, needles }) => needles === (band === 0 ? 6 : 4)),
    'a set that is left is not probed any more',
  )
})

t.test('a needle that equals too many rows in two bands leaves its set to its own search', async () => {
  // Few enough candidates, but each would have to be read.
  const rows = rowsOf(
    Array.from({ length: ROWS }, (_, i) => (i < 150 ? alikeInBands(seeded(77_777), seeded(i), [0, 1]) : seeded(i))),
  )
  const segment = segmentOf(rows)
  segment.counts.set(segmentOf(random).counts)
  const sets = [[seeded(1)], [seeded(77_777)], [seeded(155)]]
  assertAnswers(answersOf([segment], sets, 31), rows, sets, 31, [1])
})

t.test('each of many needles is given up by itself, whatever its position', async () => {
  const rows = rowsOf(
    Array.from({ length: ROWS }, (_, i) => (i % 3 === 0 ? alikeInBands(seeded(77_777), seeded(i), [0]) : seeded(i))),
  )
  const segment = segmentOf(rows)
  segment.counts.set(segmentOf(random).counts)
  for (const place of [0, 31, 32, 33, 63]) {
    const sets = Array.from({ length: 64 }, (_, i) => [seeded(i === place ? 77_777 : 3 * i + 1)])
    assertAnswers(answersOf([segment], sets, 31), rows, sets, 31, [place])
  }
})

t.test('the kernel gives up a needle above its limit of candidates or of rows to read', async (t) => {
  const segment = segmentOf(rowsOf(Array.from({ length: ROWS }, (_, i) => (i < 300 ? zeros : seeded(i)))))
  const { engine } = segment.block
  segment.block.loadNeedles(concatenated([seeded(300), zeros]))
  segment.block.loadPlan(new Uint8Array(BANDS).fill(2), 31)
  const candidates = segment.tabled.tables.countCandidates(scratch.needlesAt + HASH_BYTES, 0, 0)
  const oneAway = segment.tabled.tables.countCandidates(scratch.needlesAt + HASH_BYTES, 0, 1)
  const met = candidates + oneAway
  const asked = (maxCandidates: number, maxRows: number) => [
    engine.probeEach(2, 0, 31, maxCandidates, maxRows),
    engine.words[scratch.givenUpAt >>> 2],
  ]
  t.ok(met >= 300)

  t.same(asked(met, ROWS), [301, 0])
  t.same(asked(met - 1, ROWS), [1, 2])
  const rows = Array.from({ length: ROWS }, (_, i) => i).find((most) => asked(met, most)[1] === 0) ?? 0
  t.ok(rows >= 300 && rows < 320, `${rows} rows are alike in two bands`)
  t.same(asked(met, rows), [301, 0])
  t.same(asked(met, rows - 1), [1, 2])
})

t.test('needles without room for their hits leave only their own sets to other searches', async (t) => {
  const near = rowsOf(Array.from({ length: ROWS }, (_, i) => (i < 300 ? zeros : seeded(i))))
  const segment = segmentOf(near)
  const { block } = segment
  const { engine } = block
  const askedFor = (needles: number) => {
    block.loadNeedles(new Uint8Array(needles * HASH_BYTES))
    block.loadPlan(new Uint8Array(BANDS).fill(2), 31)
    return engine.probeEach(needles, 0, 31, ROWS, ROWS)
  }
  t.equal(askedFor(54), 54 * 300)
  t.equal(askedFor(55), -1)

  const sets = Array.from({ length: 150 }, (_, i) => [seeded(400 + i)])
  const { probeEach } = engine
  let calls = 0
  engine.probeEach = (...asked) => (++calls === 5 ? -1 : probeEach(...asked))
  const answers = answersOf([segment], sets, 31)
  engine.probeEach = probeEach
  const second = Array.from({ length: 64 }, (_, i) => 64 + i) // of three pieces that each band has, in the second band
  assertAnswers(answers, near, sets, 31, second)
})

t.test('a set near to more rows than are kept is left to its own search', async (t) => {
  const far = Array.from({ length: 2 * ROWS }, (_, i) => seeded(i))
  for (const more of [0, 1]) {
    // Each of them is reached in one band alone, so that no band has too many of them.
    const near = Array.from({ length: MAX_HITS + more }, (_, i) =>
      flippedByBand(
        zeros,
        Array.from({ length: BANDS }, (_, band) => (band === i % BANDS ? 1 : 2)),
        randomFrom(i),
      ),
    )
    const rows = rowsOf([...near, ...far.slice(near.length)])
    const sets = [[seeded(9_000)], [zeros], [seeded(9_001)]]
    for (const part of [segmentOf(rows), headOf(rows)]) {
      assertAnswers(answersOf([part], sets, 31), rows, sets, 31, more === 0 ? [] : [1])
      t.pass(part.kind)
    }
  }
})

t.test('sets for which a scan is cheaper are left, and are not searched in any other part', async (t) => {
  const segment = segmentOf(random)
  const bits = [...Array(96).keys()].findLast((bits) => segment.plan(bits) !== undefined) ?? 0
  const head = headOf(random.slice(0, 100))
  const calls = [spyOn(segment.block.engine), spyOn(head.block.engine)] as const
  const sets = [Array.from({ length: 8 }, (_, i) => seeded(i)), [seeded(1)]]

  const answers = answersOf([segment, head], sets, bits)

  t.same(
    answers.map((hits) => hits === undefined),
    [true, false],
  )
  t.ok(calls[0].probesOfEach.every(({ needles }) => needles === 1))
  t.same(
    calls[1].scans.map(({ needles }) => needles),
    [1],
  )
})

t.test('each step continues with its own needles and plan, whatever a pause left in scratch', async (t) => {
  const segment = segmentOf(random)
  const sets = manySets(300)
  const search = searchTogether([{ part: segment, rows: ROWS }], sets, 31)
  let pauses = 0
  let step = search.next()
  for (; step.done !== true; step = search.next()) {
    pauses++
    segment.block.loadNeedles(new Uint8Array(64 * HASH_BYTES))
    segment.block.engine.bytes.fill(0, scratch.planAt, scratch.planAt + BANDS)
  }
  t.ok(pauses >= 4, `${pauses} pauses`)
  assertAnswers(step.value, random, sets, 31)
})

t.test('a row removed in a pause is in no answer, and a cleared index has no answers', async (t) => {
  const sets = manySets(300)
  for (const act of ['remove', 'clear'] as const) {
    const index = new SignalIndex()
    index.load(columnsOf(random))
    compactAll(index)
    const search = index.searchEach(sets, 31)
    let step = search.next()
    t.not(step.done, true)
    if (act === 'remove') index.remove(7)
    else index.clear()
    while (step.done !== true) step = search.next()

    const live = act === 'remove' ? random.filter(({ image }) => image !== 7) : []
    assertAnswers(step.value, live, sets, 31)
  }
})

t.test('rows added in a pause are in no answer', async () => {
  const index = new SignalIndex()
  index.load(columnsOf(random))
  compactAll(index)
  const inserted = again(0, 10, ROWS)
  for (const { image, view, hash } of inserted) index.insert(image, view, hash)
  const rows = [...random, ...inserted]
  const sets = manySets(300)
  const search = index.searchEach(sets, 31)
  let step = search.next()
  index.insert(5 * ROWS, 0, seeded(7))
  while (step.done !== true) step = search.next()
  assertAnswers(step.value, rows, sets, 31)
})

t.test('a search of many sets refuses arguments out of range', async (t) => {
  const index = new SignalIndex()
  const tooMany = Array.from({ length: 65 }, () => zeros)
  t.throws(() => drain(index.searchEach([[zeros], tooMany], 31)), RangeError)
  t.throws(() => drain(index.searchEach([[zeros]], 257)), RangeError)
  t.throws(() => drain(index.searchEach([[zeros]], -1)), RangeError)
  t.throws(() => drain(index.searchEach(new Array(65_537).fill([]), 31)), RangeError)
  t.same(drain(index.searchEach([], 31)), [])
  t.same(drain(index.searchEach([[zeros], []], 31)), [[], []])
})

/** The second hash, with the bits of the first in some bands. */
function alikeInBands(one: Hash256, other: Hash256, bands: readonly number[]): Hash256 {
  const bytes = Uint8Array.from(other)
  for (const band of bands) bytes.set(one.subarray(2 * band, 2 * band + 2), 2 * band)
  return hashFromBytes(bytes)
}
