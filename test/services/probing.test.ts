// The probing budget of several processes at the same time: more processes must not give more answers.

import { randomInt } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Observation } from '../../src/services/matching/observing.js'
import { createProbingBudget, PROBING_BUDGETS } from '../../src/services/matching/probing/probing.js'
import { createProbingAccounts } from '../../src/services/matching/probing/probing-accounts.js'
import { openStore } from '../../src/store/redis/client.js'
import { createProbingCounts } from '../../src/store/trust/probing.js'
import { startRedis, storeAt } from '../helpers/redis.js'

const PROCESSES = 10
const ORG = 'org'

/** What a query reveals that was not asked before. */
function observed(imageId: string, edge: 'inner' | 'outer'): Observation {
  const marks = [randomInt(2 ** 32), randomInt(2 ** 32)] as const
  return { imageId, edge, distanceBits: edge === 'inner' ? 16 : 31, marks, plain: undefined }
}

/** A budget of one process, and the sum of what it charged. */
function countedBudget(t: Test) {
  const charged = { inner: 0, outer: 0 }
  const budget = createProbingBudget({
    counts: {
      charge: async (_org, charges) => {
        for (const { inner, outer } of charges) {
          charged.inner += inner
          charged.outer += outer
        }
        return charges.map(() => ({ own: { ...charged }, all: { ...charged } }))
      },
    },
    secret: Buffer.alloc(32, 1),
    now: () => Date.UTC(2026, 0, 1),
    onError: (error) => t.fail(String(error)),
    intervalMs: 3_600_000,
  })
  t.teardown(() => budget.close())
  return { budget, charged }
}

t.test('ten processes that are queried at the same moment reveal no more than one', async (t) => {
  const redis = await startRedis(t)
  const stores = await Promise.all(Array.from({ length: PROCESSES }, () => openStore(storeAt(redis.socket))))
  const budgets = stores.map((store) =>
    createProbingBudget({
      counts: createProbingCounts(store),
      secret: Buffer.alloc(32, 1),
      now: () => Date.UTC(2026, 0, 1),
      onError: (error) => t.fail(String(error)),
      intervalMs: 3_600_000, // what they exchange by themselves comes too late
    }),
  )
  t.teardown(async () => {
    await Promise.all(budgets.map((budget) => budget.close()))
    await Promise.all(stores.map((store) => store.close()))
  })
  /**
   * Each process is queried so often near an edge of an image, all at the same moment. @returns how many answers
   * revealed the edge.
   */
  const told = async (imageId: string, edge: 'inner' | 'outer', timesEach: number) => {
    let count = 0
    const ask = async (budget: (typeof budgets)[number]) => {
      await budget.charge(ORG, [observed(imageId, edge)], false)
      const restriction = budget.restrictionOf(ORG, imageId)
      if (edge === 'inner' ? !restriction?.isCoarse : restriction?.isBlurred !== true) count++
    }
    for (let i = 0; i < timesEach; i++) await Promise.all(budgets.map((budget) => ask(budget)))
    return count
  }
  t.ok((await told('an image', 'inner', 4)) <= PROBING_BUDGETS.coarse, 'bands, views and orientations')
  t.ok((await told('another', 'outer', 4)) <= PROBING_BUDGETS.blurred, 'matches and grades')
  // Queried near an inner edge first, each has read that nothing was spent at the outer ones, and must not rely on
  // it.
  await told('a third', 'inner', 1)
  t.ok((await told('a third', 'outer', 4)) <= PROBING_BUDGETS.blurred)
})

t.test('a platform that queries the same 4,000 copies again and again is charged once for each', async (t) => {
  const { budget, charged } = countedBudget(t)
  const copies = Array.from({ length: 4000 }, (_, i) => observed(`image ${i}`, 'inner'))
  for (let round = 0; round < 10; round++) for (const copy of copies) await budget.charge(ORG, [copy], false)
  await budget.flush()
  t.equal(charged.inner, copies.length)
})

t.test('however often an image is asked about near an edge, its blur ends in the same time', async (t) => {
  const { budget, charged } = countedBudget(t)
  for (let i = 0; i < 200; i++) await budget.charge(ORG, [observed('image', 'outer')], false)
  await budget.flush()
  t.equal(charged.outer, 2 * PROBING_BUDGETS.blurred)
  t.same([...(budget.blurredFor(ORG) ?? [])], ['image'])
  t.equal(budget.blurredFor('another'), undefined)
})

t.test('an organisation whose query evicts other accounts is still charged', async (t) => {
  const accounts = createProbingAccounts(Buffer.alloc(32, 1))
  const org = accounts.orgOf(ORG)
  for (let i = 0; i <= 100_000; i++) accounts.accountOf(ORG, org, String(i))
  t.equal(org.images.size, 1, 'the others were evicted')
  t.equal(accounts.orgs.get(ORG), org, 'its charges are sent')
})
