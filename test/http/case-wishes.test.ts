// Number and PIN are often known to somebody else. They neither end a case nor take it over: that needs the recovery code, or seven days in which it can
// be stopped with the code.

import t, { type Test } from 'tap'
import { PAUSE_MS, WISH_DELAY_MS } from '../../src/domain/cases/case.js'
import { createCaseExpiry } from '../../src/services/cases/case-expiry.js'
import { createAuditLog } from '../../src/store/audit/audit.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { loadSecrets } from '../../src/store/sealing/secrets.js'
import { storeAt } from '../helpers/redis.js'
import { refused } from '../helpers/refusal.js'
import { del, post, tryPin } from '../helpers/requests.js'
import { keyFor, randomHashText, SEAL_KEY, startService, submitted } from '../helpers/service.js'
import { caseWithPicture } from '../helpers/trust.js'

/** A service, a clock that moves only when told, and the expiry job that workers run. */
async function world(t: Test) {
  const clock = { nowMs: Date.now() }
  const now = () => clock.nowMs
  const service = await startService(t, { now, retentionMs: 365 * 86_400_000 })
  const { app } = service
  const store = await openStore(storeAt(service.redis.socket))
  t.teardown(() => store.close())
  const cases = createCaseStore(store)
  const { expire } = createCaseExpiry({
    cases,
    watches: { count: async () => 0, countToday: async () => 0, settle: async () => {}, settleToday: async () => {} },
    rewriteLog: async () => 'not-allowed',
    dueUntilMs: async () => now(),
    now,
    onError: () => {},
  })
  const platform = await keyFor(service, 'platform', ['match'])
  const isFound = async (hash: string) => {
    const body = { queries: [{ signals: [{ type: 'pdq', hash }] }] }
    return (await post(app, '/v1/match', body, platform.headers)).body.includes('matchId')
  }
  const tokenBy = async (caseNumber: string, pinOrCode: string) => {
    const { token } = (await tryPin(app, caseNumber, pinOrCode)).json<{ token: string }>()
    return { authorization: `Bearer ${token}` }
  }
  const opens = async (caseNumber: string, pinOrCode: string) =>
    (await tryPin(app, caseNumber, pinOrCode)).statusCode === 201
  const operatorWishesEnd = async (caseNumber: string) =>
    service.services.cases.wishEndByOperator(await service.services.cases.byNumber(caseNumber))
  return { ...service, clock, store, cases, expire, isFound, tokenBy, opens, operatorWishesEnd }
}

interface Pair {
  readonly pin: string
  readonly recoveryCode: string
  readonly effectiveAt: string | null
}

t.test('who can end a case, replace its PIN and code, or stop that, and when', async (t) => {
  const at = await world(t)
  const { app, clock, expire, isFound, tokenBy, opens } = at
  const startMs = clock.nowMs
  const inSevenDays = new Date(startMs + WISH_DELAY_MS).toISOString()
  for (const by of ['opening', 'code', 'pin', 'operator'] as const) {
    const isAtOnce = by === 'opening' || by === 'code'
    const begin = async () => {
      clock.nowMs = startMs
      const her = await submitted(at)
      const mine = by === 'opening' ? her.headers : await tokenBy(her.caseNumber, by === 'code' ? her.recoveryCode : her.pin)
      const stop = async () => del(app, `${her.url}/wishes`, await tokenBy(her.caseNumber, her.recoveryCode))
      const wishEnd = () => (by === 'operator' ? at.operatorWishesEnd(her.caseNumber) : del(app, her.url, mine))
      return { her, mine, stop, wishEnd }
    }

    const ended = await begin()
    await ended.wishEnd()
    t.equal(await isFound(ended.her.hash), !isAtOnce, `end by ${by}: now`)
    if (!isAtOnce) {
      t.match((await app.inject(ended.her)).json(), { state: 'active', endsAt: inSevenDays })
      clock.nowMs = startMs + WISH_DELAY_MS - 1
      await ended.wishEnd()
      t.match((await app.inject(ended.her)).json(), { endsAt: inSevenDays }, 'a repeat postpones nothing')
      await expire()
      t.ok(await isFound(ended.her.hash), `end by ${by}: not before seven days`)
      clock.nowMs += 1
      await expire()
      t.match((await app.inject(ended.her)).json(), { state: 'withdrawn' }, `end by ${by}: after seven days`)
    }

    const stopped = await begin()
    await stopped.wishEnd()
    const { caseId } = await at.services.cases.byNumber(stopped.her.caseNumber)
    const answer = await stopped.stop()
    clock.nowMs = startMs + WISH_DELAY_MS
    // The job may have listed the case as due before the wish was stopped.
    if (!isAtOnce) t.match(await at.cases.end(caseId, 'wished', clock.nowMs), { state: 'active' })
    if (isAtOnce) refused(t, answer, 'case-withdrawn')
    else {
      t.match(answer.json(), { endsAt: null })
      clock.nowMs = startMs + WISH_DELAY_MS
      await expire()
      t.ok(await isFound(stopped.her.hash), `end by ${by}: stopped with the code`)
    }

    if (by === 'operator') continue // gives out no PIN
    const renewed = await begin()
    const given = await post(app, `${renewed.her.url}/pin`, undefined, renewed.mine)
    t.equal(given.statusCode, isAtOnce ? 201 : 202)
    const pair = given.json<Pair>()
    t.equal(pair.effectiveAt, isAtOnce ? null : inSevenDays)
    t.equal(await opens(renewed.her.caseNumber, pair.recoveryCode), isAtOnce, `new PIN and code by ${by}: now`)
    if (isAtOnce) continue
    t.match((await app.inject(renewed.her)).json(), { newPinFrom: inSevenDays })
    refused(t, await del(app, `${renewed.her.url}/wishes`, renewed.mine), 'recovery-code-needed')
    clock.nowMs = startMs + WISH_DELAY_MS
    t.ok(await opens(renewed.her.caseNumber, pair.recoveryCode), 'a person who lost the code has a new one after seven days')
    t.notOk(await opens(renewed.her.caseNumber, renewed.her.recoveryCode))
  }
})

t.test('a former partner with number and PIN ends nothing and takes nothing over', async (t) => {
  const { app, clock, expire, isFound, tokenBy, opens, ...at } = await world(t)
  const her = await submitted({ app, ...at })
  const his = await tokenBy(her.caseNumber, her.pin)
  const taken = (await post(app, `${her.url}/pin`, undefined, his)).json<Pair>()
  for (const each of [taken.pin, taken.recoveryCode])
    if (each !== her.pin) t.notOk(await opens(her.caseNumber, each), 'what he was given opens nothing')
  t.equal((await del(app, her.url, his)).statusCode, 202)
  t.equal((await post(app, `${her.url}/renewals`, undefined, his)).statusCode, 200, 'renewing does not hide the wish')
  t.ok(await isFound(her.hash))

  clock.nowMs += WISH_DELAY_MS - 1
  const hers = await tokenBy(her.caseNumber, her.recoveryCode)
  t.match((await app.inject({ url: her.url, headers: hers })).json(), { endsAt: /Z$/, newPinFrom: /Z$/ })
  t.match((await del(app, `${her.url}/wishes`, hers)).json(), { endsAt: null, newPinFrom: null })
  const own = (await post(app, `${her.url}/pin`, undefined, hers)).json<Pair>()
  const late = await tokenBy(her.caseNumber, her.pin)
  refused(t, await post(app, `${her.url}/pin`, undefined, late), 'recovery-code-needed', 'he does not discard her new pair')
  t.ok(await opens(her.caseNumber, own.recoveryCode))
  for (const headers of [his, late]) refused(t, await del(app, her.url, headers), 'case-unknown', 'his tokens have ended')
  clock.nowMs += WISH_DELAY_MS
  await expire()
  t.ok(await isFound(her.hash))
  const { events } = (
    await app.inject({ url: `${her.url}/events`, headers: await tokenBy(her.caseNumber, own.recoveryCode) })
  ).json<{ events: { kind: string }[] }>()
  const kinds = events.map(({ kind }) => kind)
  for (const kind of ['pin-requested', 'end-wished', 'wishes-stopped', 'pin-changed']) t.ok(kinds.includes(kind), kind)
})

t.test('a PIN pauses recognition at once, and it resumes by PIN or by itself', async (t) => {
  const { app, isFound, tokenBy, clock, ...at } = await world(t)
  const her = await caseWithPicture({ app, ...at })
  const byPin = await tokenBy(her.caseNumber, her.pin)
  const pause = () => app.inject({ method: 'PUT', url: `${her.url}/pause`, headers: byPin })
  for (const time of ['first', 'repeated']) t.equal((await pause()).statusCode, 200, time)
  t.notOk(await isFound(her.hash))
  t.match((await app.inject(her)).json(), {
    state: 'active',
    pausedUntil: /Z$/,
  })
  for (const time of ['first', 'repeated']) t.equal((await del(app, `${her.url}/pause`, byPin)).statusCode, 200, time)
  t.ok(await isFound(her.hash))
  t.match((await app.inject(her)).json(), { pausedUntil: null })

  // What the hold schedule calls for each image that is due.
  await pause()
  await at.services.trust.resumeIfDue(her.imageId)
  t.notOk(await isFound(her.hash), 'not before its time')
  clock.nowMs += PAUSE_MS + 1000 // pauses end at a whole second
  await at.services.trust.resumeIfDue(her.imageId)
  t.ok(await isFound(her.hash), 'by itself')
  t.match((await app.inject({ url: her.url, headers: await tokenBy(her.caseNumber, her.pin) })).json(), {
    pausedUntil: null,
  })
})

t.test('a case that cannot be ended does not hold up the others whose end was wished', async (t) => {
  const { app, clock, cases, store, expire, isFound, tokenBy, ...at } = await world(t)
  const [broken, her] = [await submitted({ app, ...at }), await submitted({ app, ...at })]
  for (const each of [broken, her]) await del(app, each.url, await tokenBy(each.caseNumber, each.pin))
  const { caseId } = await at.services.cases.byNumber(broken.caseNumber)
  await store.ask((redis) => redis.hset(`{tabir}:case:${caseId}`, 'expiresAtMs', 'not a number'))
  clock.nowMs += WISH_DELAY_MS
  await expire()
  t.notOk(await isFound(her.hash), 'ended, after an entry that failed')
  t.equal((await cases.get((await at.services.cases.byNumber(her.caseNumber)).caseId))?.state, 'withdrawn')
})

t.test('a pause is one entry of the audit log, which does not tell which images are of one case', async (t) => {
  const at = await world(t)
  const { app, clock, services } = at
  const her = await caseWithPicture(at)
  const more = { images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 100 }] }] }
  t.equal((await post(app, `${her.url}/hashes`, more, her.headers)).statusCode, 201)
  const pause = () => app.inject({ method: 'PUT', url: `${her.url}/pause`, headers: her.headers })
  await pause()
  t.notOk(await at.isFound(her.hash))
  await del(app, `${her.url}/pause`, her.headers)
  await pause()
  clock.nowMs += PAUSE_MS + 1000
  await services.trust.resumeIfDue(her.imageId) // what the hold schedule calls
  t.ok(await at.isFound(her.hash), 'resumed by itself')

  const log = createAuditLog(at.store, (await loadSecrets(at.store, makeKeyring([SEAL_KEY]))).audit)
  await log.chain()
  const acts = (await log.list(0, 100)).map(({ act }) => act).filter((act) => /^(case|signal)\./.test(act))
  t.same(acts, ['case.paused', 'case.resumed', 'case.paused'])
})
