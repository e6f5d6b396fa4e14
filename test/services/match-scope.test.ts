// How far a query searches: as far as the banks need, and no farther for what another organisation set for itself.

import t from 'tap'
import { type Bank, CASES_BANK } from '../../packages/core/src/matching/bank.js'
import { SIGNAL_TYPE_NAMES } from '../../packages/core/src/matching/signal-types.js'
import { widestIn } from '../../src/services/matching/match-scope.js'

t.test('only the owner of a bank searches as wide as it set its radius', async (t) => {
  const bank: Bank = { name: 'wide', purpose: 'match', orgId: 'owner', thresholdBits: { pdq: 90 }, createdAtMs: 1 }
  const radiusOf = (banks: readonly Bank[], orgId: string) => {
    const widestOf = widestIn(new Map(banks.map((each) => [each.name, each])), { thresholdBits: undefined, orgId }, true)
    return SIGNAL_TYPE_NAMES.flatMap((type) => [widestOf(type, 'whole', false), widestOf(type, 'whole', true)])
  }
  const usual = radiusOf([CASES_BANK], 'other')
  t.same(radiusOf([CASES_BANK, bank], 'other'), usual)
  t.equal(Math.max(...radiusOf([CASES_BANK, bank], 'owner').map(({ bits }) => bits)), 90)
})
