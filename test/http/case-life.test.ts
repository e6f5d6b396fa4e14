// The life of a case after its opening: renewed, expired, erased, forgotten.

import t, { type Test } from 'tap'
import {
  CASE_ACTIONS,
  CASE_FORGOTTEN_AFTER_MS,
  CASE_STATES,
  type CaseAction,
  type CaseState,
} from '../../src/domain/cases/case.js'
import { createCaseExpiry } from '../../src/services/cases/case-expiry.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { createImageStore } from '../../src/store/images/images.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { rewriteLog } from '../../src/store/upkeep/log-rewrite.js'
import { createWatchErasureStore } from '../../src/store/watch/watch-erasures.js'
import { storeAt } from '../helpers/redis.js'
import { refused } from '../helpers/refusal.js'
import { del, post, tryPin } from '../helpers/requests.js'
import { keyFor, openCase, RETENTION_MS, randomHashText, startService } from '../helpers/service.js'
import { filmOf } from '../helpers/trust.js'
import { everythingIn } from '../helpers/unchanged.js'

/** A service, a clock that moves only when told, and the expiry job that workers run. */
async function world(t: Test) {
  const clock = { nowMs: Date.now() }
  const now = () => clock.nowMs
  const service = await startService(t, { now })
  const store = await openStore(storeAt(service.redis.socket))
  t.teardown(() => store.close())
  const cases = createCaseStore(store)
  const keeping = createCaseExpiry({
    cases,
    watches: createWatchErasureStore(store),
    rewriteLog: () => rewriteLog(store, 30_000),
    dueUntilMs: async () => now(),
    now,
  })
  const platform = await keyFor(service, 'platform', ['match'])
  const isFound = async (hash: string) => {
    const answer = await post(
      service.app,
      '/v1/match',
      { queries: [{ signals: [{ type: 'pdq', hash }] }] },
      platform.headers,
    )
    return answer.body.includes('matchId')
  }
  /** How many queries of one call find something: a still for each hash, and the video. */
  const foundOf = async (hashes: readonly string[]) => {
    const stills = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
    const queries = [...stills, { video: filmOf(hashes) }]
    const answer = await post(service.app, '/v1/match', { queries }, platform.headers)
    const { results } = answer.json<{ results: { matches: object[] }[] }>()
    return results.filter(({ matches }) => matches.length > 0).length
  }
  return { service, app: service.app, clock, store, cases, keeping, isFound, foundOf }
}

function given(hash: string) {
  return { images: [{ signals: [{ type: 'pdq', hash, quality: 80 }] }] }
}

t.test('an expired case refuses every change at once, and matches nothing after the expiry job', async (t) => {
  const { app, clock, keeping, isFound } = await world(t)
  const her = await openCase(app)
  const hash = randomHashText()
  t.equal((await post(app, `${her.url}/hashes`, given(hash), her.headers)).statusCode, 201)
  t.same(await keeping.expire(), { expired: 0, forgotten: 0 }, 'not before it expires')
  t.ok(await isFound(hash))

  clock.nowMs += RETENTION_MS
  t.match((await app.inject(her)).json(), { state: 'expired', images: 0 }, 'expired at once, before the expiry job')
  refused(t, await post(app, `${her.url}/hashes`, given(randomHashText()), her.headers), 'case-expired')
  refused(t, await post(app, `${her.url}/renewals`, undefined, her.headers), 'case-expired')
  refused(t, await post(app, `${her.url}/pin`, undefined, her.headers), 'case-expired')

  t.same(await keeping.expire(), { expired: 1, forgotten: 0 })
  t.same(await keeping.expire(), { expired: 0, forgotten: 0 }, 'once')
  const view = (await app.inject(her)).json<{ expiredAt: string; withdrawnAt: null }>()
  t.match(view, { state: 'expired', images: 0, expiredAt: /Z$/, withdrawnAt: null })
  // The index of the api follows the change like any other.
  await waitUntilGone(() => isFound(hash))
  refused(t, await post(app, `${her.url}/hashes`, given(hash), her.headers), 'case-expired')

  const receipt = await app.inject({ url: `${her.url}/receipt`, headers: her.headers })
  const inThirtyDays = new Date(Date.parse(view.expiredAt) + 30 * 86_400_000).toISOString()
  t.match(receipt.json(), {
    ...{ state: 'expired', images: 1, hashes: 1, endedAt: view.expiredAt },
    mayRemain: [
      { what: 'hashes', where: 'withdrawals', until: inThirtyDays },
      { what: 'record', where: 'record', until: inThirtyDays },
      { what: 'hashes', where: 'files', until: null },
      { what: 'ids', where: 'logs', until: null },
      { where: 'processes', until: null },
      { where: 'copies', until: null },
      { where: 'recipients', until: null },
    ],
  })
  t.same((await del(app, her.url, her.headers)).json(), receipt.json(), 'withdrawing it afterwards answers the same receipt')
})

async function waitUntilGone(isFound: () => Promise<boolean>) {
  while (await isFound());
}

t.test('renewing needs the token, and starts the full retention time and a new reminder date', async (t) => {
  const { app, clock, keeping } = await world(t)
  const her = await openCase(app)
  const before = (await app.inject(her)).json<{ createdAt: string; expiresAt: string; remindAt: string }>()
  t.ok(before.createdAt < before.remindAt && before.remindAt < before.expiresAt)
  refused(t, await post(app, `${her.url}/renewals`, { pin: her.pin }), 'token-missing')
  refused(t, await post(app, `${her.url}/renewals`, undefined, { authorization: `Bearer ${her.pin}` }), 'case-unknown')

  clock.nowMs += RETENTION_MS - 1
  const renewed = await post(app, `${her.url}/renewals`, undefined, her.headers)
  t.equal(renewed.statusCode, 200)
  const after = renewed.json<{ expiresAt: string; remindAt: string }>()
  t.equal(Date.parse(after.expiresAt), clock.nowMs + RETENTION_MS)
  t.ok(after.remindAt < after.expiresAt && after.remindAt > before.remindAt)

  clock.nowMs += RETENTION_MS - 1
  t.same(await keeping.expire(), { expired: 0, forgotten: 0 })
  t.match((await app.inject({ ...her, method: 'GET' })).statusCode, 200, 'its token still works')
  clock.nowMs += 1
  t.same(await keeping.expire(), { expired: 1, forgotten: 0 })
})

t.test('the new PIN opens the case, and from then on the old one does not', async (t) => {
  const { app } = await world(t)
  const her = await openCase(app)
  const changed = await post(app, `${her.url}/pin`, undefined, her.headers)
  t.equal(changed.statusCode, 201)
  const { pin } = changed.json<{ pin: string }>()
  t.match(pin, /^\d{6}$/)
  t.equal((await tryPin(app, her.caseNumber, pin)).statusCode, 201)
  if (pin !== her.pin) refused(t, await tryPin(app, her.caseNumber, her.pin), 'case-unknown')
})

t.test('a video matches in a renewed case, and no frame of it matches after expiry', async (t) => {
  const { app, clock, keeping, foundOf } = await world(t)
  const [lasting, ending] = [await openCase(app), await openCase(app)]
  const [one, other] = [0, 1].map(() => Array.from({ length: 40 }, randomHashText))
  if (one === undefined || other === undefined) return
  const videos = { videos: [filmOf(one), filmOf(other)] }
  t.equal((await post(app, `${lasting.url}/hashes`, { videos: [filmOf(one)] }, lasting.headers)).statusCode, 201)
  t.equal((await post(app, `${ending.url}/hashes`, videos, ending.headers)).statusCode, 201)
  t.same([await foundOf(one), await foundOf(other)], [41, 41])

  clock.nowMs += RETENTION_MS - 1
  t.equal((await post(app, `${lasting.url}/renewals`, undefined, lasting.headers)).statusCode, 200)
  clock.nowMs += 1
  t.same(await keeping.expire(), { expired: 1, forgotten: 0 })
  const seen = new Set<number>()
  for (let found = await foundOf(other); found > 0; found = await foundOf(other)) seen.add(found)
  t.ok(
    [...seen].every((found) => found === 41),
    'never some of its frames',
  )
  t.equal(await foundOf(one), 41, 'the same video of another case')
  const receipt = await app.inject({ url: `${ending.url}/receipt`, headers: ending.headers })
  t.match(receipt.json(), { state: 'expired', images: 2, hashes: 80 })
  refused(t, await post(app, `${ending.url}/hashes`, videos, ending.headers), 'case-expired')
  t.equal(await foundOf(other), 0)
})

t.test('an erased case is forgotten after its retention time, with all of its keys', async (t) => {
  const { app, clock, keeping, service, store } = await world(t)
  const keysBefore = await store.ask((redis) => redis.keys('{tabir}:case*'))
  const her = await openCase(app)
  await post(app, `${her.url}/hashes`, given(randomHashText()), her.headers)
  const receipt = await del(app, her.url, her.headers)
  t.equal(await keeping.erase(), 1)
  t.equal(await keeping.erase(), 0, 'once')
  t.match((await app.inject(her)).json(), { state: 'erased', images: 0, withdrawnAt: /Z$/, erasedAt: /Z$/ })
  t.same((await del(app, her.url, her.headers)).json(), receipt.json(), 'the receipt stays the same')
  refused(t, await post(app, `${her.url}/hashes`, given(randomHashText()), her.headers), 'case-withdrawn')

  clock.nowMs += CASE_FORGOTTEN_AFTER_MS - 1
  t.same(await keeping.expire(), { expired: 0, forgotten: 0 })
  clock.nowMs += 1
  t.same(await keeping.expire(), { expired: 0, forgotten: 1 })
  refused(t, await app.inject(her), 'case-unknown')
  refused(t, await tryPin(app, her.caseNumber, her.pin), 'case-unknown')
  const left = (await store.ask((redis) => redis.keys('{tabir}:case*'))).filter((key) => !key.includes('case-token'))
  t.same(left, keysBefore)
  t.notOk(service.log.join('').includes(her.caseNumber))
})

t.test('an action that a case state does not allow changes nothing in the store', async (t) => {
  const { clock, store, cases } = await world(t)
  const nowMs = clock.nowMs
  const images = createImageStore(store, makeKeyring([Buffer.alloc(32, 7)]))
  const record = { createdAtMs: nowMs, expiresAtMs: nowMs + 1000, category: undefined, pin: 'x' }
  let number = 0
  /** A case brought to this state by the usual actions. */
  const caseIn = async (state: CaseState) => {
    const caseId = String(number++).padStart(32, '0')
    await cases.add(caseId, record)
    if (state === 'active') await images.putForCase(caseId, [image(number)], nowMs)
    if (state === 'withdrawn') await cases.end(caseId, 'withdrawn', nowMs)
    if (state === 'expired') await cases.end(caseId, 'expired', nowMs + 1000)
    if (state === 'erased') await cases.end(caseId, 'withdrawn', nowMs)
    if (state === 'erased') await cases.markErased(caseId, nowMs)
    t.equal((await cases.get(caseId))?.state, state)
    return caseId
  }
  const change = (action: CaseAction) => (caseId: string) =>
    cases.change(caseId, { action, nowMs, fields: { pin: 'y' }, event: undefined })
  const steps: Record<CaseAction, (caseId: string) => Promise<unknown>> = {
    'add-images': (caseId) => images.putForCase(caseId, [image(number)], nowMs),
    renew: change('renew'),
    'change-pin': change('change-pin'),
    'hand-over': change('hand-over'),
    'note-complaint': change('note-complaint'),
    'end-reading': change('end-reading'),
    'wish-end': change('wish-end'),
    'stop-wishes': change('stop-wishes'),
    pause: change('pause'),
    resume: change('resume'),
    withdraw: (caseId) => cases.end(caseId, 'withdrawn', nowMs),
    expire: (caseId) => cases.end(caseId, 'expired', nowMs + 1000),
    erase: (caseId) => cases.markErased(caseId, nowMs),
  }
  const everything = () => store.ask(everythingIn)
  for (const action of Object.keys(steps) as CaseAction[]) {
    const { from, to } = CASE_ACTIONS[action]
    for (const state of CASE_STATES) {
      const caseId = await caseIn(state)
      const before = await everything()
      await steps[action](caseId)
      const now = (await cases.get(caseId))?.state
      if (from.some((allowed) => allowed === state)) t.equal(now, to ?? state, `${action} in ${state}`)
      else t.same(await everything(), before, `${action} in ${state} changes nothing`)
    }
  }
})

t.test('after its expiry time a case can only end', async (t) => {
  const { clock, store, cases } = await world(t)
  const images = createImageStore(store, makeKeyring([Buffer.alloc(32, 7)]))
  const { nowMs } = clock
  await cases.add('a', { createdAtMs: nowMs, expiresAtMs: nowMs + 10, category: undefined, pin: 'x' })
  const late = nowMs + 10
  t.equal(await images.putForCase('a', [image(1)], late), 'expired')
  for (const action of ['renew', 'change-pin', 'hand-over', 'note-complaint', 'end-reading'] as const)
    t.equal(await cases.change('a', { action, nowMs: late, fields: { pin: 'y' }, event: undefined }), 'expired')
  await cases.markErased('a', late)
  t.equal((await cases.get('a'))?.state, 'open')
  t.equal(await cases.forget('a', late), false)
  t.equal((await cases.end('a', 'expired', late - 1))?.state, 'open', 'a clock that is behind expires nothing')
  t.equal((await cases.end('a', 'withdrawn', late))?.state, 'withdrawn', 'it can still be withdrawn')
})

function image(number: number) {
  const id = `00000000-0000-8000-8000-${String(number).padStart(12, '0')}`
  const image = {
    bank: 'cases',
    tier: 'self-reported',
    category: undefined,
    ref: undefined,
    createdAtMs: 1,
    signals: [],
  } as const
  return { id, image }
}
