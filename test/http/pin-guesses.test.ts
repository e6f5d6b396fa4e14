// An attacker who knows only a case number can guess its PIN with a small chance, and cannot lock its submitter out.

import t from 'tap'
import { MAX_FAILURE_DAYS, MAX_FAILURES_SHOWN, MAX_PIN_GUESSES } from '../../src/domain/cases/case.js'
import { refused, withoutInstance } from '../helpers/refusal.js'
import { otherPin, post, redisOf, tryPin, UNKNOWN_CASE } from '../helpers/requests.js'
import { keyFor, openCase, startService } from '../helpers/service.js'

const DAY_MS = 86_400_000
/** Noon, so that a day begins only when a test moves the clock. */
let nowMs = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2
const now = () => nowMs
const service = await startService(t, { now })
const { app } = service
const beside = await startService(t, { redis: service.redis, now })
const redis = await redisOf(t, service)
type Case = Awaited<ReturnType<typeof openCase>>
interface Event {
  readonly kind: string
  readonly attempts?: number
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const tokenFor = async ({ caseNumber }: Case, pin: string) =>
  bearer((await tryPin(app, caseNumber, pin)).json<{ token: string }>().token)
const eventsOf = async ({ url }: Case, headers: Record<string, string>) =>
  (await app.inject({ url: `${url}/events`, headers })).json<{ events: Event[] }>().events
const failuresOf = async (her: Case, headers: Record<string, string>) =>
  (await eventsOf(her, headers)).filter(({ kind }) => kind === 'pin-failed').map(({ attempts }) => attempts)

/** Opens a case and finds the key of its record in Redis. */
async function recordOf(open: () => Promise<Case>) {
  const records = async () => (await redis.keys('{tabir}:case:*')).filter((key) => /:case:[^:]+$/.test(key))
  const before = new Set(await records())
  const her = await open()
  const [key = ''] = (await records()).filter((each) => !before.has(each))
  return { her, key }
}

const wrongPin = (...pins: string[]) => ['000000', '000001', '000002'].find((each) => !pins.includes(each)) ?? ''
const guessing = ({ caseNumber, pin }: Case, guesses: number) =>
  Promise.all(Array.from({ length: guesses }, (_, i) => tryPin(i % 2 === 0 ? app : beside.app, caseNumber, otherPin(pin))))

t.test('guessing the PIN of a known case number has a chance below 1 in 10,000 in the life of the case', async (t) => {
  const { her, key } = await recordOf(() => openCase(app))
  t.ok((MAX_PIN_GUESSES + 1) / 1_000_000 < 1 / 10_000)
  const guesses = await guessing(her, MAX_PIN_GUESSES + 40)
  const [unknown] = await guessing({ ...her, caseNumber: UNKNOWN_CASE }, 1)
  const looks = [unknown, ...guesses].map((answer) =>
    JSON.stringify([answer?.statusCode, withoutInstance(answer?.body ?? ''), Object.keys(answer?.headers ?? {}).sort()]),
  )
  t.equal(new Set(looks).size, 1, 'each answer is that of an unknown number')
  t.equal(await redis.hget(key, 'pinGuesses'), String(MAX_PIN_GUESSES), 'guesses beyond the limit are not compared')
  nowMs += 0.9 * DAY_MS
  refused(t, await tryPin(app, her.caseNumber, her.pin), 'case-unknown', 'waiting does not restore guesses')

  t.test('after the limit of guesses the submitter’s token still works and renews the case', async (t) => {
    t.equal((await post(app, `${her.url}/renewals`, undefined, her.headers)).statusCode, 200)
    t.equal((await app.inject({ url: her.url, headers: her.headers })).statusCode, 200)
  })

  t.test('after the limit of guesses the recovery code opens the case and can be replaced', async (t) => {
    const hers = await tokenFor(her, her.recoveryCode)
    t.same(await failuresOf(her, hers), [MAX_FAILURES_SHOWN, 1], 'the time line shows attempts by day')
    t.equal((await eventsOf(her, hers)).filter(({ kind }) => kind === 'pin-blocked').length, 1)
    const given = (await post(app, `${her.url}/pin`, undefined, hers)).json<{ pin: null; recoveryCode: string }>()
    t.equal(given.pin, null, 'no new PIN is given, because it would not open the case')
    t.equal(
      (await tryPin(app, her.caseNumber, her.recoveryCode)).statusCode,
      201,
      'the old code works until the new one is used',
    )
    const newer = await tokenFor(her, given.recoveryCode)
    t.equal((await app.inject({ url: her.url, headers: newer })).statusCode, 200)
    refused(t, await tryPin(app, her.caseNumber, her.recoveryCode), 'case-unknown')
    refused(t, await tryPin(app, her.caseNumber, her.pin), 'case-unknown')
  })
})

t.test('the right PIN opens the case until the limit, and using it does not restore guesses', async (t) => {
  const { her, key } = await recordOf(() => openCase(app))
  await redis.hset(key, 'pinGuesses', MAX_PIN_GUESSES - 2)
  await guessing(her, 1)
  t.equal((await tryPin(app, her.caseNumber, her.pin)).statusCode, 201)
  await guessing(her, 1)
  refused(t, await tryPin(app, her.caseNumber, her.pin), 'case-unknown')
})

t.test('while two PINs are valid a wrong PIN counts twice, and a new PIN does not reset the count', async (t) => {
  const { her, key } = await recordOf(() => openCase(app))
  await redis.hset(key, 'pinGuesses', MAX_PIN_GUESSES - 2)
  const url = `${her.url}/pin`
  const given = (await post(app, url, undefined, her.headers)).json<{ pin: string; recoveryCode: string }>()
  refused(t, await tryPin(app, her.caseNumber, wrongPin(her.pin, given.pin)), 'case-unknown')
  for (const pin of [her.pin, given.pin]) refused(t, await tryPin(app, her.caseNumber, pin), 'case-unknown')
  for (const code of [her.recoveryCode, given.recoveryCode]) await tokenFor(her, code)
  refused(t, await tryPin(app, her.caseNumber, given.pin), 'case-unknown')
})

t.test('guesses before a handover, when the case has no PIN, do not count', async (t) => {
  const ngo = await keyFor(service, 'ngo', ['cases:write'], 'ngo')
  const consent = { adult: true, consent: { kind: 'in-person', on: '2026-01-31' } }
  const opened = await post(app, '/v1/assisted-cases', consent, ngo.headers)
  const { caseNumber } = opened.json<{ caseNumber: string }>()
  const url = `/v1/cases/${caseNumber}`
  t.equal((await post(app, `${url}/renewals`, undefined, ngo.headers)).statusCode, 200, 'its organisation can renew it')
  for (let i = 0; i < MAX_PIN_GUESSES; i++) await tryPin(app, caseNumber, '000000')
  const given = (await post(app, `${url}/handover`, {}, ngo.headers)).json<{ pin: string; recoveryCode: string }>()
  t.equal((await tryPin(app, caseNumber, given.pin)).statusCode, 201)
  t.equal((await tryPin(app, caseNumber, given.recoveryCode)).statusCode, 201)
})

t.test('failed attempts add one event a day to the time line, for a limited number of days', async (t) => {
  const her = await openCase(app)
  const typo = '0'.repeat(16)
  for (let day = 0; day < MAX_FAILURE_DAYS + 2; day++) {
    for (let i = 0; i < 2; i++) await tryPin(app, her.caseNumber, typo)
    nowMs += DAY_MS - 1
    await post(app, `${her.url}/renewals`, undefined, her.headers)
  }
  t.same(await failuresOf(her, her.headers), new Array(MAX_FAILURE_DAYS).fill(2))
  t.equal((await eventsOf(her, her.headers))[0]?.kind, 'opened', 'other events are kept')
  t.equal(
    (await tryPin(app, her.caseNumber, her.pin)).statusCode,
    201,
    'a wrong recovery code does not count as a PIN guess',
  )
})

t.test('attempts at an unknown case number leave nothing in the store', async (t) => {
  const before = new Set(await redis.keys('*'))
  for (const number of [UNKNOWN_CASE, 'my case', 'TBR-1']) refused(t, await tryPin(app, number, '000000'), 'case-unknown')
  const added = (await redis.keys('*')).filter((key) => !before.has(key))
  t.same(
    added.filter((key) => !/:(?:limit|audit)/.test(key)), // rate limits and audit entries of earlier requests
    [],
  )
})
