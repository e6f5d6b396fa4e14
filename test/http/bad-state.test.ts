// Requests in a wrong state, by a wrong caller or too large get a clear answer and leave every value in the store unchanged.

import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { visitHandoffs } from '../../src/handoff/visit.js'
import { HashImageJob } from '../../src/jobs/hash-image-job.js'
import { answerFor } from '../../workers/media/answer.js'
import { imagePart, images, multipart } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { childrenOf } from '../helpers/processes.js'
import { type Answer, MARKER, refused } from '../helpers/refusal.js'
import { del, otherPin, post, redisOf, silent } from '../helpers/requests.js'
import { keyFor, openCase, RETENTION_MS, randomHashText, startService, until } from '../helpers/service.js'
import { ask, caseWithPicture, feedback, matchesOf, matchIdOf, platform } from '../helpers/trust.js'
import { everythingIn } from '../helpers/unchanged.js'
import { startWorkers } from '../helpers/workers.js'

async function world(t: Test, options: Parameters<typeof startService>[1] = {}) {
  const service = await startService(t, options)
  return { service, app: service.app, redis: await redisOf(t, service) }
}

/** Takes a copy of the store. The function that it returns compares the store with it. */
async function remembered(t: Test, redis: Redis) {
  const before = await everythingIn(redis)
  return async (what: string) => t.same(await everythingIn(redis), before, `${what}: the store is as it was`)
}

/** Shared by the tests that need no clock of their own. */
let kept: ReturnType<typeof world> | undefined
function shared() {
  kept ??= world(t)
  return kept
}

let started: ReturnType<typeof startWorkers> | undefined
async function workers() {
  started ??= startWorkers(t, (await shared()).service.redis)
  return started
}

const QUEUE = '{tabir}:hash-image'

/** A case and an upload to it that has not been answered. */
async function pictureUnderWay(t: Test) {
  const { service, app, redis } = await shared()
  const her = await openCase(app)
  /** A new form for each request: the server overwrites the bytes it receives. */
  const form = async () => images([await scene(1)])
  /** Workers may change the case meanwhile. No picture may be stored. */
  const pictures = async () => ({
    kept: (await redis.keys('{tabir}:*')).filter((name) =>
      /:(?:images|details|trust-statuses):|:case:\w+:images$/.test(name),
    ),
    told: await redis.xlen('{tabir}:changes'),
  })
  return {
    service,
    redis,
    async begin() {
      const { payload, headers } = await form()
      return app.inject({ method: 'POST', url: `${her.url}/images`, payload, headers: { ...her.headers, ...headers } })
    },
    /** Withdraws the case, then lets the upload continue. */
    async withdrawn(answering: Promise<Answer>, goOn: () => unknown) {
      const receipt = await del(app, her.url, her.headers)
      t.match(receipt.json(), { state: 'withdrawn', images: 0, hashes: 0 }, 'the receipt counts no picture')
      const before = await pictures()
      await goOn()
      refused(t, await answering, 'case-withdrawn')
      t.same(await pictures(), before, 'no picture is stored')
      t.match((await app.inject(her)).json(), { state: /^(withdrawn|erased)$/, images: 0 })
      t.same((await del(app, her.url, her.headers)).json(), receipt.json(), 'the receipt is unchanged')
    },
    /** Whether a query finds the picture. Needs workers. */
    async isFound() {
      const asking = await keyFor(service, 'platform', ['match'])
      const { payload, headers } = await form()
      const asked = { method: 'POST', url: '/v1/match/images', payload, headers: { ...asking.headers, ...headers } } as const
      const answer = await app.inject(asked)
      return answer.json<{ results: { matches: unknown[] }[] }>().results.some(({ matches }) => matches.length > 0)
    },
  }
}

t.test('a picture that a worker fetched before the withdrawal of its case is not stored', async (t) => {
  const { redis, begin, withdrawn } = await pictureUnderWay(t)
  const answering = begin()
  await until(async () => (await redis.zcard(`${QUEUE}:prioritized`)) === 1)
  const [id] = await redis.zrange(`${QUEUE}:prioritized`, '0', '-1')
  const { handoffUrl, ticket } = HashImageJob.parse(JSON.parse((await redis.hget(`${QUEUE}:${id}`, 'data')) ?? ''))
  const visit = visitHandoffs()
  t.teardown(() => visit.close())
  const image = await visit.take(handoffUrl, ticket)
  t.ok(image, 'it was there')
  const answer = await answerFor(Buffer.concat(image ?? []), 'register')
  await withdrawn(answering, async () =>
    t.ok(await visit.answer(handoffUrl, ticket, answer), 'the hand-off still waits for the answer'),
  )
  await redis.del(`${QUEUE}:prioritized`)
})

t.test('a picture that waits in the queue when its case is withdrawn is not stored', async (t) => {
  const { redis, begin, withdrawn, isFound } = await pictureUnderWay(t)
  const answering = begin()
  await until(async () => (await redis.zcard(`${QUEUE}:prioritized`)) === 1)
  await withdrawn(answering, workers)
  t.equal(await isFound(), false)
})

t.test('a picture that a child is hashing when its case is withdrawn is not stored', async (t) => {
  const { redis, begin, withdrawn, isFound } = await pictureUnderWay(t)
  const worker = await workers()
  const children = descendantsOf(worker.pid ?? 0)
  t.ok(children.length > 0)
  for (const pid of children) process.kill(pid, 'SIGSTOP')
  const answering = begin()
  await until(async () => (await redis.llen(`${QUEUE}:active`)) === 1)
  await withdrawn(answering, () => {
    for (const pid of children) process.kill(pid, 'SIGCONT')
  })
  t.equal(await isFound(), false)
})

function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)])
}

t.test('concurrent withdrawals at two processes give one receipt and one set of changes', async (t) => {
  const { service, app, redis } = await shared()
  const second = await startService(t, { redis: service.redis })
  const given = (count: number) => ({
    images: Array.from({ length: count }, () => ({ signals: [{ type: 'pdq', hash: randomHashText(), quality: 80 }] })),
  })
  const open = async () => {
    const her = await openCase(app)
    await post(app, `${her.url}/hashes`, given(5), her.headers)
    return her
  }
  const [alone, twice] = [await open(), await open()]
  const changes = async (act: () => Promise<unknown>) => {
    const before = await redis.xlen('{tabir}:changes')
    await act()
    return (await redis.xlen('{tabir}:changes')) - before
  }
  const once = await changes(() => del(app, alone.url, alone.headers))
  const answers: Awaited<ReturnType<typeof del>>[] = []
  const atOnce = await changes(async () => {
    const asked = Array.from({ length: 8 }, (_, i) => del(i % 2 === 0 ? app : second.app, twice.url, twice.headers))
    answers.push(...(await Promise.all(asked)))
  })
  for (const answer of answers) {
    t.equal(answer.statusCode, 200)
    t.same(answer.json(), answers[0]?.json(), 'one receipt')
  }
  t.match(answers[0]?.json(), { images: 5, hashes: 5 })
  t.equal(atOnce, once, 'every process gets the changes once')
  const before = await everythingIn(redis)
  t.same((await del(app, twice.url, twice.headers)).json(), answers[0]?.json())
  t.same(await everythingIn(redis), before, 'a later withdrawal changes nothing')
})

t.test('a context that is empty or longer than 256 bytes is refused on every route, and changes nothing', async (t) => {
  const { service, app, redis } = await shared()
  const one = await platform(service, 'one')
  const { hash } = await caseWithPicture(service)
  const context = MARKER.padEnd(10_000, 'x')
  await matchesOf(service, one.headers, hash)
  await workers()
  await service.services.settled()
  const same = await remembered(t, redis)
  const signals = [{ type: 'pdq', hash }]
  refused(t, await post(app, '/v1/match', { queries: [{ context, signals }] }, one.headers), 'request-invalid')
  refused(t, await post(app, '/v1/match', { context, queries: [{ signals }] }, one.headers), 'request-invalid')
  refused(t, await post(app, '/v1/watch', { watches: [{ context, signals }] }, one.headers), 'request-invalid')
  for (const text of [context, 'x'.repeat(257), '']) {
    const form = multipart([imagePart(await scene(1)), { name: 'context', bytes: text }])
    const headers = { ...one.headers, ...form.headers }
    const answer = await app.inject({ method: 'POST', url: '/v1/match/images', payload: form.payload, headers })
    refused(t, answer, 'request-invalid', 'in a form')
  }
  await service.services.settled()
  await same('a context of 10 kB')
  silent(t, service)
})

t.test('concurrent guesses of a PIN at two processes are all counted and change nothing else of the case', async (t) => {
  const { service, app, redis } = await shared()
  const second = await startService(t, { redis: service.redis })
  const her = await caseWithPicture(service)
  const same = await remembered(t, redis)
  const timeLines = await Promise.all(
    (await redis.keys('{tabir}:case:*:events')).map(async (key) => ({ key, dump: await redis.dumpBuffer(key) })),
  )
  const guesses = await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      (i % 2 === 0 ? app : second.app).inject({
        method: 'POST',
        url: `/v1/cases/${her.caseNumber}/tokens`,
        remoteAddress: `192.0.2.${i}`,
        payload: { pin: otherPin(her.pin) },
      }),
    ),
  )
  for (const guess of guesses) refused(t, guess, 'case-unknown')
  t.match((await app.inject(her)).json(), { state: 'active', images: 1 }, 'her token works as before')
  const cases = await redis.keys('{tabir}:case:*')
  for (const key of cases.filter((each) => /:case:[^:]+$/.test(each))) {
    const [counted, shown] = await redis.hmget(key, 'pinGuesses', 'failureEvents')
    if (shown == null) continue
    t.equal(counted, '60')
    await redis.hdel(key, 'pinGuesses', 'failureDay', 'failures', 'failureEvents')
    t.equal(
      (await redis.xrange(`${key}:events`, '-', '+')).length,
      3,
      'opening, registration and one event for failed attempts',
    )
  }
  for (const { key, dump } of timeLines) await redis.restore(key, 0, dump, 'REPLACE')
  await redis.del('{tabir}:pins-tried')
  await same('guessing')
})

t.test('feedback, attesting and reading by a match id of another tenant change nothing', async (t) => {
  const { service, redis } = await shared()
  const her = await caseWithPicture(service)
  const [one, other] = [await platform(service, 'one'), await platform(service, 'other')]
  const ngo = await keyFor(service, 'ngo', ['match', 'feedback'], 'ngo')
  const matchId = await matchIdOf(service, one.headers, her.hash)
  await service.services.settled()
  const same = await remembered(t, redis)
  const url = `/v1/matches/${matchId}`
  for (const said of [{ verdict: 'blocked' }, { verdict: 'disputed', reason: 'other' }])
    refused(t, await ask(service, 'POST', `${url}/feedback`, other.headers, said), 'match-unknown')
  refused(t, await ask(service, 'GET', url, other.headers), 'match-unknown')
  refused(t, await ask(service, 'POST', `${url}/attestation`, ngo.headers), 'match-unknown')
  await same('another tenant’s match id')
})

t.test('an expired case refuses every change and the store stays as it was', async (t) => {
  const clock = { nowMs: Date.now() }
  const { service, app, redis } = await world(t, { now: () => clock.nowMs })
  const her = await caseWithPicture(service)
  const one = await platform(service, 'one')
  await feedback(service, one, her.hash, { verdict: 'disputed', reason: 'other' })
  await service.services.settled()
  clock.nowMs += RETENTION_MS
  const same = await remembered(t, redis)
  const given = { images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 80 }] }] }
  const notice = { laws: ['my-onsa'], statements: ['goodFaith', 'accurate'], actingAs: 'self' }
  const asked = [
    ['POST', '/hashes', given],
    ['POST', '/renewals', undefined],
    ['POST', '/pin', undefined],
    ['PUT', '/complaint', { reference: 'RPT 1234' }],
    ['PUT', '/notice', notice],
    ['PUT', `/images/${her.imageId}/answer`, { answer: 'added-by-mistake' }],
  ] as const
  for (const [method, path, body] of asked) {
    const answer = await ask(service, method, her.url + path, her.headers, body)
    refused(t, answer, 'case-expired', `${method} ${path}`)
    await same(`${method} ${path}`)
  }
  t.match((await app.inject(her)).json(), { state: 'expired', images: 0 })
})
