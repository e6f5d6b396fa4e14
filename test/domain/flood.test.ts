import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { COPY_BITS, isCopy } from '../../packages/core/src/matching/copies.js'
import { BAND_EDGES_BITS } from '../../packages/core/src/matching/grade.js'
import { TIER_NAMES } from '../../packages/core/src/matching/signal.js'
import { parseHash } from '../../packages/hash/src/hash256.js'
import {
  FLOOD_RULES,
  floodAction,
  floodOf,
  frameOfLook,
  lookOf,
  MAX_STOPPED_VIEWS,
  MAX_VIEW,
  mayBeFlood,
  type Said,
  type SeenMatches,
  sketchOf,
} from '../../src/domain/trust/flood.js'
import { randomHashText, randomlyFlipped } from '../helpers/service.js'

const rule = FLOOD_RULES['self-reported']
const nothingSaid: Said = { confirmations: 0, notBlocked: 0, disputes: 0 }
const hits = fc.array(fc.nat(5000), { maxLength: 8 })
const looksByView = fc.array(fc.tuple(fc.nat(MAX_VIEW), fc.nat(5000)), { maxLength: 4 }).map((each) => new Map(each))
const looksByPlatform = hits
const counts = { hits, uploads: fc.nat(5000), looks: fc.nat(5000), looksByView, looksByPlatform, hours: fc.nat(24) }
const seen: fc.Arbitrary<SeenMatches> = fc.record(counts)
const said: fc.Arbitrary<Said> = fc.record({ confirmations: fc.nat(4), notBlocked: fc.nat(4), disputes: fc.nat(4) })
const seenOf = (more: Partial<SeenMatches>): SeenMatches => ({
  ...{ hits: [], uploads: 0, looks: 0, looksByView: new Map(), looksByPlatform: [20, 20, 20], hours: 3 },
  ...more,
})

t.test(
  'the height of a flood is the number of platforms times the hits of the last one that the rule requires',
  async (t) => {
    t.equal(floodOf([], rule), 0)
    t.equal(floodOf([9999, 9999], rule), 0)
    t.equal(floodOf([9999, 100, 9999], rule), 300)
    t.equal(floodOf([7, 5, 6, 8], rule), 24)
  },
)

t.test(
  'unlike uploads narrow a signal if several platforms met them over hours; otherwise the operator is told',
  async (t) => {
    const looks = rule.lookAlikes
    const flood = (uploads: number, more: Partial<SeenMatches> = {}, tolerated = 0) =>
      floodAction(rule, seenOf({ hits: [1], looks, uploads, ...more }), nothingSaid, tolerated)
    t.same(flood(looks), { becomes: 'narrowed', height: looks })
    t.same(flood(2.49 * looks)?.becomes, 'narrowed')
    t.equal(flood(2.5 * looks), undefined, 'most look like another one')
    t.equal(flood(looks, { looks: looks - 1 }), undefined)
    t.equal(flood(looks, {}, looks / 2), undefined, 'less than twice what was tolerated')
    t.same(flood(looks, { looksByPlatform: [looks, looks] }), { becomes: 'reported', height: looks }, 'two platforms')
    t.same(flood(looks, { looksByPlatform: [looks, 5, 4] })?.becomes, 'reported', 'a few on the third')
    t.same(flood(looks, { looksByPlatform: [looks, 5, 5] })?.becomes, 'narrowed')
    t.same(flood(looks, { hours: 2 })?.becomes, 'reported', 'within two hours')
    t.same(flood(looks, { looksByView: new Map([[3, looks]]), hours: 2 })?.becomes, 'reported', 'nor is a view stopped')
  },
)

t.test('look-alikes of one view stop that view, those of several narrow the signal', async (t) => {
  const looks = rule.lookAlikes
  const flood = (
    views: Readonly<Record<number, number>>,
    stopped: readonly number[] = [],
    more: Partial<SeenMatches> = {},
  ) => {
    const looksByView = new Map(Object.entries(views).map(([view, count]) => [Number(view), count]))
    return floodAction(rule, seenOf({ looks, uploads: looks, looksByView, ...more }), nothingSaid, 0, stopped)
  }
  t.same(flood({ 3: looks }), { becomes: 'view-stopped', view: 3, height: looks })
  t.same(flood({ 3: 20, 255: 25 }), { becomes: 'view-stopped', view: 255, height: looks })
  t.same(
    flood({ 3: 24, 4: 24 }),
    { becomes: 'reported', height: looks },
    'neither has half of them, and several views too few',
  )
  const several = { looks: 2 * looks, uploads: 2 * looks }
  t.same(flood({ 3: 25, 4: 25 }, [], several), { becomes: 'narrowed', height: 2 * looks })
  t.equal(flood({ 3: looks }, [], { looks: looks - 1 }), undefined)
  t.equal(flood({ 3: looks }, [3]), undefined, 'what a stopped view found before')
  t.equal(flood({ 3: 50, 4: 49 }, [3], { looks: 99, uploads: 99 }), undefined)
  t.same(flood({ 3: 50, 4: 50 }, [3], { looks: 100, uploads: 100 }), { becomes: 'view-stopped', view: 4, height: 100 })
  t.same(flood({ 3: 50 }, [3], { looks: 100, uploads: 100 }), { becomes: 'narrowed', height: 100 })
  const many = flood({ 3: 50, 4: 50, 5: 50 }, [3, 4], { looks: 150, uploads: 150 })
  t.same(many, { becomes: 'reported', height: 150 }, 'no more than two views')
  t.equal(flood({ 3: 50, 4: 50 }, [3], { looks: 100, uploads: 176 }), undefined, 'most of the others look alike')
})

t.test('a view is stopped only where the signal would be narrowed if several views agreed', async () => {
  const stopped = fc.uniqueArray(fc.nat(MAX_VIEW), { maxLength: MAX_STOPPED_VIEWS })
  fc.assert(
    fc.property(
      fc.constantFrom(...TIER_NAMES),
      seen,
      said,
      stopped,
      fc.nat(3000),
      (tier, counts, words, views, tolerated) => {
        const flood = floodAction(FLOOD_RULES[tier], counts, words, tolerated, views)
        if (flood?.becomes !== 'view-stopped') return
        const alone = floodAction(FLOOD_RULES[tier], { ...counts, looksByView: new Map() }, words, tolerated)
        assert.ok(alone?.becomes === 'narrowed' || views.length > 0)
        assert.ok(views.length < MAX_STOPPED_VIEWS && !views.includes(flood.view) && counts.looksByView.has(flood.view))
      },
    ),
  )
})

t.test('copies that are passed on stop nothing, however many and wherever', async () => {
  fc.assert(
    fc.property(fc.constantFrom(...TIER_NAMES), seen, (tier, { uploads, ...rest }) => {
      const counts = { ...rest, uploads: uploads + 2.5 * rest.looks }
      const flood = floodAction(FLOOD_RULES[tier], counts, nothingSaid, 0)
      assert.ok(flood === undefined || flood.becomes === 'reported')
    }),
  )
})

t.test('fewer platforms than the rule requires hold nothing, whatever they query and say', async () => {
  const few = fc.array(fc.integer({ min: 100_000, max: 10_000_000 }), { maxLength: rule.platforms - 1 })
  const quiet = fc.array(fc.nat(19), { maxLength: 6 })
  fc.assert(
    fc.property(few, quiet, seen, said, (loud, others, counts, words) => {
      const flood = floodAction(rule, { ...counts, hits: [...loud, ...others] }, words, 0)
      assert.notEqual(flood?.becomes, 'held')
    }),
  )
  const twoAgainst = fc.constantFrom(
    { notBlocked: 2, disputes: 0 },
    { notBlocked: 1, disputes: 1 },
    { notBlocked: 0, disputes: 2 },
  )
  fc.assert(
    fc.property(seen, twoAgainst, fc.nat(3), (counts, against, confirmations) => {
      assert.notEqual(floodAction(rule, counts, { ...against, confirmations }, 0)?.becomes, 'held')
    }),
  )
})

t.test('a signal that many platforms meet and do not block is held', async (t) => {
  const flood = (hits: number[], words: Partial<Said>, tolerated = 0) =>
    floodAction(rule, seenOf({ hits, uploads: 5000 }), { ...nothingSaid, ...words }, tolerated)
  t.same(flood([100, 100, 100], { notBlocked: 3 }), { becomes: 'held', height: 300 })
  t.same(flood([100, 100, 100], { notBlocked: 2, disputes: 1, confirmations: 1 })?.becomes, 'held')
  t.same(flood([100, 100, 100], { notBlocked: 4, confirmations: 2 }), { becomes: 'reported', height: 300 })
  t.equal(flood([99, 100, 100], { notBlocked: 3 }), undefined)
  t.equal(flood([100, 100, 100], { notBlocked: 3 }, 150), undefined, 'less than twice what was tolerated')
})

t.test('the quick check never misses a flood', async () => {
  fc.assert(
    fc.property(fc.constantFrom(...TIER_NAMES), seen, said, (tier, counts, words) => {
      if (floodAction(FLOOD_RULES[tier], counts, words, 0) !== undefined) assert.ok(mayBeFlood(counts))
    }),
  )
})

t.test('only signals not confirmed by platforms are stopped automatically', async (t) => {
  t.same(
    TIER_NAMES.map((tier) => FLOOD_RULES[tier].stops),
    [true, true, false, false],
  )
  fc.assert(
    fc.property(fc.constantFrom('platform-confirmed' as const, 'verified' as const), seen, said, (tier, counts, words) => {
      const flood = floodAction(FLOOD_RULES[tier], counts, words, 0)
      assert.ok(flood === undefined || flood.becomes === 'reported')
    }),
  )
})

t.test('a copy is near as a whole, within the edge of a distance band', async (t) => {
  t.ok(isCopy({ signalType: 'pdq', distanceBits: COPY_BITS }))
  t.ok(isCopy({ signalType: 'sha256', distanceBits: 0 }))
  t.notOk(isCopy({ signalType: 'pdq', distanceBits: COPY_BITS + 1 }))
  for (const signalType of ['pdq-area', 'blockhash', 'detail'] as const) t.notOk(isCopy({ signalType, distanceBits: 0 }))
  t.ok(BAND_EDGES_BITS.includes(COPY_BITS))
})

t.test('unlike uploads have different sketches, and a recompressed copy mostly keeps its sketch', async (t) => {
  const sketch = (text: string) => sketchOf(parseHash(text) ?? assert.fail())
  const hashes = Array.from({ length: 300 }, () => randomHashText())
  t.equal(new Set(hashes.map(sketch)).size, 300)
  const nearOne = Array.from({ length: 300 }, () => randomlyFlipped(hashes[0] ?? '', 16 + randomInt(16)))
  t.ok(new Set(nearOne.map(sketch)).size > 230)
  t.ok(hashes.filter((text) => sketch(text) === sketch(randomlyFlipped(text, 2))).length > 190)
})

t.test('a look encodes the frame that found an upload and how the upload looks', async (t) => {
  const hash = parseHash('f'.repeat(64)) ?? assert.fail()
  t.equal(lookOf(hash, 0), sketchOf(hash))
  for (const frame of [0, 1, 10_001]) t.equal(frameOfLook(lookOf(hash, frame)), frame)
  t.ok(Number.isSafeInteger(lookOf(hash, 10_001)))
})
