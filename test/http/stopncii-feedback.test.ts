// Hashes and feedback that a client of StopNCII's interface sends.

import t from 'tap'
import { MARKER, refused } from '../helpers/refusal.js'
import { silent } from '../helpers/requests.js'
import { randomHashText } from '../helpers/service.js'
import { ask, caseWithPicture, operator } from '../helpers/trust.js'
import { hashesOf, world } from './stopncii-world.js'

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
