import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t } from 'tap'
import type { Hit } from '../../packages/core/src/search/hit.js'
import { linear, type Row } from '../../packages/core/src/search/linear.js'
import { SignalIndex } from '../../packages/core/src/search/signal-index.js'
import { distance, type Hash256 } from '../../packages/hash/src/hash256.js'
import { runs } from '../helpers/runs.js'
import { columnsOf, seeded, sorted, spread, zeros } from './rows.js'

// Changes in random order against a plain Map, with searches that span several of them. Images have thousands of rows, so
// that searches pause and there is something to compact; most rows are far from everything, so that answers stay short.
interface Model {
  readonly rowsOf: Map<number, Row[]>
  readonly removed: Set<number>
  search: { readonly steps: Generator<void, Hit[], void>; readonly found: Hit[]; readonly gone: Set<number> } | undefined
}

const farRows = Array.from({ length: 256 }, (_, i) => seeded(1_000_000 + i)).filter((hash) =>
  Array.from({ length: 9 }, (_, seed) => distance(hash, seeded(seed))).every((bits) => bits > 40),
)

const image = fc.nat(40)
const rows = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1_000, max: 5_000 }))
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('insert' as const), image, rows }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('load' as const), image, rows }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), image }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('remove live' as const), nth: fc.nat(40) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('within' as const), seed: fc.nat(6), thresholdBits: fc.constantFrom(30, 31) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('begin' as const), seed: fc.nat(6), thresholdBits: fc.constantFrom(31, 96) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('next' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('compact' as const), steps: fc.integer({ min: 1, max: 300_000 }) }) },
)

t.test('any order of inserts, removals, compaction and searches gives the answers of the model', async () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), (steps) => {
      const index = new SignalIndex()
      const model: Model = { rowsOf: new Map(), removed: new Set(), search: undefined }
      for (const each of steps) take(index, model, each)

      const live = [...model.rowsOf.values()].flat()
      assert.equal(index.liveRows, live.length)
      assert.ok(index.rows >= live.length)
      for (let calls = 0; index.compact(100_000); calls++) assert.ok(calls < 10_000)
      assert.equal(index.rows, live.length)
      assert.deepEqual(sorted(index.within([seeded(0), seeded(1)], 31)), sorted(linear(live, [seeded(0), seeded(1)], 31)))
    }),
    { numRuns: runs(30) },
  )
})

function take(index: SignalIndex, model: Model, step: Step): void {
  const live = () => [...model.rowsOf.values()].flat()
  switch (step.do) {
    case 'insert':
    case 'load': {
      if (model.removed.has(step.image)) {
        assert.throws(() => index.insert(step.image, 0, zeros), RangeError)
        assert.throws(() => index.load(columnsOf([{ image: step.image, view: 0, hash: zeros }])), RangeError)
        return
      }
      const known = model.rowsOf.get(step.image) ?? []
      const added = Array.from({ length: step.rows }, (_, i) => ({
        image: step.image,
        view: i % 256,
        hash: i % 97 === 0 ? spread(seeded(i % 7), 30 + (i % 3), i % 256) : (farRows[i % farRows.length] ?? zeros),
      }))
      if (step.do === 'load') index.load(columnsOf(added))
      else for (const row of added) index.insert(row.image, row.view, row.hash)
      model.rowsOf.set(step.image, [...known, ...added])
      return
    }
    case 'remove':
      remove(index, model, step.image)
      return
    case 'remove live': {
      const images = [...model.rowsOf.keys()]
      const image = images[step.nth % images.length]
      if (image !== undefined) remove(index, model, image)
      return
    }
    case 'within': {
      const needles = [seeded(step.seed), spread(seeded(step.seed + 1), 1)]
      assert.deepEqual(
        sorted(index.within(needles, step.thresholdBits)),
        sorted(linear(live(), needles, step.thresholdBits)),
      )
      return
    }
    case 'begin':
      model.search = {
        // The same needle 64 times: pauses within 15,000 rows, and is answered as one.
        steps: index.search(new Array<Hash256>(64).fill(seeded(step.seed)), step.thresholdBits),
        found: linear(live(), [seeded(step.seed)], step.thresholdBits),
        gone: new Set(),
      }
      return
    case 'next': {
      const search = model.search
      const next = search?.steps.next()
      if (search === undefined || next?.done !== true) return
      assert.deepEqual(sorted(next.value), sorted(search.found.filter(({ image }) => !search.gone.has(image))))
      model.search = undefined
      return
    }
    case 'compact':
      index.compact(step.steps)
  }
}

function remove(index: SignalIndex, model: Model, image: number): void {
  index.remove(image)
  if (model.rowsOf.delete(image)) model.removed.add(image)
  model.search?.gone.add(image)
}

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
