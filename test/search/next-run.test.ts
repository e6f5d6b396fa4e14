// Which parts are compacted next.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t } from 'tap'
import { nextRun, type PartSize } from '../../packages/core/src/search/compaction.js'

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

t.test('parts chosen for one compaction fit into one part, even if no row is dead', async () => {
  fc.assert(
    fc.property(parts, shares, (parts, share) => {
      const run = nextRun(parts, MAX_ROWS, share)
      if (run === undefined) return
      const taken = parts.slice(run.from, run.to)
      assert.ok(taken.length === run.to - run.from && taken.length >= 1)
      assert.ok(taken.length === 1 || rowsIn(taken) <= MAX_ROWS)
    }),
  )
  // Dead rows may be counted in parts that do not have them: these two may have 11 million rows each all the same.
  const halfDead = { rows: 11_000_000, deadRows: 5_500_000, isSettled: false }
  t.same(nextRun([halfDead, halfDead], 1 << 24, 0.25), { from: 0, to: 1 })
})

t.test('an unsettled part is compacted first, with younger parts and with older ones that are no larger', async (t) => {
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
    // Dead rows do not count as size, but take room.
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
  'among settled parts the first with too many dead rows is next, then neighbours where the older is no larger',
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

t.test('compaction ends without dead rows, with part sizes that decrease', async () => {
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

t.test('appended parts stay as few as the doublings, and each row is rewritten once per doubling', async (t) => {
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
})

function settledAll(parts: readonly PartSize[], share: number, maxRows: number): PartSize[] {
  let left = [...parts]
  for (let runs = 0; ; runs++) {
    const run = nextRun(left, maxRows, share)
    if (run === undefined) return left
    assert.ok(runs <= 3 * parts.length)
    left = joined(left, run.from, run.to)
  }
}

/** The result if the dead rows are as many as counted, and no more than there are. */
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
