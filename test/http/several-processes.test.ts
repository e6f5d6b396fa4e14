// Quotas hold for all processes together, also for concurrent requests.

import t from 'tap'
import { MAX_PIN_GUESSES } from '../../src/domain/cases/case.js'
import { post } from '../helpers/requests.js'
import { codeOf, keyFor, openCase, randomHashText, startService, until } from '../helpers/service.js'

const MAX = 5
const trustLimits = { maxImagesPerCase: MAX, maxSignalsPerOrgPerDay: MAX }
const one = await startService(t, { trustLimits, maxWatchesPerOrg: MAX })
const two = await startService(t, { redis: one.redis, trustLimits, maxWatchesPerOrg: MAX })
const signals = () => [{ type: 'pdq', hash: randomHashText(), quality: 100 }]

/** Sends this many concurrent requests to both processes. @returns how often each answer came. */
async function asked(times: number, url: string, payload: () => object, headers: Record<string, string> = {}) {
  const answers = await Promise.all(
    Array.from({ length: times }, (_, i) => post((i % 2 === 0 ? one : two).app, url, payload(), headers)),
  )
  const counts: Record<string, number> = {}
  for (const answer of answers) {
    const said = codeOf(answer) ?? String(answer.statusCode)
    counts[said] = (counts[said] ?? 0) + 1
  }
  return counts
}

t.test('wrong PINs are counted over both processes', async (t) => {
  const { caseNumber, pin } = await openCase(one.app)
  const url = `/v1/cases/${caseNumber}/tokens`
  const wrong = () => ({ pin: pin === '000000' ? '000001' : '000000' })
  const right = async () => (await post(two.app, url, { pin })).statusCode
  t.same(await asked(MAX_PIN_GUESSES - 1, url, wrong), { 'case-unknown': MAX_PIN_GUESSES - 1 })
  t.equal(await right(), 201)
  await post(one.app, url, wrong())
  t.equal(await right(), 404)
})

t.test('quotas of images, signals and watches hold over both processes', async (t) => {
  const { url, headers } = await openCase(one.app)
  t.match(await asked(12, `${url}/hashes`, () => ({ images: [{ signals: signals() }] }), headers), { 201: MAX })

  const ngo = await keyFor(one, 'ngo', ['signals:write', 'match'], 'ngo')
  await until(() => two.services.identify(ngo.key) !== undefined)
  await post(one.app, '/v1/banks', { name: 'mine' }, ngo.headers)
  await until(async () => (await two.app.inject({ url: '/v1/banks', headers: ngo.headers })).body.includes('mine'))
  const handedIn = await asked(12, '/v1/banks/mine/signals', () => ({ signals: signals() }), ngo.headers)
  t.ok((handedIn['201'] ?? 0) > 0 && (handedIn['201'] ?? 0) <= MAX, JSON.stringify(handedIn))
  const watched = await asked(12, '/v1/watch', () => ({ watches: [{ signals: signals() }] }), ngo.headers)
  t.same(watched, { 201: MAX, 'watches-full': 12 - MAX })
})
