// Hashes and feedback that clients of the StopNCII interface submit.

import t from 'tap'
import { MARKER, refused } from '../helpers/refusal.js'
import { silent } from '../helpers/requests.js'
import { randomHashText } from '../helpers/service.js'
import { ask, caseWithPicture, operator } from '../helpers/trust.js'
import { hashesOf, world } from './stopncii-world.js'

t.test('submitted hashes and feedback are accepted or refused record by record, with the scopes they need', async (t) => {
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
    record(hash, 'VideoTMK'),
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
      ...[2, 3, 4, 5].map((index) => ({ index, reason: 'request-invalid' })),
      { index: 6, reason: 'signal-type-unsupported' },
      ...[7, 8, 9, 10, 11].map((index) => ({ index, reason: 'request-invalid' })),
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
  t.match(worth.json(), { provenance: { confirmations: 1 } }, 'counted for the platform')
  t.same(hashesOf(await fetchAll(10)).sort(), [hers.hash, second].sort(), 'its own hash is withdrawn, that of a case is not')
  const speaker = await keyWith(['feedback'])
  for (const taking of ['Withdrawn', 'Deleted']) {
    const answer = await post('SubmitFeedback', { hashFeedbacks: [said(second, taking)] }, speaker.key)
    t.same(answer.json(), { accepted: 0, refused: [{ index: 0, reason: 'scope-missing' }] }, taking)
  }
  t.ok(hashesOf(await fetchAll(10)).includes(second), 'feedback alone does not allow a withdrawal')

  const guesses = { hashFeedbacks: [said(hers.hash, 'Blocked'), said(randomHashText(), 'Blocked')] }
  t.same(
    (await post('SubmitFeedback', guesses, speaker.key)).json(),
    { accepted: 0, refused: [0, 1].map((index) => ({ index, reason: 'scope-missing' })) },
    'without match the answer does not show whether a hash is registered',
  )
  await post('SubmitFeedback', guesses, (await keyWith(['feedback'])).key)
  const still = await ask(service, 'GET', `/v1/signals/${hers.imageId}`, headers)
  t.match(still.json(), { provenance: { confirmations: 1 } }, 'it raises no tier, with another key either')
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

t.test('MD5 of a video is submitted, fetched, reported and withdrawn like PDQ', async (t) => {
  const { service, clock, keyWith, fetchAll, handIn } = await world(t)
  const { key, headers } = await keyWith(['signals:write', 'feedback', 'match'], 'platform')
  const post = async (path: string, payload: object) => {
    const answer = await service.app.inject({
      ...{ method: 'POST', url: `/stopncii/v1/${path}`, payload },
      headers: { 'x-functions-key': key },
    })
    return answer.json<object>()
  }
  const [md5, pdq] = [randomHashText().slice(32), randomHashText()]
  // The same bits as PDQ, which is another hash.
  const twice = md5 + md5
  const hashRecords = [
    { signalType: 'StopNCIISignalType.VideoMD5', hashValue: md5 },
    { signalType: 'ImagePDQ', hashValue: twice },
    { signalType: 'ImagePDQ', hashValue: pdq },
    { signalType: 'ImagePDQ', hashValue: md5 },
  ]
  const taken = await post('SubmitHashes', { hashRecords })
  t.same(taken, { accepted: 3, refused: [{ index: 3, reason: 'request-invalid' }] })
  await handIn(1)

  const recordsNow = async (sinceS: number) => {
    const pages = await fetchAll(sinceS)
    const records = pages.flatMap((page) => page.hashRecords)
    const shown = records.map(({ signalType, hashValue, hashStatus }) => `${signalType} ${hashValue} ${hashStatus}`)
    return { shown, timeS: pages.at(-1)?.nextSetTimestamp ?? 0 }
  }
  const first = await recordsNow(10)
  t.equal(first.shown.length, 4)
  for (const record of [`VideoMD5 ${md5} Active`, `ImagePDQ ${twice} Active`, `ImagePDQ ${pdq} Active`])
    t.ok(first.shown.includes(record), record)

  const said = (hashValue: string, feedbackValue: string) => ({ hashFeedbacks: [{ hashValue, feedbackValue, tags: [] }] })
  t.match(await post('SubmitFeedback', said(md5, 'Blocked')), { accepted: 1 })
  t.match(await post('SubmitFeedback', said(randomHashText().slice(32), 'Blocked')), {
    refused: [{ reason: 'signal-unknown' }],
  })

  clock.nowMs += 1000
  t.match(await post('SubmitFeedback', said(md5, 'Withdrawn')), { accepted: 1 })
  const next = await recordsNow(first.timeS)
  t.same(next.shown, [`VideoMD5 ${md5} Withdrawn`], 'the PDQ of the same bits stays')
  const asked = await ask(service, 'POST', '/v1/match', headers, {
    queries: [{ signals: [{ type: 'video_md5', hash: md5 }] }],
  })
  t.match(asked.json(), { results: [{ matches: [] }] })
  silent(t, service)
})
