// A route with a limit on queries cannot forget to count them.

import t, { type Test } from 'tap'
import { limits } from '../../src/http/plugins/rate-limits.js'
import { appWithCaller } from '../helpers/app-with-caller.js'

const limit = { name: 'match-queries', windowS: 60, most: 2, isLocal: false, failsClosed: false } as const

/** With the limits alone, for a caller that may match. */
async function appWithLimits(t: Test) {
  const app = await appWithCaller(t)
  let left: number = limit.most
  const take = (_: unknown, __: string, amount: number) => {
    left -= amount
    return { isWithin: left >= 0, left: Math.max(0, left), resetS: 60 }
  }
  const counter = { take, note: () => true, nameOfAddress: () => '', flush: async () => {}, close: async () => {} }
  await app.register(limits, { counter, here: { 'match-queries': limit } })
  return app
}

t.test('a route with a limit on queries does not start unless it says whether it counts them', async (t) => {
  const app = await appWithLimits(t)
  t.throws(() => app.get('/forgot', { config: { scope: 'match' } }, async () => 'found'), /GET \/forgot must declare/)
  t.throws(() => app.get('/free', { config: { scope: 'key', queries: 'none' } }, async () => ''), /GET \/free must declare/)
  t.doesNotThrow(() => app.get('/none', { config: { scope: 'match', queries: 'none' } }, async () => 'a list'))
  t.equal((await app.inject('/none')).statusCode, 200)
})

t.test('a route that does not count the queries that it declared answers nothing', async (t) => {
  const app = await appWithLimits(t)
  const config = { scope: 'match', queries: 'counted' } as const
  app.get('/forgetful', { config }, async () => 'found')
  app.get('/honest', { config }, async (request, reply) => {
    request.consumeQuota(reply, 1)
    return 'found'
  })
  app.get('/idle', { config }, async (request, reply) => {
    request.consumeQuota(reply, 0)
    return 'nothing was asked'
  })
  const forgetful = await app.inject('/forgetful')
  t.equal(forgetful.statusCode, 500)
  t.notOk(forgetful.body.includes('"found"'))
  for (let i = 0; i < 5; i++) t.equal((await app.inject('/idle')).statusCode, 200)
  t.match((await app.inject('/honest')).headers, { ratelimit: '"match-queries";r=1;t=60' })
  t.equal((await app.inject('/honest')).statusCode, 200)
  t.equal((await app.inject('/honest')).statusCode, 429, 'the third is beyond the limit')
})
