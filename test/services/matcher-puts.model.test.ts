// Queries during any mix of puts, removals and compactions: each image is seen in its old or new state, never as
// absent.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t } from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import { CASES_BANK } from '../../packages/core/src/matching/bank.js'
import { CATEGORY_NAMES, type RegisteredImage, type Signal } from '../../packages/core/src/matching/signal.js'
import { dihedralsOf } from '../../packages/hash/src/dihedral.js'
import { distance, type Hash256 } from '../../packages/hash/src/hash256.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import type { Searcher } from '../../src/services/index/searcher.js'
import { createMatchIds } from '../../src/services/matching/match-ids.js'
import { NO_PROBING } from '../../src/services/matching/match-steps.js'
import { bareMatcher, matchesOf } from '../helpers/bare-matcher.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { runs } from '../helpers/runs.js'
import { seeded } from '../search/rows.js'

const IMAGES = 6
const BANKS = [CASES_BANK.name, 'other', 'third']
/** Near hashes are within this distance; all others are far. */
const NEAR_BITS = 20

/** Two unrelated hashes of each image: it may have one, the other, or both. */
const a = (n: number) => hashNamed(`a ${n}`)
const b = (n: number) => hashNamed(`b ${n}`)

const ROWS: ((n: number) => RegisteredImage['signals'])[] = [
  (n) => [pdq(a(n))],
  (n) => [pdq(a(n)), pdq(hashNamed(`crop ${n}`), 'crop')],
  (n) => [pdq(bitsFrom(a(n), 3)), { ...pdq(hashNamed(`block ${n}`)), type: 'blockhash' }],
  (n) => [pdq(a(n), 'crop')],
  (n) => [pdq(b(n))],
  (n) => [pdq(b(n)), pdq(b(n)), pdq(bitsFrom(a(n), 2))],
  // Videos where both frames, one, or none is near.
  (n) => [ofFrame(0, pdq(a(n))), ofFrame(1, pdq(b(n)))],
  (n) => [ofFrame(0, pdq(hashNamed(`still ${n}`))), ofFrame(1, pdq(bitsFrom(a(n), 4))), ofFrame(1, pdq(a(n), 'crop'))],
  (n) => [ofFrame(0, pdq(hashNamed(`still ${n}`)))],
]

const nth = fc.nat(IMAGES - 1)
const change = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      nth,
      rows: fc.nat(ROWS.length - 1),
      bank: fc.constantFrom(...BANKS),
      category: fc.constantFrom(undefined, ...CATEGORY_NAMES),
      quality: fc.nat(100),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put again' as const), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), nth }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('judge' as const),
      nth,
      support: fc.nat(255),
      disputed: fc.boolean(),
      matches: fc.boolean(),
      narrowed: fc.constant(false),
      stoppedViews: fc.constant([]),
      harmless: fc.constant(false),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tidy' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('begin another' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end another' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('nothing' as const) }) },
)
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never

/** What is registered, and what was during a query. `undefined` stands for a moment without the image. */
function worldOf(catalogue: Catalogue) {
  const records: (RegisteredImage | undefined)[] = Array.from({ length: IMAGES })
  const silent = new Set<number>()
  let seen: Set<RegisteredImage | undefined>[] = []
  // Other queries that begin and end meanwhile.
  const others: Searcher[] = []
  const matching = (n: number) => (silent.has(n) ? undefined : records[n])
  const note = (n: number) => seen[n]?.add(matching(n))
  return {
    take(each: Change): void {
      switch (each.do) {
        case 'nothing':
          return
        case 'tidy':
          catalogue.tidy()
          return
        case 'begin another':
          others.push(catalogue.searcher())
          return
        case 'end another':
          others.shift()?.release()
          return
      }
      const { nth } = each
      switch (each.do) {
        case 'put': {
          const { bank, category, quality, rows } = each
          const signals = (ROWS[rows]?.(nth) ?? []).map((signal) => ({ ...signal, quality }))
          const frames = new Set(signals.flatMap(({ frame }) => frame ?? [])).size
          const video = { durationMs: 9_000, framesAtMs: Array.from({ length: frames }, (_, i) => 1_000 * i) }
          const facts = { bank, tier: 'ngo-attested', category, ref: undefined, createdAtMs: 1 } as const
          records[nth] = { ...facts, signals, ...(frames > 0 && { video }) }
          catalogue.put(idOf(nth), records[nth])
          break
        }
        case 'put again': {
          const again = records[nth]
          if (again !== undefined) catalogue.put(idOf(nth), { ...again, signals: again.signals.map((one) => ({ ...one })) })
          break
        }
        case 'remove':
          records[nth] = undefined
          silent.delete(nth)
          catalogue.remove(idOf(nth))
          break
        case 'judge': {
          const record = records[nth]
          if (record === undefined) break
          if (each.matches) silent.delete(nth)
          else silent.add(nth)
          if (!catalogue.setTrustStatus(idOf(nth), each)) break
          catalogue.put(idOf(nth), record)
          assert.equal(catalogue.setTrustStatus(idOf(nth), each), false)
        }
      }
      note(nth)
    },
    begin() {
      seen = records.map((_, n) => new Set([matching(n)]))
    },
    /** Whether an image must, or may, be found by these hashes, given the states seen since. */
    oracle(n: number, asked: readonly Hash256[]) {
      const states = [...(seen[n] ?? [])]
      const isNear = (state: RegisteredImage | undefined) =>
        state?.signals.some(({ type, hash }) => type === 'pdq' && asked.some((one) => distance(one, hash) <= NEAR_BITS)) ===
        true
      return {
        must: states.every(isNear),
        may: states.some(isNear) && matching(n) !== undefined,
        states: states.filter((state) => state !== undefined),
      }
    },
    registered: () => records.filter((_, n) => matching(n) !== undefined).length,
    end() {
      for (const other of others) other.release()
    },
    clear() {
      for (let n = 0; n < IMAGES; n++) catalogue.remove(idOf(n))
      while (catalogue.tidy());
    },
  }
}

const questions = fc.array(fc.record({ nth, by: fc.constantFrom('a', 'b', 'both', 'turned') }), {
  minLength: 1,
  maxLength: 4,
})

t.test('a query during any changes finds all that is registered throughout, and nothing that is gone', async () => {
  const matchIds = createMatchIds(Buffer.alloc(32, 1))
  const catalogue = new Catalogue()
  for (const name of BANKS) catalogue.banks.set(name, { ...CASES_BANK, name })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 60, size: 'max' }), questions, async (changes, asked) => {
      const world = worldOf(catalogue)
      const left = changes.slice()
      const next = () => {
        const each = left.shift()
        if (each !== undefined) world.take(each)
        return undefined
      }
      const matcher = bareMatcher({
        replica: { catalogue },
        matchIds,
        probing: { ...NO_PROBING, count: next },
        scheduler: { yielder: () => next, atEndOfTick: setImmediate },
      })
      const pictures = asked.map(({ nth, by }) => {
        if (by === 'both') return [asking([a(nth)]), asking([b(nth)])]
        return [asking(by === 'turned' ? dihedralsOf(a(nth)) : [by === 'a' ? a(nth) : b(nth)])]
      })
      try {
        while (left.length > 0) {
          next()
          world.begin()
          const answers = await matchesOf(matcher, pictures, { orgId: 'org', banks: undefined, thresholdBits: undefined })
          for (const [i, matches] of answers.entries()) {
            const hashes = (pictures[i] ?? []).flatMap((signal) => signal.hashes)
            for (let n = 0; n < IMAGES; n++) {
              const found = matches.filter(({ matchId }) => matchId === matchIds.idFor('org', idOf(n)))
              const { must, may, states } = world.oracle(n, hashes)
              if (must) assert.equal(found.length, 1, `image ${n} was registered throughout`)
              if (!may) assert.equal(found.length, 0, `image ${n} is gone, or never was near`)
              assert.ok(found.length <= 1, 'each image once')
              for (const { bank, category } of found)
                assert.ok(states.some((state) => state.bank === bank && state.category === category))
            }
          }
        }
        assert.equal(catalogue.images, world.registered())
      } finally {
        world.end()
        world.clear()
      }
      assert.equal(catalogue.index('pdq').rows, 0, 'no replaced row is left')
    }),
    { numRuns: runs(30) },
  )
})

t.test('a search that pauses in an index of thousands finds the same', async () => {
  const catalogue = new Catalogue()
  for (let n = 0; n < 20_000; n++) catalogue.put(idOf(1_000 + n), { ...ANY, signals: [pdq(seeded(n))] })
  const needles = Array.from({ length: 64 }, (_, i) =>
    i < IMAGES ? a(i) : i < 2 * IMAGES ? b(i - IMAGES) : seeded(1_000_000 + i),
  )
  let pauses = 0
  fc.assert(
    fc.property(fc.array(change, { minLength: 4, maxLength: 40, size: 'max' }), fc.boolean(), (changes, together) => {
      const world = worldOf(catalogue)
      for (const each of changes.slice(0, changes.length / 2)) world.take(each)
      world.begin()
      const searcher = catalogue.searcher()
      try {
        const search = together
          ? searcher.searchEach('pdq', [needles, [needles[0] ?? a(0)]], 31)
          : searcher.search('pdq', needles, 31)
        const left = changes.slice(changes.length / 2)
        let step = search.next()
        for (; step.done !== true; step = search.next()) {
          pauses++
          for (const each of left.splice(0, 2)) world.take(each)
        }
        const hits = step.value.flatMap((hit) => hit ?? []).flatMap((hit) => searcher.image(hit.image) ?? [])
        const found = new Set(hits.map(({ id }) => id))
        for (let n = 0; n < IMAGES; n++) {
          const { must, may } = world.oracle(n, needles)
          if (must) assert.ok(found.has(idOf(n)), `image ${n} was registered throughout`)
          if (!may) assert.ok(!found.has(idOf(n)), `image ${n} is gone`)
        }
      } finally {
        searcher.release()
        world.end()
        world.clear()
      }
      assert.equal(catalogue.index('pdq').rows, 20_000)
    }),
    { numRuns: runs(10) },
  )
  assert.ok(pauses > 0)
})

const ANY = { bank: CASES_BANK.name, tier: 'verified', category: undefined, ref: undefined, createdAtMs: 1 } as const

function pdq(hash: Hash256, view: 'whole' | 'crop' = 'whole') {
  return { type: 'pdq', view, quality: 100, hash } as const
}

function ofFrame(frame: number, signal: Signal): Signal {
  return { ...signal, frame }
}

function asking(hashes: readonly Hash256[]) {
  return { type: 'pdq', view: 'whole', quality: 100, hashes } as const
}

/** As random as ids are in the bytes that the table uses. */
function idOf(n: number): string {
  return formatUuid(hashNamed(`id ${n}`).subarray(0, 16))
}
