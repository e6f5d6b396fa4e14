// While Redis is unavailable requests are refused in time and nothing is acknowledged. When it returns, everything works again.

import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { ProblemCode } from '../../src/domain/problem.js'
import { DEFAULT_FRESHNESS } from '../../src/services/index/readiness.js'
import { images } from '../helpers/multipart.js'
import { ownTime } from '../helpers/own-time.js'
import { scene } from '../helpers/pictures.js'
import { refused } from '../helpers/refusal.js'
import { codeOf, keyFor, openCase, randomHashText, startService, type TestService, until } from '../helpers/service.js'
import { startWorkers } from '../helpers/workers.js'

/** A request gives up on Redis after 3 s; the rest is for a busy machine. */
const ANSWERED_TIMEOUT_MS = 4500
const STALE_AFTER_MS = DEFAULT_FRESHNESS.staleAfterMs

t.test('while Redis is down requests are refused, and after its restart all acknowledged writes are there', async (t) => {
  const world = await open(t)
  const { service, her, hash } = world
  const texts = Array.from({ length: 20 }, randomHashText)
  const acknowledged = await Promise.all(texts.map((text) => answered(() => register(world, text))))
  t.same(new Set(acknowledged.map(({ statusCode }) => statusCode)), new Set([201]))
  const withdrawn = await openCase(service.app)
  const gone = randomHashText()
  t.equal((await answered(() => register({ ...world, her: withdrawn }, gone))).statusCode, 201)
  t.equal((await answered(() => service.app.inject({ method: 'DELETE', ...callOf(withdrawn) }))).statusCode, 200)

  service.redis.server.kill()
  await service.redis.server.exited

  await assertAway(t, world)
  await service.redis.reopen()
  await assertBack(t, world)

  t.match((await answered(() => service.app.inject(callOf(her)))).json(), { state: 'active', images: 22 })
  t.match((await answered(() => service.app.inject(callOf(withdrawn)))).json(), { state: 'withdrawn' })
  const found = await answered(() => match(world, [hash, gone]))
  t.match(found.json(), { results: [{ matches: [{ grade: 'near' }] }, { matches: [] }] })
})

t.test('the reason why Redis is unavailable is in the log and metrics, and in no answer', async (t) => {
  const service = await startService(t)
  const redis = new Redis(service.redis.socket)
  t.teardown(() => redis.disconnect())
  await redis.config('SET', 'maxmemory', '1')

  const answer = await service.app.inject({ method: 'POST', url: '/v1/cases', payload: { adult: true } })

  refused(t, answer, 'store-unavailable')
  t.notMatch(answer.body, /memory|OOM/)
  const line = service.log.find((text) => text.includes('"storeCause"')) ?? '{}'
  t.match(JSON.parse(line), { msg: 'request', code: 'store-unavailable', storeCause: 'out-of-memory' })
  const { body } = await service.app.inject({ url: '/metrics' })
  t.match(body, /^tabir_store_unavailable_total{cause="out-of-memory"} [1-9]/m)
  t.match(body, /^tabir_store_unavailable_total{cause="credentials"} 0$/m)
})

t.test('writes that were acknowledged just before Redis was killed survive', async (t) => {
  const world = await open(t)
  const kept: string[] = []
  let isKilled = false
  const work = Promise.all(
    Array.from({ length: 50 }, async () => {
      while (!isKilled) {
        const text = randomHashText()
        const { statusCode, body } = await register(world, text)
        if (statusCode === 201) kept.push(text)
        else
          t.equal(
            codeOf({ body }),
            'store-unavailable',
            world.service.log.findLast((line) => line.includes('"err"')) ?? 'no error',
          )
        if (statusCode !== 201) await sleep(100) // a busy machine may be too slow for so many at once
        if (kept.length < 200 || isKilled) continue
        isKilled = true
        world.service.redis.server.kill()
      }
    }),
  )
  await work
  await world.service.redis.server.exited
  await world.service.redis.reopen()
  await until(async () => (await ready(world)).statusCode === 200)

  const another = await startService(t, { redis: world.service.redis })
  const platform = await keyFor(another, 'another', ['match'])
  const asked = await match({ ...world, service: another, platform }, kept)
  const { results } = asked.json<{ results: { matches: { grade: string }[] }[] }>()
  t.equal(results.filter(({ matches }) => matches[0]?.grade === 'near').length, kept.length)
})

t.test('while Redis hangs requests are refused, and all works again when it continues', async (t) => {
  const world = await open(t)
  const redis = new Redis(world.service.redis.socket)
  t.teardown(() => redis.disconnect())
  const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1])

  process.kill(pid, 'SIGSTOP')
  try {
    await assertAway(t, world)
  } finally {
    process.kill(pid, 'SIGCONT')
  }

  await assertBack(t, world)
})

t.test('an api that was blocked for longer than its staleness limit answers the next query', async (t) => {
  const freshness = { ...DEFAULT_FRESHNESS, maxWaitMs: 60_000 } // on a busy machine Redis may answer late
  const service = await startService(t, { freshness })
  const { headers } = await keyFor(service, 'platform', ['match'])
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALE_AFTER_MS + 200)
  const answer = await service.app.inject({
    method: 'POST',
    url: '/v1/match',
    headers,
    payload: { queries: [{ signals: [{ type: 'pdq', hash: randomHashText() }] }] },
  })
  t.equal(answer.statusCode, 200, answer.body)
})

t.test('api and worker stop while Redis is unavailable', async (t) => {
  const service = await startService(t)
  const worker = await startWorkers(t, service.redis)
  t.teardown(() => worker.kill('SIGKILL'))
  service.redis.server.kill()
  await service.redis.server.exited

  const now = ownTime(t)
  const before = now()
  await service.app.close()
  await service.services.close()
  t.ok(now() - before < ANSWERED_TIMEOUT_MS, 'the api')

  worker.disconnect() // as if the supervisor died together with its Redis
  await t.resolves(
    until(() => worker.exitCode !== null),
    'the worker',
  )
})

/** Expects every request but liveness and metrics to be refused in time. */
async function assertAway(t: Test, world: World): Promise<void> {
  const { service, her, ngo, platform, picture } = world
  const { app } = service
  const now = ownTime(t)
  const goneAt = now()
  const stale = until(async () => codeOf(await match(world, [world.hash])) === 'store-unavailable').then(
    () => now() - goneAt,
  )
  const hers = (method: 'GET' | 'POST' | 'DELETE', path = '', payload?: object) =>
    app.inject({ method, url: her.url + path, headers: her.headers, ...(payload !== undefined && { payload }) })
  const upload = (url: string, headers: Record<string, string>) => {
    const body = images([picture])
    return app.inject({ method: 'POST', url, payload: body.payload, headers: { ...headers, ...body.headers } })
  }
  const signal = { signals: [{ type: 'pdq', hash: randomHashText() }] }

  const answers = await Promise.all(
    Object.entries({
      'open a case': () => app.inject({ method: 'POST', url: '/v1/cases', payload: { adult: true } }),
      'a token for a PIN': () => app.inject({ method: 'POST', url: `${her.url}/tokens`, payload: { pin: her.pin } }),
      'follow a case': () => hers('GET'),
      'withdraw a case': () => hers('DELETE'),
      'hand in a hash': () => register(world, randomHashText()),
      'hand in a picture': () => upload(`${her.url}/images`, her.headers),
      'ask about a picture': () => upload('/v1/match/images', platform.headers),
      'create a bank': () =>
        app.inject({ method: 'POST', url: '/v1/banks', payload: { name: 'new' }, headers: ngo.headers }),
      'hand in signals': () =>
        app.inject({ method: 'POST', url: '/v1/banks/mine/signals', payload: signal, headers: ngo.headers }),
    }).map(async ([what, ask]) => {
      const askedAt = now()
      const answer = await ask()
      return { what, answer, tookMs: now() - askedAt }
    }),
  )

  for (const { what, answer, tookMs } of answers) {
    refused(t, answer, 'store-unavailable', what)
    t.ok(tookMs < ANSWERED_TIMEOUT_MS, `${what}: ${Math.round(tookMs)} ms`)
  }
  const staleAfterMs = await stale
  t.ok(staleAfterMs < STALE_AFTER_MS + 1000, `matches are refused after ${Math.round(staleAfterMs)} ms`)
  for (let i = 0; i < 3; i++) await refusedAtOnce(t, 'store-unavailable', () => match(world, [world.hash]))
  await refusedAtOnce(t, 'store-unavailable', () => ready(world))
  t.equal((await app.inject({ url: '/health/live' })).statusCode, 200, 'liveness answers')
  t.equal((await app.inject({ url: '/metrics' })).statusCode, 200, 'metrics are available')
}

async function refusedAtOnce(t: Test, code: ProblemCode, ask: () => Promise<LightMyRequestResponse>): Promise<void> {
  const now = ownTime(t)
  const askedAt = now()
  refused(t, await ask(), code)
  t.ok(now() - askedAt < 500)
}

/** Expects everything to work again without any action. */
async function assertBack(t: Test, world: World): Promise<void> {
  const { service, her, platform, picture } = world
  const { app } = service
  await until(async () => (await ready(world)).statusCode === 200)

  t.match((await answered(() => match(world, [world.hash]))).json(), { results: [{ matches: [{ grade: 'near' }] }] })
  const fresh = randomHashText()
  t.equal((await answered(() => register(world, fresh))).statusCode, 201)
  t.match((await answered(() => match(world, [fresh]))).json(), { results: [{ matches: [{ grade: 'near' }] }] })
  const payload = { pin: her.pin }
  const token = await answered(() => app.inject({ method: 'POST', url: `${her.url}/tokens`, payload }))
  t.equal(token.statusCode, 201)
  const asked = await answered(() => {
    const body = images([picture])
    return app.inject({
      method: 'POST',
      url: '/v1/match/images',
      payload: body.payload,
      headers: { ...platform.headers, ...body.headers },
    })
  })
  t.equal(asked.statusCode, 200, 'a worker hashes again')
  const another = await openCase(app)
  t.equal((await answered(() => register({ ...world, her: another }, randomHashText()))).statusCode, 201)
  t.match((await answered(() => app.inject({ method: 'DELETE', ...callOf(another) }))).json(), {
    state: 'withdrawn',
    images: 1,
  })
}

/**
 * Retries like a client that is told to: this api gives Redis no more time than a real one, and a busy machine may need more. The connections that
 * follow, query and write each reconnect by themselves, every half a second at most. So an api that is ready by the first of them may still
 * wait for the others.
 */
async function answered(ask: () => Promise<LightMyRequestResponse>): Promise<LightMyRequestResponse> {
  let answer = await ask()
  await until(async () => {
    if (codeOf(answer) !== 'store-unavailable') return true
    answer = await ask()
    return false
  })
  return answer
}

type Case = Awaited<ReturnType<typeof openCase>>
type World = Awaited<ReturnType<typeof open>>

async function open(t: Test) {
  const service: TestService = await startService(t, { freshness: DEFAULT_FRESHNESS })
  const [picture] = await Promise.all([scene(500, { width: 320, height: 240 }), startWorkers(t, service.redis)])
  const ngo = await keyFor(service, 'ngo', ['signals:write'])
  const platform = await keyFor(service, 'platform', ['match'])
  await service.app.inject({ method: 'POST', url: '/v1/banks', payload: { name: 'mine' }, headers: ngo.headers })
  const her = await openCase(service.app)
  const hash = randomHashText()
  const world = { service, ngo, platform, her, hash, picture }
  t.equal((await answered(() => register(world, hash))).statusCode, 201)
  return world
}

function register({ service, her }: { service: { app: FastifyInstance }; her: Case }, hash: string) {
  const payload = { images: [{ signals: [{ type: 'pdq', hash, quality: 90 }] }] }
  return service.app.inject({ method: 'POST', url: `${her.url}/hashes`, payload, headers: her.headers })
}

function match({ service, platform }: Pick<World, 'service' | 'platform'>, hashes: readonly string[]) {
  const queries = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
  return service.app.inject({ method: 'POST', url: '/v1/match', payload: { queries }, headers: platform.headers })
}

function ready({ service }: Pick<World, 'service'>) {
  return service.app.inject({ url: '/health/ready' })
}

function callOf({ url, headers }: Case) {
  return { url, headers }
}
