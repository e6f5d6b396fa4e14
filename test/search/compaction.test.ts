import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t } from 'tap'
import { compacted, MAX_SEGMENT_ROWS, nextRun, type PartSize } from '../../src/search/compaction.js'
import { BANDS, MAX_REACH } from '../../src/search/engine.js'
import { linear, type Row } from '../../src/search/linear.js'
import { clumpy, rowsOf } from './corpora.js'
import { blockOf, drain, hitsOf, MIN_SEGMENT_ROWS } from './parts.js'
import { assertSameHits, seeded } from './rows.js'

const MAX_ROWS = 1_000

const part = fc
  .record({
    rows: fc.integer({ min: 0, max: MAX_ROWS }),
    deadShare: fc.constantFrom(0, 0, 0.2, 0.5, 1, 2),
    isSettled: fc.boolean(),
  })
  .map(({ rows, deadShare, isSettled }) => ({ rows, deadRows: Math.floor(rows * deadShare), isSettled }))
const parts = fc.array(part, { maxLength: 12 })
const shares = fc.constantFrom(0, 0.25, 1)

t.test('what is compacted into one has room in one, even if no row was dead after all', async () => {
  fc.assert(
    fc.property(parts, shares, (parts, share) => {
      const run = nextRun(parts, MAX_ROWS, share)
      if (run === undefined) return
      const taken = parts.slice(run.from, run.to)
      assert.ok(taken.length === run.to - run.from && taken.length >= 1)
      assert.ok(taken.length === 1 || rowsIn(taken) <= MAX_ROWS)
    }),
  )
  // Dead rows may be counted in parts that do not have them: these two have 11 million rows each all the same.
  const halfDead = { rows: 11_000_000, deadRows: 5_500_000, isSettled: false }
  t.same(nextRun([halfDead, halfDead], 1 << 24, 0.25), { from: 0, to: 1 })
})

t.test('a segment has no more rows than three bytes can number', async (t) => {
  t.ok(MAX_SEGMENT_ROWS - 1 <= 0xff_ff_ff)
})

t.test('what is not settled comes first, with what is younger and with elders that are no larger', async (t) => {
  fc.assert(
    fc.property(parts, shares, (parts, share) => {
      const first = parts.findIndex(({ isSettled }) => !isSettled)
      const run = nextRun(parts, MAX_ROWS, share)
      if (first < 0) return
      assert.ok(run !== undefined && run.from <= first && run.to > first)
      const next = parts[run.to]
      if (run.from === first && next !== undefined) assert.ok(rowsIn(parts.slice(first, run.to)) + next.rows > MAX_ROWS)
    }),
  )
  const settled = (rows: number) => ({ rows, deadRows: 0, isSettled: true })
  const fresh = (rows: number) => ({ rows, deadRows: 0, isSettled: false })
  for (const [parts, from, to] of [
    [[settled(100), fresh(50)], 1, 2],
    [[settled(100), fresh(99)], 1, 2],
    [[settled(100), fresh(100)], 0, 2],
    [[settled(100), settled(40), fresh(50)], 1, 3],
    [[settled(90), settled(40), fresh(50)], 0, 3],
    [[settled(100), fresh(50), fresh(50)], 0, 3],
    [[fresh(600), fresh(400), fresh(1)], 0, 2],
    [[settled(400), fresh(600)], 0, 2],
    [[settled(401), fresh(600)], 1, 2],
    [[settled(300), settled(300), fresh(500)], 1, 3],
    // Dead rows do not count as size, but do take room.
    [[{ rows: 100, deadRows: 60, isSettled: true }, fresh(50)], 0, 2],
    [
      [
        { rows: 100, deadRows: 90, isSettled: true },
        { rows: 50, deadRows: 45, isSettled: false },
      ],
      1,
      2,
    ],
    [[{ rows: 960, deadRows: 920, isSettled: true }, fresh(50)], 1, 2],
  ] as const)
    t.same(nextRun(parts, MAX_ROWS, 0.25), { from, to })
})

t.test(
  'of settled parts the first with too many dead rows comes next, then neighbours of which the elder is no larger',
  async (t) => {
    const of = (rows: number, deadRows = 0) => ({ rows, deadRows, isSettled: true })
    for (const [parts, share, expected] of [
      [[], 0, undefined],
      [[of(100)], 0, undefined],
      [[of(100), of(10), of(1)], 0, undefined],
      [[of(100, 24), of(10, 2)], 0.25, undefined],
      [[of(100, 24), of(10, 3)], 0.25, [1, 2]],
      [[of(100, 25), of(10, 3)], 0.25, [0, 1]],
      [[of(100, 1)], 0, [0, 1]],
      [[of(0, 1)], 0.25, [0, 1]],
      [[of(100), of(9), of(10)], 0, [1, 3]],
      [[of(100), of(10), of(10)], 0, [1, 3]],
      [[of(10), of(10), of(10, 9)], 0.25, [2, 3]],
      [[of(500), of(501)], 0, undefined],
      [[of(500), of(500)], 0, [0, 2]],
      [[of(500, 100), of(501, 0)], 0.25, undefined],
    ] as const)
      t.same(nextRun(parts, MAX_ROWS, share), expected && { from: expected[0], to: expected[1] })
  },
)

t.test('compacting comes to an end, with no dead row, and sizes that halve', async () => {
  fc.assert(
    fc.property(parts, (parts) => {
      const left = settledAll(parts, 0, Number.MAX_SAFE_INTEGER)
      assert.ok(left.every(({ deadRows, isSettled }) => deadRows === 0 && isSettled))
      assert.ok(left.every(({ rows }, i) => i === 0 || rows < (left[i - 1]?.rows ?? 0)))

      const bounded = settledAll(parts, 0, MAX_ROWS)
      assert.ok(bounded.every(({ rows }) => rows <= MAX_ROWS))
      assert.ok(bounded.every(({ rows }, i) => i === 0 || rows < (bounded[i - 1]?.rows ?? 0) || overfull(bounded, i)))
    }),
  )
})

t.test(
  'parts that come one after the other are as many as doublings, and each row is rewritten once for each',
  async (t) => {
    let parts: PartSize[] = []
    let rewritten = 0
    for (let i = 0; i < 2_000; i++) {
      parts = [...parts, { rows: 100, deadRows: 0, isSettled: false }]
      for (let run = nextRun(parts, 1 << 24, 0.25); run !== undefined; run = nextRun(parts, 1 << 24, 0.25)) {
        rewritten += rowsIn(parts.slice(run.from, run.to))
        parts = joined(parts, run.from, run.to)
      }
      assert.ok(parts.length <= Math.log2(i + 1) + 1)
    }
    t.equal(rowsIn(parts), 200_000)
    t.ok(rewritten / 200_000 <= Math.log2(2_000) + 1)
  },
)

t.test('a part made of several has their live rows, in order, and no other', async (t) => {
  const rows = rowsOf(clumpy(60_000, 1)).map((row, i) => ({ ...row, image: i % 1_000 }))
  const needles = [rows[5]?.hash ?? seeded(0), rows[59_999]?.hash ?? seeded(0)]
  const blocks = [rows.slice(0, 1), rows.slice(1, 25_000), [], rows.slice(25_000)].map(blockOf)
  for (const [share, kind] of [
    [0, 'segment'],
    [0.5, 'segment'],
    [0.9, 'head'],
    [0.999, 'head'],
  ] as const) {
    const isLive = (image: number) => (image * 617) % 1_000 >= share * 1_000
    const live = rows.filter(({ image }) => isLive(image))

    const part = drain(compacted(blocks, isLive))

    assert.ok(part !== undefined)
    t.equal(part.kind, kind)
    t.equal(part.block.rows, live.length)
    t.equal(part.block.capacity, live.length)
    t.equal(part.deadRows, 0)
    t.ok(part.isSettled)
    assert.ok(live.every(({ image }, row) => part.block.imageAt(row) === image))
    for (const bits of [0, 31, 60]) assertSameHits(hitsOf(part, needles, bits), linear(live, needles, bits))
  }
  t.equal(drain(compacted(blocks, () => false)), undefined)
  t.equal(drain(compacted([], () => true)), undefined)
})

t.test('up to 16,383 rows make a head that is settled, more a segment', async (t) => {
  const rows = rowsOf(Array.from({ length: MIN_SEGMENT_ROWS }, (_, i) => seeded(i)))
  for (const [count, kind] of [
    [1, 'head'],
    [MIN_SEGMENT_ROWS - 1, 'head'],
    [MIN_SEGMENT_ROWS, 'segment'],
  ] as const) {
    const part = drain(compacted([blockOf(rows.slice(0, count))], () => true))
    t.equal(part?.kind, kind)
    t.equal(part?.block.rows, count)
    for (const row of [0, count - 1]) t.same(part && hitsOf(part, [seeded(row)], 31).map(({ image }) => image), [row])
  }
})

t.test('images removed during compacting are left out or not, and the others are there', async (t) => {
  const rows = rowsOf(clumpy(40_000, 2))
  for (const [deadlySteps, maxLeft] of [
    [0, 0],
    [3, 40_000],
    [14, 40_000],
    [200, 40_000],
  ] as const) {
    const removed = new Set<number>()
    const work = compacted([blockOf(rows)], (image) => !removed.has(image))
    for (let i = 0; i < deadlySteps; i++) work.next()
    for (let image = 0; image < 40_000; image += 2) removed.add(image)

    const part = drain(work)

    const found = part === undefined ? [] : hitsOf(part, [seeded(1)], 256)
    const images = new Set(found.map(({ image }) => image))
    t.equal(images.size, found.length)
    t.ok(found.length >= 20_000 && found.length <= Math.max(20_000, maxLeft))
    for (let image = 1; image < 40_000; image += 2) assert.ok(images.has(image))
    const needle = rows[4_001]?.hash ?? seeded(0)
    assertSameHits(
      part === undefined ? [] : hitsOf(part, [needle], 31).filter(({ image }) => !removed.has(image)),
      linear(
        rows.filter(({ image }) => !removed.has(image)),
        [needle],
        31,
      ),
    )
  }
})

t.test('when all is removed during compacting, what comes out has no rows and finds nothing', async (t) => {
  for (const size of [10_000, 20_000]) {
    let isLive = true
    const work = compacted([blockOf(rowsOf(clumpy(size, 3)))], () => isLive)
    for (let counted = 0; counted < size; counted += 4_096) work.next()
    isLive = false

    const part = drain(work)

    t.equal(part?.kind, size > MIN_SEGMENT_ROWS ? 'segment' : 'head')
    t.equal(part?.block.rows, 0)
    for (const bits of [0, 31, 256]) t.same(part && hitsOf(part, [seeded(0), seeded(1)], bits), [])
  }
})

t.test(
  'each step of compacting is short, and all that is done is told: some twenty a row, dead rows among them',
  async (t) => {
    const rows = rowsOf(clumpy(50_000, 4))
    for (const [share, isLive] of [
      [1, () => true],
      [0, () => false],
      [0.5, (image: number) => image % 2 === 0],
      [0.02, (image: number) => image % 50 === 0],
    ] as const) {
      let looked = 0
      const work = compacted([blockOf(rows)], (image) => {
        looked++
        return isLive(image)
      })
      const steps: number[] = []
      for (let step = work.next(); step.done !== true; step = work.next()) {
        assert.ok(looked <= 2 * 4_096, `${looked} rows were looked at without a pause`)
        looked = 0
        steps.push(step.value)
      }

      assert.ok(steps.every((step) => step >= 1 && step <= 4_096 * (BANDS + 1)))
      const total = steps.reduce((a, b) => a + b, 0)
      const live = share * rows.length
      // Each row is read twice, to be counted and to be copied; each that lives goes into every band.
      const copied = live === 0 ? 0 : rows.length + BANDS * live
      const tabled = live < MIN_SEGMENT_ROWS ? 0 : (BANDS / 4) * live + 16 * 16_384
      t.ok(total >= rows.length + copied + tabled, `${total} steps: also a dead row is work`)
      t.ok(total <= 30 * rows.length + 16 * 16_384)
    }
  },
)

t.test('a segment knows what its rows meet on average, themselves left out', async (t) => {
  const distant = segmentCounts(rowsOf(Array.from({ length: 20_000 }, (_, i) => seeded(i))))
  const equal = segmentCounts(rowsOf(Array.from({ length: 20_000 }, () => seeded(1))))

  t.equal(distant.length, BANDS * MAX_REACH)
  for (let band = 0; band < BANDS; band++) {
    t.equal(equal[band * MAX_REACH], 19_999)
    t.equal(equal[band * MAX_REACH + 1], 0)
    t.ok((distant[band * MAX_REACH] ?? 9) < 2, 'a row meets one in 65,536 by chance')
    t.ok(Math.abs((distant[band * MAX_REACH + 5] ?? 0) / ((20_000 * 4_368) / 65_536) - 1) < 0.2)
  }
})

function segmentCounts(rows: readonly Row[]): Float64Array {
  const part = drain(compacted([blockOf(rows)], () => true))
  assert.ok(part?.kind === 'segment' && 'counts' in part && part.counts instanceof Float64Array)
  return part.counts
}

function settledAll(parts: readonly PartSize[], share: number, maxRows: number): PartSize[] {
  let left = [...parts]
  for (let runs = 0; ; runs++) {
    const run = nextRun(left, maxRows, share)
    if (run === undefined) return left
    assert.ok(runs <= 3 * parts.length)
    left = joined(left, run.from, run.to)
  }
}

/** What is left when the dead rows are as many as counted, and no more than there are. */
function joined(parts: readonly PartSize[], from: number, to: number): PartSize[] {
  const rows = parts.slice(from, to).reduce((sum, part) => sum + Math.max(0, part.rows - part.deadRows), 0)
  const part = rows === 0 ? [] : [{ rows, deadRows: 0, isSettled: true }]
  return [...parts.slice(0, from), ...part, ...parts.slice(to)]
}

function overfull(parts: readonly PartSize[], i: number): boolean {
  return rowsIn(parts.slice(i - 1, i + 1)) > MAX_ROWS
}

function rowsIn(parts: readonly { readonly rows: number }[]): number {
  return parts.reduce((sum, { rows }) => sum + rows, 0)
}
