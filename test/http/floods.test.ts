// The flood guard: a signal that matches unlike uploads is narrowed; copies that circulate are still found; few platforms cannot hold a signal.

import { randomInt } from 'node:crypto'
import t, { type Test } from 'tap'
import { z } from 'zod'
import type { View } from '../../packages/core/src/matching/signal.js'
import type { SignalType } from '../../packages/core/src/matching/signal-types.js'
import type { AskedSignal } from '../../packages/feed/src/held.js'
import { parseHash } from '../../packages/hash/src/hash256.js'
import { FLOOD_WINDOW_MS } from '../../src/domain/trust/flood.js'
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

/** Registers a picture with a whole and a crop. `alike` makes queries of unlike pictures in which both are near, as are those of one template. */
async function pictureWithViews(service: TestService) {
  const { url, headers } = await openCase(service.app)
  const [hash, whole, crop] = [randomHashText(), randomHashText(), randomHashText()]
  const signals = [{ type: 'pdq', hash, quality: 100 }, area('whole', whole), area('crop', crop)]
  const answer = await ask(service, 'POST', `${url}/hashes`, headers, { images: [{ signals }] })
  const imageId = answer.json<{ images: { imageId: string }[] }>().images[0]?.imageId ?? ''
  const alike = (count: number) =>
    lookAlikesOf(hash, count).map((near) => ({
      signals: [
        { type: 'pdq', hash: near },
        area('whole', randomlyFlipped(whole, 30)),
        area('deframed', randomlyFlipped(crop, 30)),
      ],
    }))
  return { hash, imageId, alike }
}

const area = (view: string, hash: string) => ({ type: 'pdq-area', view, quality: 100, hash })

/** A service at a time of its own, and three platforms. `floodAll` lets them ask by turns, one each hour; the first asks most. */
async function threePlatforms(t: Test) {
  const clock = { nowMs: Date.now() }
  const service = await startService(t, { now: () => clock.nowMs })
  const platforms = await Promise.all(['a', 'b', 'c'].map((name) => platform(service, name)))
  const { headers } = await operator(service)
  const floodWith = async (by: number, queries: readonly object[]) => {
    const answer = await post(service.app, '/v1/match', { queries, transforms: false }, platforms[by]?.headers)
    t.equal(answer.statusCode, 200)
    await service.services.settled()
    return answer.json<{ results: { matches: { view: string }[] }[] }>().results.map(({ matches }) => matches)
  }
  const floodAll = async (queriesOf: (count: number) => readonly object[], counts: readonly number[]) => {
    for (const [by, count] of counts.entries()) {
      if (by > 0) clock.nowMs += FLOOD_WINDOW_MS
      await floodWith(by, queriesOf(count))
    }
  }
  return { service, one: platforms[0] ?? { headers: {} }, headers, floodWith, floodAll }
}

t.test(
  'a signal that platforms match in many unlike uploads over hours is narrowed until the operator releases it',
  async (t) => {
    const { service, one, headers, floodAll } = await threePlatforms(t)
    const { hash, imageId, alike } = await pictureWithViews(service)
    await floodAll(alike, [70, 3])
    t.same(await quarantineOf(service, headers), [], 'on two platforms')
    t.same(await eventsOf(service, headers), ['signal.flooded'])
    await floodAll(alike, [1, 15, 15])
    await until(async () => (await quarantineOf(service, headers)).length === 1)
    t.match(await quarantineOf(service, headers), [{ signalId: imageId, circulation: 'narrowed', heldFor: 'look-alikes' }])
    t.same(await eventsOf(service, headers), ['signal.flooded', 'signal.narrowed'])

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
    await floodAll(alike, [10])
    t.equal(
      (await matchesOf(service, one.headers, innocent[0] ?? '')).length,
      1,
      'after the release a smaller flood does not narrow it again',
    )
  },
)

t.test('innocent pictures whose hash was made near a registered one narrow nothing', async (t) => {
  const { service, one, headers, floodAll } = await threePlatforms(t)
  const pictures = await Promise.all(Array.from({ length: 2 }, () => pictureWithViews(service)))
  const away = (bits: number) => (count: number) =>
    pictures.flatMap(({ hash }) =>
      Array.from({ length: count }, () => ({
        signals: [{ type: 'pdq', hash: randomlyFlipped(hash, bits) }, area('whole', randomHashText())],
      })),
    )
  await floodAll(away(23), [60, 10, 10])
  await floodAll(away(16), [40, 10, 10])
  t.same(await quarantineOf(service, headers), [])
  for (const { hash } of pictures) t.equal((await matchesOf(service, one.headers, withBitsFlipped(hash, 31))).length, 1)
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

t.test('the flood guard counts unlike uploads of a video by frame, not the excerpts of one edited copy', async (t) => {
  const { service, one, headers, floodAll } = await threePlatforms(t)
  const [title = '', ...rest] = Array.from({ length: 60 }, randomHashText)
  const { imageId } = await caseWithVideo(service, [title, ...rest])
  const edited = [title, ...rest].map((hash) => randomlyFlipped(hash, 24))
  const excerpts = edited.slice(0, 57).map((_, from) => ({ video: filmOf(edited.slice(from, from + 3)) }))
  await floodAll((count) => excerpts.slice(0, count), [25, 25, 25])
  t.same(await quarantineOf(service, headers), [])

  const films = (count: number) =>
    Array.from({ length: count }, () => {
      const others = rest.slice(0, 2).map((hash) => randomlyFlipped(hash, 28))
      return { video: filmOf([randomlyFlipped(title, 16 + randomInt(4)), ...others, randomHashText()]) }
    })
  for (let i = 0; i < 3; i++) await floodAll(films, [40, 15, 15])
  await until(async () => (await quarantineOf(service, headers)).length === 1)
  t.match(await quarantineOf(service, headers), [{ signalId: imageId, circulation: 'narrowed' }])
  for (const hash of edited) t.same(await matchesOf(service, one.headers, hash), [], 'no frame alone matches')
  for (const hash of rest) t.equal((await matchesOf(service, one.headers, withBitsFlipped(hash, 15))).length, 1)

  await ask(service, 'DELETE', `/v1/signals/${imageId}/quarantine`, headers)
  for (const hash of edited) t.equal((await matchesOf(service, one.headers, hash)).length, 1, 'all are back')
})

t.test('two platforms together neither narrow a signal nor hold it', async (t) => {
  const service = await startService(t)
  const { hash } = await caseWithPicture(service)
  const two = await Promise.all(['a', 'b'].map((name) => platform(service, name)))
  const { headers } = await operator(service)
  for (const each of two) {
    await feedback(service, each, hash, { verdict: 'not-blocked' })
    await flood(service, each.headers, [...lookAlikesOf(hash, 900), ...copiesOf(hash, 100)])
  }
  t.same(await quarantineOf(service, headers), [])
  t.equal((await matchesOf(service, two[0]?.headers ?? {}, withBitsFlipped(hash, 31))).length, 1, 'it is found as before')
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

t.test('a view that many unlike uploads share is stopped alone, until the operator releases the signal', async (t) => {
  const { service, headers, floodWith, floodAll } = await threePlatforms(t)
  const { url, headers: hers } = await openCase(service.app)
  const [whole, banner, quarter] = [randomHashText(), randomHashText(), randomHashText()]
  const signals = [{ type: 'pdq', hash: whole, quality: 100 }, area('deframed', banner), area('piece', quarter)]
  const registered = await ask(service, 'POST', `${url}/hashes`, hers, { images: [{ signals }] })
  t.equal(registered.statusCode, 201)
  const withBanner = () => ({
    signals: [{ type: 'pdq', hash: randomHashText() }, area('deframed', randomlyFlipped(banner, 8))],
  })
  const crop = () => ({ signals: [{ type: 'pdq', hash: randomHashText() }, area('whole', randomlyFlipped(quarter, 8))] })
  const viewsOf = async (query: object) => (await floodWith(0, [query])).flat().map(({ view }) => view)
  const banners = (count: number) => Array.from({ length: count }, withBanner)
  const feed = await followed(t, service)
  const local = async (type: SignalType, text: string, view: View) => {
    await feed.sync()
    return feed.match(asked(type, withBitsFlipped(text, 4), view)).map((match) => match.view)
  }
  await floodAll(banners, [30, 8, 8])
  t.same(await quarantineOf(service, headers), [], 'some are no flood')
  t.same(await local('pdq-area', banner, 'deframed'), ['deframed'])
  t.same(await viewsOf(withBanner()), ['deframed'])
  await floodAll(banners, [20])
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
  await floodAll(banners, [60])
  t.match(await quarantineOf(service, headers), [{ circulation: 'matching' }], 'it is not narrowed for what is stopped')

  await ask(service, 'DELETE', `/v1/signals/${waiting?.signalId}/quarantine`, headers)
  t.same(await viewsOf(withBanner()), ['deframed'])
  t.same(await local('pdq-area', banner, 'deframed'), ['deframed'])
})
