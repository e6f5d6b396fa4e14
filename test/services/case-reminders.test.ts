// Organisations are told of the end of cases that they assist: once for each end, whatever clocks do.

import t, { type Test } from 'tap'
import { createCaseReminders } from '../../src/services/cases/case-reminders.js'
import { createCaseReminderStore } from '../../src/store/cases/case-reminders.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { keys } from '../../src/store/redis/keys.js'
import { caseLifeHandler } from '../../workers/case-life.js'
import { storeAt } from '../helpers/redis.js'
import { del, post, tryPin } from '../helpers/requests.js'
import { startWebhookPlans } from '../helpers/webhook-plans.js'

const DAY_MS = 86_400_000
const plans = await startWebhookPlans(t, { retentionMs: 365 * DAY_MS })
const { service, store, organisation } = plans
const { app } = service
type Organisation = Awaited<ReturnType<typeof organisation>>

/** A clock that moves only when told, and the job that workers run. */
function world(retentionMs = 365 * DAY_MS) {
  const clock = { nowMs: Date.now() as number | undefined }
  const failures: string[] = []
  const { remind } = createCaseReminders({
    cases: createCaseStore(store),
    reminders: createCaseReminderStore(store),
    dueUntilMs: async () => clock.nowMs,
    onError: ({ message }) => failures.push(message),
  })
  const told = async () =>
    (await plans.told())
      .filter(({ type }) => type === 'case.expires-soon')
      .map(({ webhookId, data, body }) => ({ webhookId, ...data, at: JSON.parse(body).timestamp }))
  const setTo = (expiresAt: string, daysBefore: number) => {
    clock.nowMs = Date.parse(expiresAt) - daysBefore * DAY_MS
    return new Date(clock.nowMs).toISOString()
  }
  return { clock, remind, told, failures, setTo, retentionMs }
}

async function assisted(ngo: Organisation) {
  const consent = { kind: 'in-writing', on: '2026-01-01' }
  const opened = await post(app, '/v1/assisted-cases', { adult: true, consent }, ngo.headers)
  const made = opened.json<{ caseNumber: string; caseId: string; expiresAt: string; remindAt: string }>()
  return { ...made, url: `/v1/cases/${made.caseNumber}` }
}

/** Ends the case at the end of a test, so that later tests count only their own. */
function endAfter(t: Test, url: string, headers: Record<string, string>) {
  t.teardown(() => del(app, url, headers))
}

t.test('the opener is told thirty days before the end, once, however clocks are stepped', async (t) => {
  const { clock, remind, told, setTo } = world()
  const [ngo] = [await organisation(t, 'ngo'), await organisation(t, 'ngo')]
  const { url, caseId, expiresAt, remindAt } = await assisted(ngo)
  endAfter(t, url, ngo.headers)

  setTo(expiresAt, 30)
  clock.nowMs = Date.parse(remindAt) - 1
  t.equal(await remind(), 0, 'not before')
  const at = setTo(expiresAt, 30)
  t.equal(at, remindAt, 'on the day that is shown to note')
  t.equal(await remind(), 1)
  t.same(await told(), [{ webhookId: ngo.webhookId, caseId, expiresAt, at }])
  for (const daysBefore of [29, 400, 30, 1, 0, -5, 12]) {
    setTo(expiresAt, daysBefore)
    t.equal(await remind(), 0, `${daysBefore} days before`)
  }
  clock.nowMs = undefined
  t.equal(await remind(), 0, 'not while clocks disagree')

  const renewed = (await post(app, `${url}/renewals`, undefined, ngo.headers)).json<{ expiresAt: string }>()
  t.not(renewed.expiresAt, expiresAt)
  setTo(expiresAt, 366)
  t.equal(await remind(), 0)
  const again = setTo(renewed.expiresAt, 7)
  t.same([await remind(), await remind()], [1, 0], 'the new end, also if no worker ran for weeks')
  t.same(await told(), [{ webhookId: ngo.webhookId, caseId, expiresAt: renewed.expiresAt, at: again }])
})

t.test('the contact of a notice is told too, and nobody of a case without an organisation', async (t) => {
  const { remind, told, setTo } = world()
  const [ngo, contact] = [await organisation(t, 'ngo'), await organisation(t, 'ngo')]
  const { url, caseId, expiresAt } = await assisted(ngo)
  endAfter(t, url, ngo.headers)
  const hers = (await post(app, '/v1/cases', { adult: true })).json<{ caseNumber: string; token: string }>()
  endAfter(t, `/v1/cases/${hers.caseNumber}`, { authorization: `Bearer ${hers.token}` })
  const notice = {
    ...{ laws: ['my-onsa'], actingAs: 'representative', contact: contact.org },
    statements: ['goodFaith', 'withoutConsent', 'accurate', 'authorised'],
  }
  const given = await app.inject({ method: 'PUT', url: `${url}/notice`, headers: ngo.headers, payload: notice })
  t.equal(given.statusCode, 200)

  setTo(expiresAt, 20)
  t.equal(await remind(), 2)
  const byWebhook = (await told()).map(({ webhookId, ...data }) => [webhookId, data] as const)
  t.same(new Map(byWebhook).size, 2)
  t.match(new Map(byWebhook).get(ngo.webhookId), { caseId, expiresAt })
  t.match(new Map(byWebhook).get(contact.webhookId), { caseId, expiresAt })
  t.equal(await remind(), 0)
})

t.test('after a handover only an organisation that may read the case is told', async (t) => {
  for (const keepReading of [false, true]) {
    const { remind, told, setTo } = world()
    const ngo = await organisation(t, 'ngo')
    const { url, caseNumber, expiresAt } = await assisted(ngo)
    const handed = await post(app, `${url}/handover`, { keepReading }, ngo.headers)
    const { recoveryCode } = handed.json<{ recoveryCode: string }>()
    const { token } = (await tryPin(app, caseNumber, recoveryCode)).json<{ token: string }>()
    endAfter(t, url, { authorization: `Bearer ${token}` })
    setTo(expiresAt, 10)
    const expected = keepReading ? 1 : 0
    t.equal(await remind(), expected, `keepReading ${keepReading}`)
    t.equal((await told()).length, expected)
  }
})

t.test('an ended case is not told, and a damaged one keeps no other from being told', async (t) => {
  const { remind, told, setTo, failures } = world()
  const ngo = await organisation(t, 'ngo')
  const [broken, ended, whole] = [await assisted(ngo), await assisted(ngo), await assisted(ngo)]
  endAfter(t, whole.url, ngo.headers)
  await del(app, ended.url, ngo.headers)
  await store.ask((redis) => redis.hdel(keys.case(broken.caseId), 'createdAtMs'))
  setTo(whole.expiresAt, 15)
  t.equal(await remind(), 1)
  t.match(await told(), [{ caseId: whole.caseId }])
  t.match(failures, [/1 of .* cases that end soon failed/])
  await store.ask((redis) => redis.del(keys.case(broken.caseId)))
})

t.test('a worker whose clock is a year ahead tells nobody', async (t) => {
  const ngo = await organisation(t, 'ngo')
  const { url } = await assisted(ngo)
  endAfter(t, url, ngo.headers)
  const warnings: string[] = []
  const aheadMs = 340 * DAY_MS
  const run = caseLifeHandler({
    target: storeAt(service.redis.socket),
    now: () => Date.now() + aheadMs,
    warn: (line) => warnings.push(line),
  })
  await run('remind')
  t.same(
    (await plans.told()).filter(({ type }) => type === 'case.expires-soon'),
    [],
  )
  t.match(warnings, [/more than a minute ahead/])
})
