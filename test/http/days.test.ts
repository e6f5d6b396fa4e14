import t from 'tap'
import { z } from 'zod'
import { randomHashText, startService, withBitsFlipped } from '../helpers/service.js'
import { ask, caseWithPicture, feedback, matchesOf, operator, platform } from '../helpers/trust.js'

const Days = z.object({
  days: z.array(
    z.object({
      day: z.string(),
      pictures: z.int(),
      found: z.int(),
      grades: z.record(z.string(), z.int()),
      distances: z.record(z.string(), z.int()),
      verdicts: z.record(z.string(), z.int()),
    }),
  ),
})
const DAY_MS = 86_400_000

t.test('queries, matches and verdicts are counted by day, for each organisation and in total', async (t) => {
  let nowMs = Date.parse('2026-03-01T23:00:00Z')
  const service = await startService(t, { now: () => nowMs })
  const one = await platform(service, 'one')
  const two = await platform(service, 'two')
  const admin = await operator(service)
  const her = await caseWithPicture(service)
  const days = async ({ headers }: { headers: Readonly<Record<string, string>> }, path: string) => {
    await service.services.settled()
    return Days.parse((await ask(service, 'GET', path, headers)).json()).days
  }

  await matchesOf(service, one.headers, her.hash)
  await matchesOf(service, one.headers, withBitsFlipped(her.hash, 20))
  await matchesOf(service, one.headers, randomHashText())
  await service.services.settled()
  nowMs += DAY_MS
  for (const verdict of ['blocked', 'blocked', 'not-blocked']) await feedback(service, one, her.hash, { verdict })
  await feedback(service, two, her.hash, { verdict: 'disputed', reason: 'other' })

  const own = await days(one, '/v1/insights/days/own?days=3')
  t.same(
    own.map(({ day, pictures, found }) => ({ day, pictures, found })),
    [
      { day: '2026-02-28', pictures: 0, found: 0 },
      { day: '2026-03-01', pictures: 3, found: 2 },
      { day: '2026-03-02', pictures: 3, found: 3 },
    ],
  )
  t.match(own[1], { grades: { exact: 0, near: 2, strong: 0, review: 0 }, distances: { '0': 1, '16-31': 1, '1-15': 0 } })
  t.match(own[2], { verdicts: { blocked: 1, 'not-blocked': 1, disputed: 0 } }, 'a repeated verdict counts once')

  t.match((await days(two, '/v1/insights/days/own?days=1'))[0], { pictures: 1, verdicts: { disputed: 1, blocked: 0 } })
  const all = await days(admin, '/v1/insights/days?days=2')
  t.match(all[1], { pictures: 4, found: 4, verdicts: { blocked: 1, disputed: 1 } })
  t.equal((await days(one, '/v1/insights/days/own')).length, 30)
  for (const query of ['days=0', 'days=91', 'days=x'])
    t.equal((await ask(service, 'GET', `/v1/insights/days?${query}`, admin.headers)).statusCode, 400, query)
})
