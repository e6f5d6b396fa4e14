// The flood guard: a signal that matches unlike uploads is narrowed; copies that circulate are still found; few platforms cannot hold a signal.

import { randomInt } from 'node:crypto'
import t from 'tap'
import { z } from 'zod'
import type { AskedSignal } from '../../packages/feed/src/held.js'
import { parseHash } from '../../packages/hash/src/hash256.js'
import type { View } from '../../src/domain/matching/signal.js'
import type { SignalType } from '../../src/domain/matching/signal-types.js'
import { followed } from '../helpers/feed.js'
import { post } from '../helpers/requests.js'
import {
  openCase,
  randomHashText,
  randomlyFlipped,
  startService,
  type TestService,
  until,
  withBitsFlipped,
} from '../helpers/service.js'
import { ask, caseWithPicture, caseWithVideo, feedback, filmOf, matchesOf, operator, platform } from '../helpers/trust.js'

/** Queries these hashes in one call. */
async function flood(service: TestService, headers: Record<string, string>, hashes: readonly string[]): Promise<void> {
  const queries = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
  const answer = await post(service.app, '/v1/match', { queries, transforms: false }, headers)
  if (answer.statusCode !== 200) throw new Error(answer.body)
  await service.services.settled()
}

function asked(type: SignalType, text: string, view: View = 'whole'): AskedSignal[] {
  const hash = parseHash(text)
  return hash === undefined ? [] : [{ type, view, hash }]
}

const copiesOf = (hash: string, times: number) => Array.from({ length: times }, (_, i) => withBitsFlipped(hash, i % 16))

/** Hashes of unrelated pictures near a registered one: each farther than a copy and unlike the others. */
function lookAlikesOf(hash: string, count: number): string[] {
  return Array.from({ length: count }, () => randomlyFlipped(hash, 16 + randomInt(16)))
}

const Quarantine = z.object({
  signals: z.array(z.object({ signalId: z.string(), circulation: z.string(), heldFor: z.string() })),
})

async function quarantineOf(service: TestService, headers: Record<string, string>) {
  return Quarantine.parse((await ask(service, 'GET', '/v1/quarantine', headers)).json()).signals
}

const eventsOf = async (service: TestService, headers: Record<string, string>) =>
  (await ask(service, 'GET', '/v1/events', headers)).json<{ events: { kind: string }[] }>().events.map(({ kind }) => kind)

t.test('a signal that one platform matches in many unlike uploads is narrowed until the operator releases it', async (t) => {
  const service = await startService(t)
  const { hash, imageId } = await caseWithPicture(service)
  const one = await platform(service, 'one')
  const { headers } = await operator(service)
  await flood(service, one.headers, lookAlikesOf(hash, 30))
  t.same(await quarantineOf(service, headers), [], 'below the limit')
  await flood(service, one.headers, lookAlikesOf(hash, 30))
  await until(async () => (await quarantineOf(service, headers)).length === 1)
  t.match(await quarantineOf(service, headers), [{ signalId: imageId, circulation: 'narrowed', heldFor: 'look-alikes' }])
  t.same(await eventsOf(service, headers), ['signal.narrowed'])

  const feed = await followed(t, service)
  const local = (text: string) => feed.match(asked('pdq', text)).length
  t.equal(local(withBitsFlipped(hash, 16)), 0, 'a follower knows')
  t.equal(local(withBitsFlipped(hash, 15)), 1)

  const innocent = lookAlikesOf(hash, 20)
  for (const each of innocent) t.same(await matchesOf(service, one.headers, each), [])
  const wide = { queries: [{ signals: [{ type: 'pdq', hash: innocent[0] }] }], thresholdBits: 90 }
  t.match((await post(service.app, '/v1/match', wide, one.headers)).json(), { results: [{ matches: [] }] })
  t.equal((await matchesOf(service, one.headers, hash)).length, 1)
  t.equal((await matchesOf(service, one.headers, withBitsFlipped(hash, 15))).length, 1, 'copies are found')

  await ask(service, 'DELETE', `/v1/signals/${imageId}/quarantine`, headers)
  await feed.sync()
  t.equal(local(withBitsFlipped(hash, 16)), 1)
  await flood(service, one.headers, lookAlikesOf(hash, 10))
  t.equal(
    (await matchesOf(service, one.headers, innocent[0] ?? '')).length,
    1,
    'after the release a smaller flood does not narrow it again',
  )
})

t.test('a picture that circulates in many copies is not narrowed or held, and the operator is told once', async (t) => {
  const service = await startService(t)
  const { hash } = await caseWithPicture(service)
  const platforms = await Promise.all(['a', 'b', 'c', 'd'].map((name) => platform(service, name)))
  const { headers } = await operator(service)
  for (const each of platforms) await flood(service, each.headers, [...copiesOf(hash, 600), ...lookAlikesOf(hash, 100)])
  t.same(await quarantineOf(service, headers), [])
  t.same(await eventsOf(service, headers), ['signal.flooded'], 'the operator is told once')
  t.equal((await matchesOf(service, platforms[0]?.headers ?? {}, withBitsFlipped(hash, 31))).length, 1)
})

t.test('the flood guard counts unlike uploads of a video by frame, not the stills of one edited copy', async (t) => {
  const service = await startService(t)
  const { headers } = await operator(service)
  const one = await platform(service, 'one')
  const [title = '', ...rest] = Array.from({ length: 60 }, randomHashText)
  const { imageId } = await caseWithVideo(service, [title, ...rest])
  const edited = [title, ...rest].map((hash) => randomlyFlipped(hash, 24))
  await flood(service, one.headers, edited)
  const excerpt = (at: number) => ({ video: filmOf(edited.slice(at, at + 3)) })
  for (let from = 0; from < 54; from += 27) {
    const queries = Array.from({ length: 27 }, (_, i) => excerpt(from + i))
    t.equal((await post(service.app, '/v1/match', { queries, transforms: false }, one.headers)).statusCode, 200)
  }
  await service.services.settled()
  t.same(await quarantineOf(service, headers), [], 'one edited copy, by its stills and by its excerpts')

  const alike = lookAlikesOf(title, 120)
  const films = alike.slice(60).map((hash) => ({ video: filmOf([hash, randomHashText()]) }))
  await flood(service, one.headers, alike.slice(0, 60))
  const answer = await post(service.app, '/v1/match', { queries: films, transforms: false }, one.headers)
  t.ok(answer.json<{ results: { matches: object[] }[] }>().results.every(({ matches }) => matches.length === 1))
  await service.services.settled()
  await until(async () => (await quarantineOf(service, headers)).length === 1)
  t.match(await quarantineOf(service, headers), [{ signalId: imageId, circulation: 'narrowed' }])
  for (const hash of edited) t.same(await matchesOf(service, one.headers, hash), [], 'no frame alone matches')
  for (const hash of rest) t.equal((await matchesOf(service, one.headers, withBitsFlipped(hash, 15))).length, 1)

  await ask(service, 'DELETE', `/v1/signals/${imageId}/quarantine`, headers)
  for (const hash of edited) t.equal((await matchesOf(service, one.headers, hash)).length, 1, 'all are back')
})

t.test('two platforms together can narrow a signal and not hold it', async (t) => {
  const service = await startService(t)
  const { hash } = await caseWithPicture(service)
  const two = await Promise.all(['a', 'b'].map((name) => platform(service, name)))
  const { headers } = await operator(service)
  for (const each of two) {
    await feedback(service, each, hash, { verdict: 'not-blocked' })
    await flood(service, each.headers, [...lookAlikesOf(hash, 900), ...copiesOf(hash, 100)])
  }
  await until(async () => (await quarantineOf(service, headers)).length === 1)
  t.match(await quarantineOf(service, headers), [{ circulation: 'narrowed' }])
  t.equal((await matchesOf(service, two[0]?.headers ?? {}, withBitsFlipped(hash, 15))).length, 1, 'copies are found')
})

t.test('a signal that three platforms match often and leave up is held until the operator decides', async (t) => {
  const service = await startService(t)
  const { hash, imageId } = await caseWithPicture(service)
  const three = await Promise.all(['a', 'b', 'c'].map((name) => platform(service, name)))
  const { headers } = await operator(service)
  for (const each of three) {
    await feedback(service, each, hash, { verdict: 'not-blocked' })
    await flood(service, each.headers, copiesOf(hash, each === three[2] ? 98 : 1000))
  }
  t.same(await quarantineOf(service, headers), [], 'the third platform has matched it 98 times')
  await flood(service, three[2]?.headers ?? {}, [hash])
  await until(async () => (await quarantineOf(service, headers)).length === 1)
  t.match(await quarantineOf(service, headers), [{ signalId: imageId, circulation: 'held', heldFor: 'flood' }])
  t.same(await matchesOf(service, three[0]?.headers ?? {}, hash), [])
  t.match(await eventsOf(service, headers), ['signal.flooded', 'signal.held'])

  await ask(service, 'DELETE', `/v1/signals/${imageId}/quarantine`, headers)
  await flood(service, three[2]?.headers ?? {}, copiesOf(hash, 50))
  t.equal(
    (await matchesOf(service, three[0]?.headers ?? {}, hash)).length,
    1,
    'after the release a smaller flood does not hold it again',
  )
})

t.test('a signal that two platforms confirmed is not held by a flood, and the operator is told', async (t) => {
  const service = await startService(t)
  const { hash, imageId } = await caseWithPicture(service)
  const platforms = await Promise.all(['a', 'b', 'c', 'd'].map((name) => platform(service, name)))
  const { headers } = await operator(service)
  for (const each of platforms.slice(0, 2)) await feedback(service, each, hash, { verdict: 'blocked' })
  for (const each of platforms) await flood(service, each.headers, [...copiesOf(hash, 500), ...lookAlikesOf(hash, 500)])

  t.match((await ask(service, 'GET', '/v1/events', headers)).json(), {
    events: [{ kind: 'signal.flooded', about: { signalId: imageId } }],
  })
  const [first] = platforms
  t.equal((await matchesOf(service, first?.headers ?? {}, hash)).length, 1)
})

const signal = (view: string, hash: string) => ({ type: 'pdq-area', view, quality: 100, hash })

t.test('a view that many unlike uploads share is stopped alone, until the operator releases the signal', async (t) => {
  const service = await startService(t)
  const { url, headers: hers } = await openCase(service.app)
  const [whole, banner, quarter] = [randomHashText(), randomHashText(), randomHashText()]
  const signals = [{ type: 'pdq', hash: whole, quality: 100 }, signal('deframed', banner), signal('piece', quarter)]
  const registered = await ask(service, 'POST', `${url}/hashes`, hers, { images: [{ signals }] })
  t.equal(registered.statusCode, 201)
  const one = await platform(service, 'one')
  const { headers } = await operator(service)
  const post1 = (queries: readonly object[]) => post(service.app, '/v1/match', { queries, transforms: false }, one.headers)
  const withBanner = () => ({
    signals: [{ type: 'pdq', hash: randomHashText() }, signal('deframed', randomlyFlipped(banner, 8))],
  })
  const crop = () => ({ signals: [{ type: 'pdq', hash: randomHashText() }, signal('whole', randomlyFlipped(quarter, 8))] })
  const viewsOf = async (query: object) =>
    (await post1([query]))
      .json<{ results: { matches: { view: string }[] }[] }>()
      .results.flatMap(({ matches }) => matches.map(({ view }) => view))
  const floodWith = async (count: number) => {
    t.equal((await post1(Array.from({ length: count }, withBanner))).statusCode, 200)
    await service.services.settled()
  }
  const feed = await followed(t, service)
  const local = async (type: SignalType, text: string, view: View) => {
    await feed.sync()
    return feed.match(asked(type, withBitsFlipped(text, 4), view)).map((match) => match.view)
  }
  await floodWith(40)
  t.same(await quarantineOf(service, headers), [], 'some are no flood')
  t.same(await local('pdq-area', banner, 'deframed'), ['deframed'])
  t.same(await viewsOf(withBanner()), ['deframed'])
  await floodWith(20)
  await until(async () => (await quarantineOf(service, headers)).length === 1)
  t.match(await quarantineOf(service, headers), [{ circulation: 'matching', heldFor: 'decoration' }])
  t.same(await eventsOf(service, headers), ['signal.view-stopped'])
  const [waiting] = await quarantineOf(service, headers)

  t.same(await viewsOf(withBanner()), [], 'the banner finds nothing')
  t.same(await viewsOf(crop()), ['piece'], 'another view does')
  t.same(await local('pdq-area', banner, 'deframed'), [], 'nor for a follower')
  t.same(await local('pdq-area', quarter, 'piece'), ['piece'])
  t.same(await local('pdq', whole, 'whole'), ['whole'])
  t.same(await viewsOf({ signals: [{ type: 'pdq', hash: randomlyFlipped(whole, 25) }] }), ['whole'], 'and not copies alone')
  await floodWith(60)
  t.match(await quarantineOf(service, headers), [{ circulation: 'matching' }], 'it is not narrowed for what is stopped')

  await ask(service, 'DELETE', `/v1/signals/${waiting?.signalId}/quarantine`, headers)
  t.same(await viewsOf(withBanner()), ['deframed'])
  t.same(await local('pdq-area', banner, 'deframed'), ['deframed'])
})
