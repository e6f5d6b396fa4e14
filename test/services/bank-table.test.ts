import t from 'tap'
import { type Bank, CASES_BANK } from '../../packages/core/src/matching/bank.js'
import { BankTable } from '../../src/services/index/bank-table.js'
import { exactName } from '../../src/store/organisations/exact-name.js'

const bank = (name: string, orgId: string): Bank => ({
  name,
  orgId,
  purpose: 'match',
  thresholdBits: {},
  createdAtMs: 1,
  readers: {},
})

t.test('a name means one bank to an operator, or none while several banks have it', async (t) => {
  const exact = exactName('two', 'b')
  const [first, second] = [bank('two', 'a'), bank(exact, 'b')]
  const banks = new BankTable([CASES_BANK, first])
  t.equal(banks.single('two'), first)
  t.equal(banks.single(exactName('two', 'a')), first, 'by its exact name as well')
  banks.set(exact, second)
  t.equal(banks.single('two'), undefined)
  t.equal(banks.single(exactName('two', 'a')), first)
  t.equal(banks.single(exact), second)
  t.equal(banks.shownTo('c', CASES_BANK), 'cases')

  banks.delete('two')
  t.equal(banks.single('two'), second, 'the only bank with this name')
  t.equal(banks.shownTo('b', second), 'two')
  t.ok(banks.isAnyShared)
  banks.delete(exact)
  t.notOk(banks.isAnyShared, 'nothing of it is kept')
  t.equal(banks.single('two'), undefined)
})
