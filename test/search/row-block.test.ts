import { t } from 'tap'
import type { Hit } from '../../packages/core/src/search/hit.js'
import { ROW_BYTES, RowBlock } from '../../packages/core/src/search/row-block.js'
import { columnsOf, concatenated, seeded, spread } from './rows.js'

t.test('a block takes 37 bytes a row, and the same scratch whatever its size', async (t) => {
  const small = new RowBlock(1, 0)
  const large = new RowBlock(200_000, 0)

  t.equal(ROW_BYTES, 37)
  t.ok(Math.abs(large.bytes - small.bytes - 199_999 * ROW_BYTES) <= 2 * 65_536)
})

t.test('the extra space of a block begins after its last row, on its own cache line', async (t) => {
  for (const capacity of [1, 63, 64, 65, 4_096, 9_999]) {
    const block = new RowBlock(capacity, 100)
    for (let row = 0; row < capacity; row++) block.append(row, 255, seeded(row))
    block.engine.bytes.fill(0xff, block.extraAt, block.extraAt + 100)

    t.equal(block.extraAt % 64, 0)
    t.same(block.hit(capacity - 1, 0, 0), { image: capacity - 1, view: 255, transform: 0, distanceBits: 0 })
    t.same(found(block, seeded(capacity - 1), 0), [capacity - 1])
    t.same(block.hit(0, 0, 0), { image: 0, view: 255, transform: 0, distanceBits: 0 })
  }
})

t.test('a scan reads exactly the given range', async (t) => {
  const block = new RowBlock(9_000, 0)
  for (let row = 0; row < 9_000; row++) block.append(row, 0, seeded(1))

  for (const [from, to] of [
    [0, 0],
    [0, 1],
    [4_095, 4_097],
    [1, 8_999],
    [8_192, 9_000],
  ] as const) {
    const rows: number[] = []
    block.scan(seeded(1), 0, from, to, (row) => rows.push(row))
    t.same(
      rows,
      Array.from({ length: to - from }, (_, i) => from + i),
    )
  }
})

t.test('a row copied from another block is the same row', async (t) => {
  const source = new RowBlock(5_000, 0)
  for (let row = 0; row < 5_000; row++) source.append(4_294_960_000 + row, row % 256, seeded(row))
  const copy = new RowBlock(4, 0)

  for (const [from, to] of [
    [4_998, 5_000],
    [0, 0],
    [0, 1],
    [4_096, 4_097],
  ] as const)
    copy.appendFrom(source, from, to)

  const needles = concatenated([0, 4_096, 4_999].map((row) => spread(seeded(row), 3)))
  const hits: Hit[] = []
  copy.scan(needles, 3, 0, 4, (row, needle, bits) => hits.push(copy.hit(row, needle, bits)))
  t.equal(copy.rows, 4)
  t.same(hits, [
    { image: 4_294_964_999, view: 4_999 % 256, transform: 2, distanceBits: 3 },
    { image: 4_294_960_000, view: 0, transform: 0, distanceBits: 3 },
    { image: 4_294_964_096, view: 0, transform: 1, distanceBits: 3 },
  ])
})

t.test('rows appended as columns equal rows appended one by one', async (t) => {
  const rows = Array.from({ length: 1_000 }, (_, i) => ({ image: 7_000 - i, view: i % 256, hash: seeded(i) }))
  const one = new RowBlock(1_001, 0)
  const many = new RowBlock(1_001, 0)
  for (const block of [one, many]) block.append(9, 9, seeded(5_000))

  for (const { image, view, hash } of rows) one.append(image, view, hash)
  many.appendColumns(columnsOf(rows.slice(0, 300)))
  many.appendColumns(columnsOf(rows.slice(300)))

  for (const block of [one, many]) {
    t.equal(block.rows, 1_001)
    for (const row of [0, 1, 300, 301, 1_000]) {
      const { image, view, hash } = rows[row - 1] ?? { image: 9, view: 9, hash: seeded(5_000) }
      t.same(block.hit(row, 3, 4), { image, view, transform: 3, distanceBits: 4 })
      t.same(found(block, hash, 0), [row])
    }
  }
})

t.test('a block may hold any image between its least and greatest, and none beyond', async (t) => {
  const block = new RowBlock(100, 0)
  t.notOk(block.mayHold(0))

  block.append(50, 0, seeded(0))
  block.appendColumns(columnsOf([60, 40, 45].map((image) => ({ image, view: 0, hash: seeded(0) }))))
  block.append(0xffffffff, 0, seeded(0))

  for (const image of [40, 45, 50, 60, 0xffffffff]) t.ok(block.mayHold(image))
  t.notOk(block.mayHold(39))
  t.notOk(block.mayHold(0))
})

t.test('a block filled with the content of another of its shape holds the same rows', async (t) => {
  const source = new RowBlock(500, 64)
  for (let row = 0; row < 400; row++) source.append(1_000 + row, row % 256, seeded(row))
  const copy = new RowBlock(500, 64)

  copy.content.set(source.content)
  copy.adopt(400)

  t.equal(copy.rows, 400)
  t.same(copy.hit(399, 0, 0), { image: 1_399, view: 143, transform: 0, distanceBits: 0 })
  t.same(found(copy, seeded(17), 0), [17])
  t.ok(copy.mayHold(1_000) && copy.mayHold(1_399))
  t.notOk(copy.mayHold(999) || copy.mayHold(1_400))
})

function found(block: RowBlock, needle: Uint8Array, thresholdBits: number): number[] {
  const rows: number[] = []
  block.scan(needle, thresholdBits, 0, block.rows, (row) => rows.push(row))
  return rows
}
