import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { TIER_NAMES, TIERS } from '../../packages/core/src/matching/signal.js'
import { encodeSupport, type Support, TIER_RULES, tierOf, tierWith } from '../../src/domain/trust/tier.js'
import { runs } from '../helpers/runs.js'

const nobody: Support = { verifications: 0, attestations: 0, confirmations: 0, notBlocked: 0 }
const support = fc.record<Support>({
  verifications: fc.nat(1),
  attestations: fc.nat(4),
  confirmations: fc.nat(8),
  notBlocked: fc.nat(8),
})
const tier = fc.constantFrom(...TIER_NAMES)

t.test('tiers follow the table', async (t) => {
  const rows = [
    ['self-reported', nobody, 'self-reported'],
    ['self-reported', { ...nobody, confirmations: 1 }, 'self-reported'],
    ['self-reported', { ...nobody, confirmations: 2 }, 'platform-confirmed'],
    ['self-reported', { ...nobody, confirmations: 2, notBlocked: 1 }, 'platform-confirmed'],
    ['self-reported', { ...nobody, confirmations: 2, notBlocked: 2 }, 'self-reported'],
    ['self-reported', { ...nobody, attestations: 1 }, 'ngo-attested'],
    ['self-reported', { ...nobody, attestations: 1, notBlocked: 2 }, 'ngo-attested'],
    ['self-reported', { ...nobody, attestations: 1, notBlocked: 3 }, 'self-reported'],
    ['self-reported', { ...nobody, attestations: 2, confirmations: 2 }, 'verified'],
    ['ngo-attested', { ...nobody, attestations: 1, confirmations: 2 }, 'verified'],
    ['ngo-attested', { ...nobody, attestations: 1, confirmations: 2, notBlocked: 1 }, 'platform-confirmed'],
    ['self-reported', { ...nobody, verifications: 1, notBlocked: 99 }, 'verified'],
    ['ngo-attested', nobody, 'ngo-attested'],
    ['platform-confirmed', nobody, 'platform-confirmed'],
    ['platform-confirmed', { ...nobody, notBlocked: 2 }, 'self-reported'],
    ['verified', { ...nobody, notBlocked: 99 }, 'verified'],
  ] as const
  for (const [registered, said, expected] of rows) {
    t.equal(tierOf(registered, said), expected, `${registered} with ${JSON.stringify(said)}`)
  }
  t.same(
    TIER_NAMES.filter((name) => !TIER_RULES.some((rule) => rule.tier === name)),
    [],
    'each tier has a rule',
  )
})

t.test('support for a signal never lowers its tier, and notBlocked never raises it', async () => {
  fc.assert(
    fc.property(tier, support, (registered, said) => {
      const before = TIERS[tierOf(registered, said)]
      for (const more of ['verifications', 'attestations', 'confirmations'] as const) {
        assert.ok(TIERS[tierOf(registered, { ...said, [more]: said[more] + 1 })] >= before, more)
      }
      assert.ok(TIERS[tierOf(registered, { ...said, notBlocked: said.notBlocked + 1 })] <= before)
    }),
  )
})

t.test('support encoded in one byte gives the same tier', async () => {
  fc.assert(
    fc.property(tier, support, (registered, said) => {
      assert.equal(tierWith(registered, encodeSupport(said)), tierOf(registered, said))
    }),
    { numRuns: runs(500) },
  )
  assert.equal(encodeSupport(nobody), 0)
})
