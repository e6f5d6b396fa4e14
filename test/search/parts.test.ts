import assert from 'node:assert/strict'
import { t } from 'tap'
import { HEAD_ROWS } from '../../packages/core/src/search/head.js'
import { Parts } from '../../packages/core/src/search/parts.js'
import { RAW_ROWS } from '../../packages/core/src/search/raw.js'
import { HASH_BYTES } from '../../packages/hash/src/hash256.js'
import { rowsOf } from './corpora.js'
import { hitsOf } from './parts.js'
import { columnsOf, seeded } from './rows.js'

const few = rowsOf(Array.from({ length: 100 }, (_, i) => seeded(i)))

t.test('a full head is frozen and another one begins', async (t) => {
  const parts = new Parts(() => true)
  for (let row = 0; row < HEAD_ROWS - 1; row++) parts.append(row, 0, seeded(1))
  t.same(shape(parts), [['head', HEAD_ROWS - 1]])
  t.notOk(parts.compact(1_000, 0.25), 'a head that is not full is left alone')

  parts.append(HEAD_ROWS - 1, 0, seeded(1))
  t.same(shape(parts), [['head', HEAD_ROWS]])
  parts.append(HEAD_ROWS, 0, seeded(1))
  t.same(shape(parts), [
    ['head', HEAD_ROWS],
    ['head', 1],
  ])
  t.ok(parts.compact(1_000, 0.25))
  while (parts.compact(1_000_000, 0.25));
  t.same(shape(parts), [
    ['segment', HEAD_ROWS],
    ['head', 1],
  ])
})

t.test('many small calls of compaction do as much work as few large ones', async (t) => {
  const callsOf = (steps: number) => {
    const parts = new Parts(() => true)
    for (let row = 0; row < HEAD_ROWS; row++) parts.append(row, 0, seeded(row % 100))
    let calls = 1
    while (parts.compact(steps, 0.25)) calls++
    return calls
  }
  const [few, many] = [callsOf(100_000), callsOf(1_000)]
  t.ok(many > 80 * few && many < 120 * few, `${few} calls for 100,000 steps, ${many} for 1,000`)
})

t.test('loaded rows follow the head and join the last raw part, unless it is being compacted', async (t) => {
  const parts = new Parts(() => true)
  parts.append(1_000, 0, seeded(1))
  parts.load(columnsOf(few))
  parts.load(columnsOf(few))
  t.same(shape(parts), [
    ['head', 1],
    ['raw', 200],
  ])

  assert.ok(parts.compact(1, 0.25))
  parts.load(columnsOf(few.slice(0, 50)))
  t.same(shape(parts), [
    ['head', 1],
    ['raw', 200],
    ['raw', 50],
  ])
  parts.load(columnsOf(few.slice(0, 3)))
  t.equal(shape(parts).length, 3)
  while (parts.compact(1_000, 0.25));
  t.same(shape(parts), [
    ['head', 201],
    ['head', 53],
  ])
  t.ok(parts.all().every(({ isSettled }) => isSettled))
})

t.test('an empty load changes nothing', async (t) => {
  const parts = new Parts(() => true)
  parts.load(columnsOf([]))
  t.same(shape(parts), [])
  t.notOk(parts.compact(1, 0))
})

t.test('a load larger than a raw part continues in the next one without losing a row', async (t) => {
  const rows = RAW_ROWS + 3
  const hashes = new Uint8Array(rows * HASH_BYTES).fill(0xff)
  const marked = [0, RAW_ROWS - 101, RAW_ROWS - 100, RAW_ROWS + 2]
  for (const row of marked) hashes.set(seeded(row), row * HASH_BYTES)
  const parts = new Parts(() => true)
  parts.load(columnsOf(few))

  parts.load({ images: Uint32Array.from({ length: rows }, (_, row) => row), views: new Uint8Array(rows).fill(77), hashes })

  t.same(shape(parts), [
    ['raw', RAW_ROWS],
    ['raw', 103],
  ])
  const hits = parts.all().flatMap((part) => hitsOf(part, marked.map(seeded), 40))
  t.same(
    hits.filter(({ view }) => view === 77),
    marked.map((image, transform) => ({ image, view: 77, transform, distanceBits: 0 })),
  )
})

t.test('dead rows are counted in every part that may hold them, including one that is being made', async (t) => {
  const live = new Set(few.map(({ image }) => image))
  const parts = new Parts((image) => live.has(image))
  parts.load(columnsOf(few.slice(0, 50)))
  parts.append(40, 0, seeded(1))
  const remove = (image: number, rows: number) => {
    live.delete(image)
    parts.noteRemoved(image, rows)
  }

  remove(60, 1)
  t.same(deadRows(parts), [0, 0])
  remove(40, 2)
  t.same(deadRows(parts), [2, 2])

  assert.ok(parts.compact(1, 0.25))
  remove(3, 1)
  while (parts.compact(1_000, 0.25));
  t.same(deadRows(parts), [1, 2], 'counted as soon as it may have been copied')
  while (parts.compactAll(1_000));
  t.same(shape(parts), [['head', 48]])
  t.same(deadRows(parts), [0])
})

t.test('a part with too many dead rows is compacted alone, and disappears when none is live', async (t) => {
  const live = new Set(few.map(({ image }) => image))
  const parts = new Parts((image) => live.has(image))
  const remove = (from: number, to: number) => {
    for (let image = from; image < to; image++) {
      live.delete(image)
      parts.noteRemoved(image, 1)
    }
    while (parts.compact(1_000, 0.25));
  }
  for (const [from, to] of [
    [0, 60],
    [60, 90],
    [90, 100],
  ] as const) {
    parts.load(columnsOf(few.slice(from, to)))
    while (parts.compact(1_000, 0.25));
  }
  t.same(shape(parts), [
    ['head', 60],
    ['head', 30],
    ['head', 10],
  ])

  remove(60, 78)
  t.same(shape(parts), [
    ['head', 60],
    ['head', 12],
    ['head', 10],
  ])
  remove(78, 90)
  t.same(shape(parts), [
    ['head', 60],
    ['head', 10],
  ])
})

t.test('a call of compaction does about the requested number of steps and reports when nothing is left', async (t) => {
  const parts = new Parts(() => true)
  parts.load(columnsOf(rowsOf(Array.from({ length: 30_000 }, (_, i) => seeded(i)))))
  let calls = 0
  while (parts.compact(5_000, 0.25)) calls++
  // Some twenty steps a row, and a step of 16,384 for each of sixteen samples.
  t.ok(calls > (20 * 30_000) / (5_000 + 4 * 4_096) && calls < (25 * 30_000 + 16 * 16_384) / 5_000)
  t.notOk(parts.compact(5_000, 0.25))
  t.same(shape(parts), [['segment', 30_000]])
})

t.test('a list of parts does not change when the parts do', async (t) => {
  const parts = new Parts(() => true)
  parts.load(columnsOf(few))
  const before = parts.all()
  while (parts.compact(1_000, 0.25));
  parts.load(columnsOf(few))

  t.same(
    before.map(({ kind }) => kind),
    ['raw'],
  )
  t.same(shape(parts), [
    ['head', 100],
    ['raw', 100],
  ])
})

function shape(parts: Parts) {
  return parts.all().map(({ kind, block }) => [kind, block.rows])
}

function deadRows(parts: Parts): number[] {
  return parts.all().map((part) => part.deadRows)
}
