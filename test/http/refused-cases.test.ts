// Refusals about cases: they are alike for unknown and foreign cases, and echo nothing. No worker is needed.

import { scryptSync } from 'node:crypto'
import t from 'tap'
import { STRETCHING } from '../../src/services/cases/case-access.js'
import { keys } from '../../src/store/redis/keys.js'
import { MARKER, refused, withoutInstance } from '../helpers/refusal.js'
import { del, fastest, otherPin, post, redisOf, silent, timed, tryPin, UNKNOWN_CASE } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService } from '../helpers/service.js'

t.test('an unknown case, a token of another case and a wrong PIN get the same answer', async (t) => {
  const service = await startService(t)
  const { app } = service
  const [hers, his] = [await openCase(app), await openCase(app)]

  for (const [method, url] of [
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/images'],
    ['POST', '/hashes'],
  ] as const) {
    const ask = (caseNumber: string) => app.inject({ method, url: `/v1/cases/${caseNumber}${url}`, headers: his.headers })
    const answers = await Promise.all([hers.caseNumber, UNKNOWN_CASE, MARKER, '%00'].map(ask))
    for (const answer of answers) {
      refused(t, answer, 'case-unknown', `${method} ${url}`)
      t.same(withoutInstance(answer.body), withoutInstance(answers[0]?.body ?? ''))
    }
  }
  t.match((await app.inject({ url: hers.url, headers: hers.headers })).json(), { state: 'open' }, 'the case is unchanged')

  const wrong = await tryPin(app, hers.caseNumber, otherPin(hers.pin))
  const unknown = await tryPin(app, UNKNOWN_CASE, hers.pin)
  const nonsense = await tryPin(app, MARKER, hers.pin)
  for (const answer of [wrong, unknown, nonsense]) refused(t, answer, 'case-unknown')
  t.same(withoutInstance(wrong.body), withoutInstance(unknown.body))
  t.same(Object.keys(wrong.headers).sort(), Object.keys(unknown.headers).sort())
  t.equal((await tryPin(app, hers.caseNumber, hers.pin)).statusCode, 201, 'the right PIN still opens it')
  silent(t, service)
})

t.test('an unknown case number costs the same key derivation as a wrong PIN', async (t) => {
  const { app } = await startService(t, { stretching: STRETCHING })
  const { caseNumber, pin } = await openCase(app)
  // The same work on the same machine, in turns, and the fastest of several: other load can only make a try slower.
  const work = () => scryptSync('123456', 'salt', 32, STRETCHING)

  let workMs = Number.POSITIVE_INFINITY
  const wrongMs: number[] = []
  const unknownMs: number[] = []
  for (let i = 0; i < 4; i++) {
    workMs = Math.min(workMs, fastest(work))
    wrongMs.push(await timed(() => tryPin(app, caseNumber, otherPin(pin))))
    unknownMs.push(await timed(() => tryPin(app, UNKNOWN_CASE, pin)))
  }

  t.ok(Math.min(...wrongMs) > workMs / 2, 'a wrong PIN costs the work')
  t.ok(Math.min(...unknownMs) > workMs / 2, 'an unknown case costs the work')
})

t.test('a declared minor gets the hotlines, and nothing is stored', async (t) => {
  const service = await startService(t)
  const redis = await redisOf(t, service)
  // Without keys that a service writes some time after its start.
  const ownWrites = new Set<string>([keys.watchHolder, keys.watchCursor, keys.agreedTime])
  const names = async () => (await redis.keys('*')).filter((name) => !ownWrites.has(name)).sort()
  const before = await names()

  for (const payload of [{ adult: false }, { adult: false, category: 'nude' }]) {
    const answer = await post(service.app, '/v1/cases', payload)
    refused(t, answer, 'minor-declared')
    t.match(answer.json(), {
      hotlines: [{ name: 'NCMEC Take It Down' }, { name: /INHOPE/ }],
    })
    t.notMatch(answer.body, /caseNumber|token|"pin"|TBR/i)
  }

  t.same(await names(), before)
  t.equal(await redis.xlen('{tabir}:changes'), 0)
})

t.test('a withdrawn case refuses pictures, and withdrawing again gives the first receipt', async (t) => {
  const service = await startService(t)
  const { app } = service
  const her = await openCase(app)
  const given = { images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }] }] }
  t.equal((await post(app, `${her.url}/hashes`, given, her.headers)).statusCode, 201)

  const first = await del(app, her.url, her.headers)
  const again = await del(app, her.url, her.headers)
  t.equal(first.statusCode, 200)
  t.match(first.json(), { state: 'withdrawn', images: 1 })
  t.same(again.json(), first.json())

  refused(t, await post(app, `${her.url}/hashes`, given, her.headers), 'case-withdrawn')
  t.match((await app.inject({ url: her.url, headers: her.headers })).json(), { state: 'withdrawn', images: 0 })
})

t.test('a picture that is added during a withdrawal does not match afterwards', async (t) => {
  const service = await startService(t)
  const { app } = service
  const platform = await keyFor(service, 'platform', ['match'])
  const her = await openCase(app)
  const hashes = Array.from({ length: 40 }, randomHashText)
  const add = (hash: string) =>
    post(app, `${her.url}/hashes`, { images: [{ signals: [{ type: 'pdq', hash, quality: 90 }] }] }, her.headers)

  const [withdrawn, ...added] = await Promise.all([
    ...hashes.slice(0, 1).map(() => del(app, her.url, her.headers)),
    ...hashes.map(add),
  ])

  t.equal(withdrawn?.statusCode, 200)
  for (const { statusCode } of added) t.ok(statusCode === 201 || statusCode === 410)
  const queries = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
  const asked = await post(app, '/v1/match', { queries }, platform.headers)
  t.notMatch(asked.body, /matchId/, 'pictures that were accepted before are withdrawn too')
})
