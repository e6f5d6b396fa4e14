// StopNCII's interface as its client reads it: an absent or wrong field ends the client's fetch, an unknown word loses it a record.

import t, { type Test } from 'tap'
import { z } from 'zod'
import type { Scope } from '../../src/domain/organisations/access.js'
import { readFeed } from '../helpers/feed.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { del, silent, withTypo } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService } from '../helpers/service.js'
import { ask, caseWithPicture, operator } from '../helpers/trust.js'

/** What the client needs and knows; it gives up on anything else. */
const Page = z.strictObject({
  count: z.int(),
  nextSetTimestamp: z.int(),
  nextPageToken: z.string().nullable(),
  hasMoreRecords: z.boolean(),
  hashRecords: z.array(
    z.strictObject({
      lastModtimestamp: z.int(),
      signalType: z.enum(['Unknown', 'ImagePDQ', 'VideoMD5', 'VideoTMK', 'Text', 'URL']),
      hashValue: z.string().regex(/^[0-9a-f]{64}$/),
      hashStatus: z.enum(['Unknown', 'Received', 'Active', 'Withdrawn', 'Deleted']),
      caseNumbers: z.strictObject({}),
      CSPFeedbacks: z.array(
        z.strictObject({
          source: z.string(),
          feedbackValue: z.enum([
            'Unknown',
            'None',
            'QualityUnknown',
            'PendingReview',
            'Blocked',
            'NotBlocked',
            'Withdrawn',
            'Deleted',
          ]),
          tags: z.array(z.string()),
        }),
      ),
    }),
  ),
})
type Page = z.infer<typeof Page>

async function world(t: Test) {
  const clock = { nowMs: Date.now() }
  const service = await startService(t, { now: () => clock.nowMs })
  const keyWith = (scopes: readonly Scope[], org = 'hma') => keyFor(service, org, scopes)
  const reader = await keyWith(['feed'])
  const asHma = { 'x-functions-key': reader.key, 'ocp-apim-subscription-key': 'anything' }
  const get = (query: string, headers: Record<string, string> = asHma) =>
    service.app.inject({ url: `/stopncii/v1/FetchHashes?${query}`, headers })
  const page = async (query: string) => {
    const answer = await get(query)
    if (answer.statusCode !== 200) throw new Error(answer.body)
    return Page.parse(answer.json())
  }
  /** All pages of one fetch, as the client asks for them. */
  const fetchAll = async (startTimestamp: number, pageSize = 800, most = 100) => {
    const pages = [await page(`startTimestamp=${startTimestamp}&pageSize=${pageSize}`)]
    for (let last = pages[0]; last?.hasMoreRecords && pages.length < most; last = pages.at(-1))
      pages.push(
        await page(
          `startTimestamp=${startTimestamp}&pageSize=${pageSize}&nextPageToken=${encodeURIComponent(last.nextPageToken ?? '')}`,
        ),
      )
    return pages
  }
  const ngo = await keyFor(service, 'ngo', ['signals:write'], 'ngo')
  await ask(service, 'POST', '/v1/banks', ngo.headers, { name: 'mine' })
  const handIn = async (count: number, more: object = {}) => {
    const hashes = Array.from({ length: count }, randomHashText)
    const answer = await ask(service, 'POST', '/v1/banks/mine/signals', ngo.headers, {
      signals: hashes.map((hash) => ({ type: 'pdq', hash, ...more })),
    })
    return { hashes, ids: answer.json<{ signals: { signalId: string }[] }>().signals.map(({ signalId }) => signalId) }
  }
  return { service, clock, keyWith, get, page, fetchAll, handIn, ngo, reader }
}

const hashesOf = (pages: readonly Page[], status = 'Active') =>
  pages.flatMap(({ hashRecords }) =>
    hashRecords.flatMap(({ hashValue, hashStatus }) => (hashStatus === status ? [hashValue] : [])),
  )

t.test('what is withdrawn, held, invalidated or harmless is in no fetch, but as withdrawn for who fetched it', async (t) => {
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
  t.same(hashesOf(await fetchAll(10)).sort(), [hashes[1], hashes[3]].sort(), 'released: there again')
})

t.test('records say what a platform may know, and nothing that joins pictures', async (t) => {
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

t.test('a fetch that breaks off anywhere goes on by its last time, and loses nothing', async (t) => {
  const { fetchAll, handIn, clock } = await world(t)
  const { hashes } = await handIn(40)
  const had = new Set<string>()
  let timeS = 10
  for (let runs = 0; runs < 60 && had.size < 40; runs++) {
    clock.nowMs += 1000
    const [one] = await fetchAll(timeS, 3, 1)
    if (one === undefined) throw new Error('a fetch has a page')
    t.ok(one.nextSetTimestamp >= timeS, 'times never go back')
    for (const hash of hashesOf([one])) had.add(hash)
    timeS = one.nextSetTimestamp
  }
  t.same(had, new Set(hashes))

  const whole = await fetchAll(timeS)
  clock.nowMs += 5000
  const later = await handIn(3)
  clock.nowMs -= 60_000 // a clock that is set back
  const after = await fetchAll(whole.at(-1)?.nextSetTimestamp ?? 0)
  t.same(hashesOf(after).sort(), later.hashes.sort(), 'what came since')
  const times = [...whole, ...after].map(({ nextSetTimestamp }) => nextSetTimestamp)
  t.same(times, [...times].sort(), 'whatever the clock does')
  for (const { hashRecords, nextSetTimestamp } of after)
    for (const record of hashRecords) t.equal(record.lastModtimestamp, nextSetTimestamp)

  const ahead = Math.floor(clock.nowMs / 1000) + 3600
  const last = (await fetchAll(ahead)).at(-1)
  t.match(last, { hasMoreRecords: false, nextPageToken: null })
  t.ok((last?.nextSetTimestamp ?? 0) >= ahead, 'a time that lies ahead is not taken back')
})

t.test('pages of the same second are all given again', async (t) => {
  const { fetchAll, handIn } = await world(t)
  const { hashes } = await handIn(30)
  const pages = await fetchAll(10, 4)
  t.ok(pages.length > 3)
  t.same(hashesOf(pages).sort(), [...hashes].sort(), 'each once, while it goes on by its tokens')
  t.equal(new Set(pages.map(({ nextSetTimestamp }) => nextSetTimestamp)).size, 1)
  const first = new Set(hashesOf(pages.slice(0, 1)))
  const again = await fetchAll(pages[0]?.nextSetTimestamp ?? 0, 4)
  t.same(new Set([...first, ...hashesOf(again)]), new Set(hashes), 'whoever had only the first of them misses none')
})

t.test('who may not fetch, and what cannot be asked', async (t) => {
  const { service, get, keyWith, reader, page, handIn } = await world(t)
  await handIn(40) // of five with random ids, all are on the first page in 0.7 % of runs
  const plain = 'startTimestamp=10&pageSize=2'
  refused(t, await get(plain, {}), 'key-missing')
  refused(t, await get(plain, { 'x-functions-key': withTypo(reader.key) }), 'key-invalid')
  refused(t, await get(plain, { 'x-functions-key': MARKER }), 'key-invalid')
  const asker = await keyWith(['match', 'signals:write', 'feedback'])
  refused(t, await get(plain, { 'x-functions-key': asker.key }), 'scope-missing')
  t.equal((await get(plain, reader.headers)).statusCode, 200, 'Bearer does as well')

  const { nextPageToken } = await page(plain)
  const own = await readFeed(service, reader.headers)
  const ownCursor = own.at(-1)
  const other = await keyWith(['feed'], 'other')
  const token = encodeURIComponent(nextPageToken ?? '')
  t.equal((await get(`${plain}&nextPageToken=${token}`)).statusCode, 200)
  refused(t, await get(`${plain}&nextPageToken=${token}`, { 'x-functions-key': other.key }), 'cursor-unknown', 'another’s')
  const foreign = ownCursor?.op === 'cursor' ? ownCursor.cursor : ''
  refused(t, await get(`${plain}&nextPageToken=${foreign}`), 'cursor-unknown', 'of another feed')
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
  t.equal((await get('')).statusCode, 200, 'with nothing said, everything')
  silent(t, service)
})

t.test('hashes and feedback are taken record by record', async (t) => {
  const { service, keyWith, fetchAll } = await world(t)
  const { key } = await keyWith(['signals:write', 'feedback', 'match'], 'platform')
  const post = (path: string, payload: object, shown: string = key) =>
    service.app.inject({ method: 'POST', url: `/stopncii/v1/${path}`, headers: { 'x-functions-key': shown }, payload })
  const [hash, second] = [randomHashText(), randomHashText()]
  const record = (hashValue: unknown, signalType: unknown = 'StopNCIISignalType.ImagePDQ') => ({
    lastModtimestamp: 1_700_000_000,
    signalType,
    hashValue,
    CSPFeedbacks: [{ tags: ['x'], feedbackValue: 'Blocked' }],
  })
  const hashRecords = [
    record(hash),
    record(second, 'ImagePDQ'),
    record(hash.slice(32)),
    record(hash.toUpperCase()),
    record(MARKER),
    record(hash, 'VideoMD5'),
    record(hash, 'PhotoDNA'),
    record(hash, 7),
    { hashValue: hash },
    null,
    'x',
  ]
  const submitted = await post('SubmitHashes', { count: hashRecords.length, hashRecords })
  t.same(submitted.json(), {
    accepted: 2,
    refused: [
      ...[2, 3, 4].map((index) => ({ index, reason: 'request-invalid' })),
      { index: 5, reason: 'signal-type-unsupported' },
      ...[6, 7, 8, 9, 10].map((index) => ({ index, reason: 'request-invalid' })),
    ],
  })
  t.same(hashesOf(await fetchAll(10)).sort(), [hash, second].sort())

  const hers = await caseWithPicture(service)
  const said = (hashValue: unknown, feedbackValue: unknown) => ({ tags: [], feedbackValue, hashValue })
  const hashFeedbacks = [
    said(hers.hash, 'PendingReview'),
    said(hers.hash, 'Blocked'),
    said(hers.hash, 'None'),
    said(hers.hash, 'Undefined'),
    said(hers.hash.slice(1), 'Blocked'),
    said(randomHashText(), 'Blocked'),
    said(hers.hash, 'PendingReview'),
    said(hers.hash, 'Withdrawn'),
    said(hash, 'Deleted'),
  ]
  const feedback = await post('SubmitFeedback', { count: hashFeedbacks.length, hashFeedbacks })
  t.same(feedback.json(), {
    accepted: 3,
    refused: [
      { index: 2, reason: 'feedback-without-effect' },
      { index: 3, reason: 'request-invalid' },
      { index: 4, reason: 'request-invalid' },
      { index: 5, reason: 'signal-unknown' },
      { index: 6, reason: 'feedback-conflict' },
      { index: 7, reason: 'signal-unknown' },
    ],
  })
  const { headers } = await operator(service)
  const worth = await ask(service, 'GET', `/v1/signals/${hers.imageId}`, headers)
  t.match(worth.json(), { provenance: { confirmations: 1 } }, 'counts as the platform’s')
  t.same(
    hashesOf(await fetchAll(10)).sort(),
    [hers.hash, second].sort(),
    'what it took back is gone; hers is not its to take',
  )
  const speaker = await keyWith(['feedback'])
  for (const taking of ['Withdrawn', 'Deleted']) {
    const answer = await post('SubmitFeedback', { hashFeedbacks: [said(second, taking)] }, speaker.key)
    t.same(answer.json(), { accepted: 0, refused: [{ index: 0, reason: 'scope-missing' }] }, taking)
  }
  t.ok(hashesOf(await fetchAll(10)).includes(second), 'who may say something about it may not take it back')

  const guesses = { hashFeedbacks: [said(hers.hash, 'Blocked'), said(randomHashText(), 'Blocked')] }
  t.same(
    (await post('SubmitFeedback', guesses, speaker.key)).json(),
    { accepted: 0, refused: [0, 1].map((index) => ({ index, reason: 'scope-missing' })) },
    'who may not ask learns nothing of what is registered',
  )
  await post('SubmitFeedback', guesses, (await keyWith(['feedback'])).key)
  const still = await ask(service, 'GET', `/v1/signals/${hers.imageId}`, headers)
  t.match(still.json(), { provenance: { confirmations: 1 } }, 'and raises no tier, with another key neither')
  const counted = await post('SubmitFeedback', guesses, (await keyWith(['feedback', 'match'], 'counted')).key)
  t.equal(counted.json<{ accepted: number }>().accepted, 1)

  refused(t, await post('SubmitHashes', { hashRecords: [] }, MARKER), 'key-invalid')
  refused(t, await post('SubmitHashes', { hashRecords }, (await keyWith(['feed', 'feedback'])).key), 'scope-missing')
  refused(t, await post('SubmitFeedback', { hashFeedbacks }, (await keyWith(['feed'])).key), 'scope-missing')
  for (const body of [{}, { hashRecords: {} }, { hashRecords: Array.from({ length: 1001 }, () => record(hash)) }])
    refused(t, await post('SubmitHashes', body), 'request-invalid')
  t.equal((await post('SubmitHashes', { count: 0, hashRecords: [] })).statusCode, 200)
  silent(t, service)
})
