import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { FLOOD_RULES, floodNow, floodOf, LEAST_FLOOD, LEAST_PLATFORMS } from '../../src/domain/flood.js'
import { TIER_NAMES } from '../../src/domain/signal.js'

const rule = FLOOD_RULES['self-reported']
const hits = fc.array(fc.nat(5000), { maxLength: 8 })

t.test('the height is that of the platform the rule asks for, times their number', async (t) => {
  t.equal(floodOf([], rule), 0)
  t.equal(floodOf([9999, 9999], rule), 0)
  t.equal(floodOf([9999, 100, 9999], rule), 300)
  t.equal(floodOf([7, 5, 6, 8], rule), 24)
})

t.test('fewer keys than the rule asks for make no flood, however much they ask', async () => {
  const few = fc.array(fc.integer({ min: 100_000, max: 10_000_000 }), { maxLength: rule.platforms - 1 })
  fc.assert(
    fc.property(few, fc.array(fc.nat(40), { maxLength: 6 }), (loud, quiet) => {
      assert.equal(floodNow(rule, [...loud, ...quiet.map((n) => n % 20)], [], 0), 0)
    }),
  )
})

t.test('what is usual, small, or was let pass, is no flood', async (t) => {
  const hour = [100, 100, 100]
  t.equal(floodNow(rule, hour, [], 0), 300)
  t.equal(floodNow(rule, [99, 100, 100], [], 0), 0, 'below the least')
  t.equal(
    floodNow(
      rule,
      hour,
      Array.from({ length: 3 }, () => hour),
      0,
    ),
    0,
    'eight times its usual',
  )
  t.equal(
    floodNow(
      rule,
      hour,
      Array.from({ length: 2 }, () => hour),
      0,
    ),
    300,
    'twelve times its usual',
  )
  t.equal(floodNow(rule, hour, [], 150), 0, 'not twice what was let pass')
  t.equal(floodNow(rule, hour, [], 149), 300)
})

t.test('a flood by any rule is at least the one that is looked for first', async () => {
  fc.assert(
    fc.property(fc.constantFrom(...TIER_NAMES), hits, (tier, now) => {
      const height = floodNow(FLOOD_RULES[tier], now, [], 0)
      if (height > 0) assert.ok(floodOf(now, { platforms: LEAST_PLATFORMS }) >= LEAST_FLOOD)
    }),
  )
})

t.test('only what platforms have not confirmed is held by itself', async (t) => {
  t.same(
    TIER_NAMES.map((tier) => FLOOD_RULES[tier].holds),
    [true, true, false, false],
  )
})
