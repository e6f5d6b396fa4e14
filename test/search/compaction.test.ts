import assert from 'node:assert/strict'
import { t } from 'tap'
import { compacted, MAX_SEGMENT_ROWS } from '../../packages/core/src/search/compaction.js'
import { BANDS, MAX_REACH } from '../../packages/core/src/search/engine.js'
import { linear, type Row } from '../../packages/core/src/search/linear.js'
import { clumpy, rowsOf } from './corpora.js'
import { blockOf, drain, hitsOf, MIN_SEGMENT_ROWS } from './parts.js'
import { assertSameHits, seeded } from './rows.js'

t.test('the row numbers of a segment fit into three bytes', async (t) => {
  t.ok(MAX_SEGMENT_ROWS - 1 <= 0xff_ff_ff)
})

t.test('a compacted part has the live rows of its parts, in order, and no others', async (t) => {
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

t.test('up to 16,383 rows compact to a settled head, more to a segment', async (t) => {
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

t.test('compaction may keep or drop images removed meanwhile, and keeps all others', async (t) => {
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

t.test('a part whose images are all removed during compaction has no rows and finds nothing', async (t) => {
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

t.test('each step of compaction is short, and reports its work, dead rows included', async (t) => {
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
    // Each row is read twice, to be counted and to be copied; each live row goes into every band.
    const copied = live === 0 ? 0 : rows.length + BANDS * live
    const tabled = live < MIN_SEGMENT_ROWS ? 0 : (BANDS / 4) * live + 16 * 16_384
    t.ok(total >= rows.length + copied + tabled, `${total} steps: a dead row is work too`)
    t.ok(total <= 30 * rows.length + 16 * 16_384)
  }
})

t.test('a segment knows how many candidates its rows meet on average, without themselves', async (t) => {
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
