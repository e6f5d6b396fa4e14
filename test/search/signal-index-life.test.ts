import { t } from 'tap'
import { BANDS, ENTRY_BYTES } from '../../packages/core/src/search/engine.js'
import { ROW_BYTES } from '../../packages/core/src/search/row-block.js'
import { SignalIndex } from '../../packages/core/src/search/signal-index.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { compactAll, finish, finishCounting } from './indexes.js'
import { seeded, zeros } from './rows.js'

// So many needles pause within 15,000 rows where all rows are scanned, as they are if all rows are equal.
const pausing = new Array<Hash256>(64).fill(zeros)

t.test('a costly search pauses several times, a cheap one never', async (t) => {
  const index = new SignalIndex()
  for (let row = 0; row < 60_000; row++) index.insert(row, 0, zeros)

  const many = finishCounting(index.search(pausing, 0))
  const one = finishCounting(index.search([zeros], 0))

  t.ok(many.pauses >= 2 && many.pauses <= 10)
  t.equal(one.pauses, 0)
  for (const { hits } of [many, one]) t.equal(hits.length, 60_000)
})

t.test('an image removed during a search is not in its result, even if its rows were read before', async (t) => {
  const index = new SignalIndex()
  for (let row = 0; row < 40_000; row++) index.insert(row, 0, zeros)
  const search = index.search(pausing, 0)

  t.notOk(search.next().done)
  index.remove(10) // read
  index.remove(39_990) // not yet read
  index.insert(50_000, 0, zeros) // added too late

  const found = new Set(finish(search).map(({ image }) => image))
  t.equal(found.size, 39_998)
  t.notOk(found.has(10) || found.has(39_990) || found.has(50_000))
})

t.test('a search that spans a whole compaction finds each row once', async (t) => {
  const index = new SignalIndex()
  for (let row = 0; row < 60_000; row++) index.insert(row, 0, seeded(row % 2))
  const search = index.search(new Array<Hash256>(64).fill(seeded(0)), 0)
  t.notOk(search.next().done)

  for (let image = 1; image < 60_000; image += 2) index.remove(image)
  for (let image = 0; image < 2_000; image += 2) index.remove(image)
  for (let calls = 0; index.compact(100_000); calls++) if (calls === 3) t.notOk(search.next().done)
  t.equal(index.rows, 29_000)
  for (let row = 0; row < 5_000; row++) index.insert(70_000 + row, 0, seeded(0))

  const images = finish(search).map(({ image }) => image)
  t.equal(images.length, 29_000)
  t.equal(new Set(images).size, 29_000)
  t.ok(images.every((image) => image % 2 === 0 && image >= 2_000 && image < 60_000))
})

t.test('a search begun before the index was cleared finds nothing, even of reused numbers', async (t) => {
  const index = new SignalIndex()
  for (let row = 0; row < 60_000; row++) index.insert(row, 0, zeros)
  const paused = index.search(pausing, 0)
  t.notOk(paused.next().done)
  const untouched = index.search([zeros], 0)

  index.clear()
  for (let row = 0; row < 100; row++) index.insert(row, 0, seeded(1))

  t.same(paused.next(), { done: true, value: [] }, 'it reads no further')
  t.same(finish(untouched), [])
  t.same(index.within([zeros], 0), [])
})

t.test('removals alone free memory once more than a quarter of a part is dead', async (t) => {
  const index = new SignalIndex()
  for (let row = 0; row < 200_000; row++) index.insert(row, 0, seeded(row))
  const fullBytes = index.bytes

  for (let image = 0; image < 30_000; image++) index.remove(image)
  t.equal(index.rows, 200_000, 'less than a quarter of any part')

  for (let image = 30_000; image < 180_000; image++) index.remove(image)

  t.equal(index.liveRows, 20_000)
  t.ok(index.rows <= (index.liveRows * 4) / 3)
  t.ok(fullBytes - index.bytes >= (200_000 - index.rows) * (ROW_BYTES + BANDS * ENTRY_BYTES))
  for (const image of [0, 99_999, 179_999]) t.same(index.within([seeded(image)], 0), [])
  for (const image of [180_000, 199_999]) {
    t.same(index.within([seeded(image)], 0), [{ image, view: 0, transform: 0, distanceBits: 0 }])
  }

  for (let image = 180_000; image < 200_000; image++) index.remove(image)
  compactAll(index)
  t.equal(index.rows, 0)
  t.ok(index.bytes < 1_000_000)
})

t.test('during compaction each row is found once, wherever it is', async (t) => {
  const index = new SignalIndex()
  for (let row = 0; row < 30_000; row++) index.insert(row, 0, zeros)
  for (let image = 5; image < 30_000; image += 10) index.remove(image)

  let calls = 0
  for (let isLeft = true; isLeft; calls++) {
    isLeft = index.compact(30_000)
    const hits = index.within([zeros], 0)
    t.equal(hits.length, 27_000)
    t.equal(new Set(hits.map(({ image }) => image)).size, 27_000)
  }

  t.ok(calls > 10)
  t.equal(index.rows, 27_000)
})

t.test('compaction on demand drops every dead row, however few', async (t) => {
  const index = new SignalIndex()
  for (let row = 0; row < 5_000; row++) index.insert(row, row % 256, seeded(row))
  index.remove(4_321)

  t.ok(index.compact(3_000))
  t.equal(index.rows, 5_000)
  compactAll(index)
  t.notOk(index.compact(1))

  t.equal(index.rows, 4_999)
  t.same(index.within([seeded(4_320)], 0), [{ image: 4_320, view: 4_320 % 256, transform: 0, distanceBits: 0 }])
})

t.test('the last live row survives compaction', async (t) => {
  const index = new SignalIndex()
  for (let row = 0; row < 5_000; row++) index.insert(row, 0, zeros)
  for (let image = 0; image < 4_999; image++) index.remove(image)

  compactAll(index)
  t.equal(index.rows, 1)

  t.same(index.within([zeros], 0), [{ image: 4_999, view: 0, transform: 0, distanceBits: 0 }])
})
