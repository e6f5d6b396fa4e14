// The StopNCII interface as its client reads it: a missing or wrong field ends the client's fetch, an unknown value loses a record.

import t from 'tap'
import { readFeed } from '../helpers/feed.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { del, silent, withTypo } from '../helpers/requests.js'
import { openCase, randomHashText } from '../helpers/service.js'
import { ask, caseWithPicture, operator } from '../helpers/trust.js'
import { hashesOf, world } from './stopncii-world.js'

t.test('withdrawn, held, invalidated and allowlisted hashes are sent only as Withdrawn, to earlier fetchers', async (t) => {
  const { service, fetchAll, handIn, ngo } = await world(t)
  const hers = await caseWithPicture(service)
  const { hashes, ids } = await handIn(4)
  t.same(new Set(hashesOf(await fetchAll(10))), new Set([hers.hash, ...hashes]))
  const { headers } = await operator(service)
  await del(service.app, hers.url, hers.headers)
  await del(service.app, `/v1/banks/mine/signals/${ids[0]}`, ngo.headers)
  await ask(service, 'POST', `/v1/signals/${ids[1]}/quarantine`, headers)
  await ask(service, 'POST', `/v1/signals/${ids[2]}/dispute`, headers, { reason: 'other' })
  await ask(service, 'POST', `/v1/signals/${ids[2]}/dispute/decision`, headers, { outcome: 'upheld' })
  await ask(service, 'POST', '/v1/banks/harmless/signals', headers, { signals: [{ type: 'pdq', hash: randomHashText() }] })
  const again = await fetchAll(10)
  t.same(hashesOf(again), [hashes[3]])
  t.same(new Set(hashesOf(again, 'Withdrawn')), new Set([hers.hash, ...hashes.slice(0, 3)]))
  await ask(service, 'DELETE', `/v1/signals/${ids[1]}/quarantine`, headers)
  t.same(hashesOf(await fetchAll(10)).sort(), [hashes[1], hashes[3]].sort(), 'a released hash is back')
})

t.test('records contain what a platform may know and nothing that links pictures of a case', async (t) => {
  const { service, page, handIn } = await world(t)
  const her = await openCase(service.app)
  const signals = [
    { type: 'pdq', hash: randomHashText(), quality: 80 },
    { type: 'sha256', hash: randomHashText(), quality: 100 },
    { type: 'pdq', hash: randomHashText(), quality: 80, view: 'deframed' },
    { type: 'pdq-area', hash: randomHashText(), quality: 80, view: 'crop' },
  ]
  await ask(service, 'POST', `${her.url}/hashes`, her.headers, { images: [{ signals }] })
  const { hashes, ids } = await handIn(2, { category: 'nude', ref: MARKER })
  const { headers } = await operator(service)
  await ask(service, 'POST', `/v1/signals/${ids[0]}/verification`, headers)
  await ask(service, 'POST', `/v1/signals/${ids[1]}/dispute`, headers, { reason: 'other' })
  const answer = await page('startTimestamp=10&pageSize=800')
  const of = (hash: string | undefined) => answer.hashRecords.find(({ hashValue }) => hashValue === hash)
  t.equal(answer.count, 3, 'PDQ of whole pictures')
  t.match(of(signals[0]?.hash), { signalType: 'ImagePDQ', hashStatus: 'Active', caseNumbers: {}, CSPFeedbacks: [] })
  t.same(of(hashes[0])?.CSPFeedbacks, [{ source: 'Tabir', feedbackValue: 'Blocked', tags: ['nude'] }])
  t.match(of(hashes[1])?.CSPFeedbacks, [{ feedbackValue: 'PendingReview' }])
  t.notMatch(JSON.stringify(answer), MARKER)
})

t.test('an interrupted fetch resumes at its last timestamp and misses no hash', async (t) => {
  const { fetchAll, handIn, clock } = await world(t)
  const { hashes } = await handIn(40)
  const had = new Set<string>()
  let timeS = 10
  for (let runs = 0; runs < 60 && had.size < 40; runs++) {
    clock.nowMs += 1000
    const [one] = await fetchAll(timeS, 3, 1)
    if (one === undefined) throw new Error('a fetch has a page')
    t.ok(one.nextSetTimestamp >= timeS, 'timestamps never decrease')
    for (const hash of hashesOf([one])) had.add(hash)
    timeS = one.nextSetTimestamp
  }
  t.same(had, new Set(hashes))

  const whole = await fetchAll(timeS)
  clock.nowMs += 5000
  const later = await handIn(3)
  clock.nowMs -= 60_000 // the clock is set back
  const after = await fetchAll(whole.at(-1)?.nextSetTimestamp ?? 0)
  t.same(hashesOf(after).sort(), later.hashes.sort(), 'hashes registered since')
  const times = [...whole, ...after].map(({ nextSetTimestamp }) => nextSetTimestamp)
  t.same(times, [...times].sort(), 'timestamps never decrease, whatever the clock does')
  for (const { hashRecords, nextSetTimestamp } of after)
    for (const record of hashRecords) t.equal(record.lastModtimestamp, nextSetTimestamp)

  const ahead = Math.floor(clock.nowMs / 1000) + 3600
  const last = (await fetchAll(ahead)).at(-1)
  t.match(last, { hasMoreRecords: false, nextPageToken: null })
  t.ok((last?.nextSetTimestamp ?? 0) >= ahead, 'a timestamp in the future is kept')
})

t.test('pages of the same second are sent again to a fetch that resumes in that second', async (t) => {
  const { fetchAll, handIn } = await world(t)
  const { hashes } = await handIn(30)
  const pages = await fetchAll(10, 4)
  t.ok(pages.length > 3)
  t.same(hashesOf(pages).sort(), [...hashes].sort(), 'each once while the fetch uses its tokens')
  t.equal(new Set(pages.map(({ nextSetTimestamp }) => nextSetTimestamp)).size, 1)
  const first = new Set(hashesOf(pages.slice(0, 1)))
  const again = await fetchAll(pages[0]?.nextSetTimestamp ?? 0, 4)
  t.same(new Set([...first, ...hashesOf(again)]), new Set(hashes), 'a fetcher that had only the first page misses none')
})

t.test('a fetch needs a valid key with feed, its own page token and valid parameters', async (t) => {
  const { service, get, keyWith, reader, page, handIn } = await world(t)
  await handIn(40) // with five signals all could be on the first page, in 0.7 % of runs
  const plain = 'startTimestamp=10&pageSize=2'
  refused(t, await get(plain, {}), 'key-missing')
  refused(t, await get(plain, { 'x-functions-key': withTypo(reader.key) }), 'key-invalid')
  refused(t, await get(plain, { 'x-functions-key': MARKER }), 'key-invalid')
  const asker = await keyWith(['match', 'signals:write', 'feedback'])
  refused(t, await get(plain, { 'x-functions-key': asker.key }), 'scope-missing')
  t.equal((await get(plain, reader.headers)).statusCode, 200, 'a bearer token works too')

  const { nextPageToken } = await page(plain)
  const own = await readFeed(service, reader.headers)
  const ownCursor = own.at(-1)
  const other = await keyWith(['feed'], 'other')
  const token = encodeURIComponent(nextPageToken ?? '')
  t.equal((await get(`${plain}&nextPageToken=${token}`)).statusCode, 200)
  refused(
    t,
    await get(`${plain}&nextPageToken=${token}`, { 'x-functions-key': other.key }),
    'cursor-unknown',
    'the token of another key',
  )
  const foreign = ownCursor?.op === 'cursor' ? ownCursor.cursor : ''
  refused(t, await get(`${plain}&nextPageToken=${foreign}`), 'cursor-unknown', 'a cursor of the Tabir feed')
  refused(t, await get(`${plain}&nextPageToken=${MARKER}`), 'cursor-unknown')
  refused(t, await service.app.inject({ url: `/v1/feed?after=${token}`, headers: reader.headers }), 'cursor-unknown')
  for (const query of [
    'startTimestamp=-1',
    'startTimestamp=x',
    'startTimestamp=1.5',
    'pageSize=0',
    'startTimestamp=99999999999',
  ])
    refused(t, await get(query), 'request-invalid', query)
  t.equal((await get('')).statusCode, 200, 'without parameters all hashes are sent')
  silent(t, service)
})
