import assert from 'node:assert/strict'
import { t } from 'tap'
import type { Dumped } from '../../packages/core/src/search/dump.js'
import { linear, type Row } from '../../packages/core/src/search/linear.js'
import { SignalIndex } from '../../packages/core/src/search/signal-index.js'
import { clumpy, rowsOf } from './corpora.js'
import { drain } from './parts.js'
import { assertSameHits, columnsOf, seeded } from './rows.js'

const rows = rowsOf(clumpy(90_000, 1))
const needles = [7, 50_007, 89_007].map((row) => rows[row]?.hash ?? seeded(row))

t.test('an index restored from its dump finds the same hits', async (t) => {
  for (const index of [filled([]), filled(rows.slice(0, 5)), filled(rows), settled(rows), mixed(rows)]) {
    const pieces = [...index.dump()]
    const copy = restored(pieces, () => true)

    t.equal(copy.liveRows, index.liveRows)
    assertSameHits(copy.within(needles, 31), index.within(needles, 31))
    copy.insert(200_000, 0, seeded(1))
    copy.remove(7)
    assertSameHits(
      copy.within(needles, 31),
      index.within(needles, 31).filter(({ image }) => image !== 7),
    )
  }
})

t.test('a segment is dumped as it is in memory, or row by row without its dead rows', async (t) => {
  const index = settled(rows)
  t.same(
    [...index.dump()].map(({ kind }) => kind),
    ['segment'],
  )

  index.remove(80_000)
  const pieces = [...index.dump()]
  t.ok(pieces.every(({ kind }) => kind === 'rows'))
  const images = pieces.flatMap((piece) => (piece.kind === 'rows' ? [...piece.images] : []))
  t.equal(images.length, 89_999)
  t.notOk(images.includes(80_000))
})

t.test('no row of a removed image is dumped', async (t) => {
  const index = mixed(rows)
  for (let image = 0; image < 90_000; image += 3) index.remove(image)

  for (const piece of index.dump()) {
    if (piece.kind === 'rows') assert.ok(piece.images.every((image) => image % 3 !== 0))
    else t.fail('a segment with dead rows')
  }
  const copy = restored([...index.dump()], () => true)
  t.equal(copy.liveRows, 60_000)
  t.equal(copy.rows, 60_000)
  assertSameHits(copy.within(needles, 31), index.within(needles, 31))
})

t.test('a dump has every row that stays, whatever is added, removed and compacted meanwhile', async (t) => {
  for (const build of [mixed, loadedInTwo]) {
    const index = build(rows)
    const dump = index.dump()
    const pieces: Dumped[] = []
    for (let image = 0; ; image++) {
      const next = dump.next()
      if (next.done === true) break
      pieces.push(next.value)
      index.insert(200_000 + image, 0, seeded(image))
      index.remove(image)
      index.compact(3_000_000)
    }
    const taken = pieces.length

    const copy = restored(pieces, (image) => image >= taken)
    t.equal(copy.liveRows, 90_000 - taken)
    assertSameHits(copy.within(needles, 31), linear(rows.slice(taken), needles, 31))
  }
})

t.test('rows of unknown images are dead in a restored segment', async (t) => {
  const copy = restored([...settled(rows).dump()], (image) => image % 2 === 0)

  t.equal(copy.liveRows, 45_000)
  t.equal(copy.status(31)[0]?.deadRows, 45_000)
  const known = rows.filter(({ image }) => image % 2 === 0)
  assertSameHits(copy.within(needles, 31), linear(known, needles, 31))
  while (copy.compact(1_000_000));
  t.equal(copy.rows, 45_000)
  assertSameHits(copy.within(needles, 31), linear(known, needles, 31))
})

t.test('restoring a segment pauses, and its rows are found once it is complete', async (t) => {
  const [piece] = settled(rows).dump()
  assert.ok(piece?.kind === 'segment')
  const copy = new SignalIndex()
  const { content, adopt } = copy.restore(piece.rows, piece.counts)
  t.equal(content.length, piece.content.length)
  content.set(piece.content)
  const adopting = adopt(() => true)

  t.notOk(adopting.next().done)
  t.same(copy.within(needles, 31), [])
  drain(adopting)
  assertSameHits(copy.within(needles, 31), linear(rows, needles, 31))
})

t.test('a segment that does not fit into a full index is refused', async (t) => {
  const index = new SignalIndex(20_000)
  index.load(columnsOf(rows.slice(0, 10_000)))

  t.throws(() => index.restore(10_001, new Float64Array()), { name: 'RangeError', message: 'the index is full' })
  index.restore(10_000, new Float64Array())
  t.equal(index.rows, 10_000)
})

t.test('an image removed while a segment is restored is dead with all its rows and compacted away', async (t) => {
  // The first image's rows are counted before the pause, the last one's after it, and one image has rows on both sides.
  const imageOf = (row: number) => (row === 89_998 ? 1 : row >> 1)
  const twoEach = rows.map(({ hash }, row) => ({ image: imageOf(row), view: row & 1, hash }))
  const copy = new SignalIndex()
  const adopting = puttingBack(copy, settled(twoEach), () => true)

  t.notOk(adopting.next().done)
  for (const image of [0, 1, 44_998]) copy.remove(image)
  drain(adopting)

  t.equal(copy.liveRows, 89_993)
  t.equal(copy.status(31)[0]?.deadRows, 7)
  t.ok(
    [...copy.dump()].every(({ kind }) => kind === 'rows'),
    'a snapshot leaves the rows out',
  )
  while (copy.compact(1_000_000));
  t.equal(copy.rows, 89_993)
  const live = twoEach.filter(({ image }) => ![0, 1, 44_998].includes(image))
  assertSameHits(copy.within(needles, 31), linear(live, needles, 31))
})

t.test('an image number that was unknown during a restore cannot match later', async (t) => {
  const copy = new SignalIndex()
  drain(puttingBack(copy, settled(rows), (image) => image !== 7))

  for (const add of [
    () => copy.insert(7, 0, seeded(1)),
    () => copy.load(columnsOf([{ image: 7, view: 0, hash: seeded(1) }])),
  ])
    t.throws(add, { name: 'RangeError', message: /was removed/ })

  t.equal(copy.liveRows, 89_999)
  assertSameHits(copy.within(needles, 31), linear(rows.toSpliced(7, 1), needles, 31))
})

t.test('an image that becomes unknown between two of its rows is dead with both', async (t) => {
  const asked = new Set<number>()
  const isFirstAsked = (image: number) => image !== 7 || (!asked.has(image) && asked.add(image).size > 0)
  const twice = [...rows, { image: 7, view: 1, hash: seeded(7) }]
  const copy = new SignalIndex()
  drain(puttingBack(copy, settled(twice), isFirstAsked))

  t.equal(copy.liveRows, 89_999)
  t.equal(copy.status(31)[0]?.deadRows, 2)
  assertSameHits(copy.within(needles, 31), linear(rows.toSpliced(7, 1), needles, 31))
})

t.test('an index cleared during a restore stays empty', async (t) => {
  const copy = new SignalIndex()
  const adopting = puttingBack(copy, settled(rows), () => true)
  adopting.next()
  copy.clear()
  drain(adopting)

  t.equal(copy.liveRows, 0)
  t.equal(copy.rows, 0)
  copy.insert(7, 0, needles[0] ?? seeded(7))
  t.equal(copy.within(needles, 31).length, 1)
})

function puttingBack(
  copy: SignalIndex,
  source: SignalIndex,
  isKnown: (image: number) => boolean,
): Generator<void, void, void> {
  const [piece] = source.dump()
  assert.ok(piece?.kind === 'segment')
  const { content, adopt } = copy.restore(piece.rows, piece.counts)
  content.set(piece.content)
  return adopt(isKnown)
}

function restored(pieces: readonly Dumped[], isKnown: (image: number) => boolean): SignalIndex {
  const index = new SignalIndex()
  for (const piece of pieces) {
    if (piece.kind === 'rows') {
      const known = Array.from(piece.images.keys()).filter((row) => isKnown(piece.images[row] ?? 0))
      index.load(
        columnsOf(
          known.map((row) => ({
            image: piece.images[row] ?? 0,
            view: piece.views[row] ?? 0,
            hash: rows[piece.images[row] ?? 0]?.hash ?? seeded(0),
          })),
        ),
      )
    } else {
      const { content, adopt } = index.restore(piece.rows, piece.counts)
      content.set(piece.content)
      drain(adopt(isKnown))
    }
  }
  return index
}

function filled(rows: readonly Row[]): SignalIndex {
  const index = new SignalIndex()
  for (const { image, view, hash } of rows) index.insert(image, view, hash)
  return index
}

function settled(rows: readonly Row[]): SignalIndex {
  const index = new SignalIndex()
  index.load(columnsOf(rows))
  while (index.compact(1_000_000));
  return index
}

/** A segment and rows that will be made one with it, and no head. */
function loadedInTwo(rows: readonly Row[]): SignalIndex {
  const index = settled(rows.slice(0, 40_000))
  index.load(columnsOf(rows.slice(40_000)))
  return index
}

function mixed(rows: readonly Row[]): SignalIndex {
  const index = settled(rows.slice(0, 30_000))
  index.load(columnsOf(rows.slice(30_000, 60_000)))
  index.compact(100_000)
  for (const { image, view, hash } of rows.slice(60_000)) index.insert(image, view, hash)
  return index
}
