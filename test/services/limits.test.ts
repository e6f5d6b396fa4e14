import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createLimitCounter, type Limit } from '../../src/services/load/limits.js'
import type { Use } from '../../src/store/organisations/usage-counters.js'
import { runs } from '../helpers/runs.js'

const LIMIT: Limit = { name: 'match-requests', windowS: 60, most: 10, isLocal: false, failsClosed: false }
const NEVER_MS = 2 ** 31 - 1

/** What the script in Redis does. */
function sharedUses() {
  const totals = new Map<string, number>()
  const state = { isUnavailable: false }
  return {
    state,
    totals,
    async add(uses: readonly Use[]) {
      if (state.isUnavailable) throw new Error('away')
      return uses.map(({ name, amount }) => {
        const total = (totals.get(name) ?? 0) + amount
        totals.set(name, total)
        return total
      })
    },
  }
}

/** Processes that share a store and a clock that a test advances. */
function processes(count: number, uses = sharedUses(), clock = { nowMs: 0 }) {
  const counters = Array.from({ length: count }, () =>
    createLimitCounter({ uses, now: () => clock.nowMs, intervalMs: NEVER_MS }),
  )
  return { uses, clock, counters, close: () => Promise.all(counters.map((counter) => counter.close())) }
}

function one(t: Test) {
  const { uses, clock, counters, close } = processes(1)
  t.teardown(close)
  const [counter] = counters
  if (counter === undefined) throw new Error('one was asked for')
  return { uses, clock, counter }
}

t.test('a limit admits its number per window, reports how many are left, and starts again', async (t) => {
  const { clock, counter } = one(t)
  clock.nowMs = 45_500
  for (let left = 9; left >= 0; left--)
    t.same(counter.take(LIMIT, 'k', 1), { isWithin: true, left, resetS: 15 }, `${left} left`)
  t.same(counter.take(LIMIT, 'k', 1), { isWithin: false, left: 0, resetS: 15 })
  t.ok(counter.take(LIMIT, 'another', 1).isWithin)
  t.ok(counter.take({ ...LIMIT, name: 'bank-writes' }, 'k', 1).isWithin)
  clock.nowMs = 60_000
  t.same(counter.take(LIMIT, 'k', 4), { isWithin: true, left: 6, resetS: 60 })
  t.same(counter.take(LIMIT, 'k', 7), { isWithin: false, left: 6, resetS: 60 }, 'a call that does not fit is not counted')
  t.ok(counter.take(LIMIT, 'k', 6).isWithin)
})

t.test('a process admits no more than the limit plus the calls of others that it does not know of yet', async () => {
  const steps = fc.array(
    fc.record({ who: fc.nat(2), amount: fc.integer({ min: 1, max: 3 }), flush: fc.boolean(), on: fc.nat(400) }),
    { maxLength: 120 },
  )
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const { counters, clock, close } = processes(3)
      let window = 0
      let taken = 0
      let unheard = [0, 0, 0] // by each, since the last exchange
      for (const { who, amount, flush, on } of all) {
        clock.nowMs += on * 10
        if (Math.floor(clock.nowMs / 60_000) !== window) {
          window = Math.floor(clock.nowMs / 60_000)
          taken = 0
          unheard = [0, 0, 0]
        }
        const isWithin = counters[who]?.take(LIMIT, 'k', amount).isWithin
        if (isWithin === true) {
          const others = unheard.reduce((sum, each, i) => sum + (i === who ? 0 : each), 0)
          taken += amount
          unheard[who] = (unheard[who] ?? 0) + amount
          if (taken - others > LIMIT.most) throw new Error(`${taken} of ${LIMIT.most}, ${others} not known`)
        } else if (taken + amount <= LIMIT.most) throw new Error('refused what there was room for')
        if (flush) {
          // Twice: the last count reaches the first process in its next flush, if it has something to send.
          for (const counter of counters) await counter.flush()
        }
      }
      await close()
    }),
    { numRuns: runs(66) },
  )
})

t.test('processes share their counts once both have flushed to the store', async (t) => {
  const { counters, close, uses } = processes(2)
  t.teardown(close)
  const [a, b] = counters
  a?.take(LIMIT, 'k', 9)
  await a?.flush()
  t.ok(b?.take(LIMIT, 'k', 1).isWithin, 'not known yet')
  await b?.flush()
  t.notOk(b?.take(LIMIT, 'k', 1).isWithin)
  t.same([...uses.totals], [['match-requests:k:0', 10]])
})

t.test(
  'while the store is unavailable, limits count locally, strict limits refuse, and nothing is counted twice later',
  async (t) => {
    const { uses, clock, counter } = one(t)
    const closed = { ...LIMIT, name: 'feed-requests', failsClosed: true }
    uses.state.isUnavailable = true
    t.ok(counter.take(LIMIT, 'k', 7).isWithin)
    t.ok(counter.take(closed, 'k', 1).isWithin, 'as long as the outage may be brief')
    await counter.flush()
    clock.nowMs = 2001
    t.throws(() => counter.take(closed, 'k', 1), { code: 'store-unavailable' })
    t.ok(counter.take(LIMIT, 'k', 3).isWithin)
    t.notOk(counter.take(LIMIT, 'k', 1).isWithin)

    uses.state.isUnavailable = false
    await counter.flush()
    await counter.flush()
    t.equal(uses.totals.get('match-requests:k:0'), 10)
    t.ok(counter.take(closed, 'k', 1).isWithin)
  },
)

t.test('counts by address stay in the process, under names that mean nothing to another', async (t) => {
  const { uses, counter } = one(t)
  const name = counter.nameOfAddress('192.0.2.7')
  t.notOk(name.includes('192'))
  t.equal(counter.nameOfAddress('192.0.2.7'), name)
  t.equal(counter.nameOfAddress('::ffff:192.0.2.7'), name)
  t.not(counter.nameOfAddress('192.0.2.8'), name)
  t.equal(counter.nameOfAddress('2001:db8::1'), counter.nameOfAddress('2001:db8:0:0:ffff::2'), 'a customer has 64 bits')
  t.not(counter.nameOfAddress('2001:db8::1'), counter.nameOfAddress('2001:db8:0:1::1'))
  t.not(one(t).counter.nameOfAddress('192.0.2.7'), name)
  counter.take({ ...LIMIT, isLocal: true }, name, 1)
  await counter.flush()
  t.equal(uses.totals.size, 0)
})

t.test('many addresses use bounded memory; beyond the bound new addresses share one count', async (t) => {
  const { counter, clock } = one(t)
  const local = { ...LIMIT, isLocal: true }
  for (let i = 0; i < 50_000; i++) counter.take(local, `${i}`, 1)
  for (let i = 0; i < 10; i++) t.ok(counter.take(local, `new ${i}`, 1).isWithin)
  t.notOk(counter.take(local, 'new 10', 1).isWithin)
  t.ok(counter.take(local, '7', 1).isWithin, 'a known address keeps its own count')
  clock.nowMs = 60_000
  await counter.flush()
  t.ok(counter.take(local, 'new 11', 1).isWithin, 'the next window has room again')
})

t.test('what a limit of this process is exceeded by counts in later windows', async (t) => {
  const { clock, counter } = one(t)
  const limit: Limit = { ...LIMIT, isLocal: true }
  t.ok(counter.take(limit, 'k', 2).isWithin)
  t.notOk(counter.note(limit, 'k', 33))
  t.same(counter.take(limit, 'k', 5), { isWithin: false, left: 0, resetS: 180 }, '35 of 10, and 5 more')
  for (const [minute, left] of [
    [1, 0],
    [2, 0],
    [3, 5],
  ] as const) {
    clock.nowMs = minute * 60_000
    await counter.flush()
    t.match(counter.take(limit, 'k', 11), { isWithin: false, left }, `after ${minute} minutes`)
  }
  t.ok(counter.take(limit, 'k', 5).isWithin)
  clock.nowMs = 4 * 60_000
  t.match(counter.take(limit, 'k', 10), { isWithin: true, left: 0 })
})
