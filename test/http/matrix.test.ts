// Every route, as the description that the routes give of themselves has it, by everybody who does not belong there: exactly one answer for
// each kind of stranger, in the same words and as fast.

import { randomUUID } from 'node:crypto'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { SCOPES } from '../../src/domain/organisations/access.js'
import type { ProblemCode } from '../../src/domain/problem.js'
import { PROBLEMS } from '../../src/http/problem-table.js'
import { createApiKey } from '../../src/services/keys/access.js'
import { type ApiKey, createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import { FOREIGN_ROUTES } from '../fuzz/foreign.js'
import { storeAt } from '../helpers/redis.js'
import { MARKER, refused, withoutInstance } from '../helpers/refusal.js'
import { Description, forged, guardedRoutes, post, UNKNOWN_CASE } from '../helpers/requests.js'
import {
  keyFor,
  openCase,
  randomHashText,
  startService,
  type TestService,
  until,
  withBitsFlipped,
} from '../helpers/service.js'
import { caseWithPicture, matchIdOf } from '../helpers/trust.js'

type Headers = Readonly<Record<string, string>>

const bearer = (key: string): Headers => ({ authorization: `Bearer ${key}` })

/** Keys that open nothing, each for a reason of its own, and what is answered to whoever shows one. */
async function strangers(service: TestService): Promise<Readonly<Record<string, { headers: Headers; code: ProblemCode }>>> {
  const store = await openStore(storeAt(service.redis.socket))
  const apiKeys = createApiKeyStore(store)
  const nowMs = Date.now()
  const made = async (change: Partial<ApiKey>) => {
    const { key, keyId } = await createApiKey(apiKeys, {
      org: 'mine',
      kind: 'ngo',
      scopes: new Set(SCOPES),
      env: 'test',
      nowMs,
    })
    const entry = { act: 'key.restored', by: 'operator', about: { keyId }, atMs: nowMs } as const
    await apiKeys.change(keyId, (before) => ({ key: { ...before, ...change } }), entry)
    return { key, keyId }
  }
  const { key: good } = await made({})
  const expired = await made({ expiresAtMs: nowMs - 1 })
  const revoked = await made({})
  await apiKeys.revoke(revoked.keyId, nowMs)
  const elsewhere = await made({ networks: ['192.0.2.0/24'] })
  const suspended = await made({ suspendedAtMs: nowMs })
  const nobodys = await made({})
  await apiKeys.revoke(nobodys.keyId, nowMs)
  await store.close()
  // What was written last is known last.
  await until(async () => (await post(service.app, '/v1/match', {}, bearer(suspended.key))).statusCode === 403)
  await until(async () => (await post(service.app, '/v1/match', {}, bearer(nobodys.key))).statusCode === 401)
  const code = 'key-invalid'
  return {
    'no key': { headers: {}, code: 'key-missing' },
    'a key of nobody': { headers: bearer(nobodys.key), code },
    'the wrong secret': { headers: bearer(forged(good)), code },
    'an expired key': { headers: bearer(expired.key), code },
    'a revoked key': { headers: bearer(revoked.key), code },
    'a key from elsewhere': { headers: bearer(elsewhere.key), code },
    'a suspended key': { headers: bearer(suspended.key), code: 'key-suspended' },
  }
}

/** What asks for no key, and why. Whatever is described and not here has to refuse strangers. */
const FOR_EVERYBODY: Readonly<Record<string, string>> = {
  'GET /health': 'probes have no key',
  'GET /health/live': 'probes have no key',
  'GET /health/ready': 'probes have no key',
  'GET /health/index': 'as ready says, with numbers of the index',
  'GET /problems/{code}': 'what the type of a refusal leads to',
  'POST /v1/cases': 'nobody has to say who she is',
  'GET /v1/cases/challenge': 'before a case is opened',
  'POST /v1/cases/{caseNumber}/tokens': 'number and PIN are the key',
  'GET /v1/receipts/key': 'for whoever holds a receipt',
  'GET /v1/notices/laws': 'texts of the law',
}
/** The same for what other tools ask. */
const FOREIGN_FOR_EVERYBODY = ['/status', '/status/live', '/site-map']

t.test('no route is left out: what is not guarded is on a short list, with its reason', async (t) => {
  const { app } = await startService(t, { hydrated: false })
  await app.ready()
  const { paths } = Description.parse(app.swagger())
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const guarded = new Set(guardedRoutes(app).map(({ name }) => name))
  t.same(described.filter((name) => !guarded.has(name)).sort(), Object.keys(FOR_EVERYBODY).sort())
})

t.test('every route refuses every stranger with the one answer for his kind', async (t) => {
  const service = await startService(t)
  const { app } = service
  const kinds = await strangers(service)
  const scoped = await Promise.all(SCOPES.map(async (scope) => ({ scope, ...(await keyFor(service, 'narrow', [scope])) })))
  const bodies = new Map<string, unknown>()
  const sameAsEver = (code: string, body: string, what: string) => {
    const first = bodies.get(code) ?? withoutInstance(body)
    bodies.set(code, first)
    if (JSON.stringify(withoutInstance(body)) !== JSON.stringify(first)) t.fail(`${what}: other words`)
  }
  let asked = 0
  for (const { method, url, scope, name } of guardedRoutes(app)) {
    for (const [kind, { headers, code }] of Object.entries(kinds)) {
      const own = Object.keys(headers).length === 0
      const expected = scope !== 'case' || code === 'key-suspended' ? code : own ? 'token-missing' : 'case-unknown'
      const answer = await app.inject({ method, url, headers: { ...headers } })
      asked++
      if (!isRefusal(answer, expected)) t.fail(`${name}, ${kind}: ${answer.statusCode} ${answer.body}`)
      sameAsEver(expected, answer.body, `${name}, ${kind}`)
    }
    for (const { scope: other, headers } of scoped) {
      if (other === scope || scope === 'key') continue
      const expected = scope === 'case' ? 'case-unknown' : 'scope-missing'
      const answer = await app.inject({ method, url, headers })
      asked++
      if (!isRefusal(answer, expected)) t.fail(`${name}, with ${other}: ${answer.statusCode} ${answer.body}`)
      // It names the scope, and nothing else differs.
      sameAsEver(expected === 'scope-missing' ? `${expected} ${scope}` : expected, answer.body, `${name}, with ${other}`)
      if (expected === 'scope-missing' && answer.json<{ scope: string }>().scope !== scope) t.fail(`${name}: another scope`)
    }
  }
  t.ok(asked > 400, `${asked} combinations`)
  const codes = new Set([...bodies.keys()].map((key) => key.split(' ')[0]))
  t.same([...codes].sort(), [
    'case-unknown',
    'key-invalid',
    'key-missing',
    'key-suspended',
    'scope-missing',
    'token-missing',
  ])
})

function isRefusal(answer: LightMyRequestResponse, code: ProblemCode): boolean {
  return answer.statusCode === PROBLEMS[code].status && answer.json<{ code: string }>().code === code
}

t.test('so does every route of other tools, with the key where their clients have it', async (t) => {
  const service = await startService(t)
  const kinds = await strangers(service)
  const bodies = new Map<string, string>()
  const open = new Set<string>()
  for (const { method, path } of FOREIGN_ROUTES) {
    const isInPath = path.includes('{key}')
    for (const [kind, { headers, code }] of Object.entries(kinds)) {
      const key = headers['authorization']?.slice('Bearer '.length) ?? 'x'
      const url = path.replaceAll(/\{(\w+)\}/g, (_, name) => (name === 'key' ? key : MARKER))
      const answer = await service.app.inject({ method, url, ...(!isInPath && { headers: { ...headers } }) })
      if (answer.statusCode < 400) open.add(path.slice(path.lastIndexOf('}/') + 1).replace(/^\/\//, '/'))
      else {
        if (answer.statusCode !== PROBLEMS[code].status) t.fail(`${method} ${path}, ${kind}: ${answer.body}`)
        const tool = path.startsWith('/stopncii') ? 'StopNCII' : 'HMA'
        const body = tool === 'HMA' ? answer.body : JSON.stringify(withoutInstance(answer.body))
        const first = bodies.get(`${tool} ${code}`) ?? body
        bodies.set(`${tool} ${code}`, first)
        if (body !== first) t.fail(`${method} ${path}, ${kind}: other words`)
      }
    }
  }
  t.same([...open].sort(), [...FOREIGN_FOR_EVERYBODY].sort())
  t.equal(bodies.size, 6)
})

/** A body that each route would take, where one is needed to come as far as the thing that is named. */
const BODIES: Readonly<Record<string, () => InjectOptions['payload']>> = {
  'POST /v1/matches/{matchId}/feedback': () => ({ verdict: 'blocked' }),
  'PATCH /v1/banks/{bank}': () => ({ readers: [] }),
  'POST /v1/banks/{bank}/signals': () => ({ signals: [{ type: 'pdq', hash: randomHashText() }] }),
  'PATCH /v1/webhooks/{webhookId}': () => ({ enabled: false }),
  'POST /v1/cases/{caseNumber}/hashes': () => ({
    images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }] }],
  }),
  'PUT /v1/cases/{caseNumber}/images/{imageId}/answer': () => ({ answer: 'added-by-mistake' }),
  'PUT /v1/cases/{caseNumber}/complaint': () => ({ reference: 'police 7' }),
  'POST /v1/cases/{caseNumber}/complaint/checks': () => ({ reference: 'police 7' }),
}

t.test(
  'what belongs to another organisation looks like what does not exist, on every route that names something',
  async (t) => {
    const service = await startService(t)
    const { app } = service
    // An operator may see signals of everybody, so `admin` is not among the scopes of the other one.
    const others = SCOPES.filter((scope) => scope !== 'admin')
    const mine = await keyFor(service, 'mine', others, 'ngo')
    const theirs = await keyFor(service, 'theirs', others, 'ngo')
    const another = await openCase(app)
    const { ids, made } = await thingsOf(service, mine.headers)
    const { paths } = Description.parse(app.swagger())
    let compared = 0
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        const name = `${method.toUpperCase()} ${path}`
        const isGuarded = (operation.security?.length ?? 0) > 0
        const isAdmins = operation.security?.some((way) => way['organisationKey']?.includes('admin')) === true
        const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, param]) => param ?? '')
        if (!isGuarded || isAdmins || names.length === 0) continue
        for (const param of names) if (!(param in ids)) t.fail(`${name}: no ${param} to ask with; make one in thingsOf`)
        const isCases = operation.security?.some((way) => 'caseToken' in way) === true
        for (const { headers } of isCases ? [theirs, another] : [theirs]) {
          const asking = (values: Readonly<Record<string, string>>): InjectOptions => ({
            method: method.toUpperCase() as 'GET',
            url: path.replaceAll(/\{(\w+)\}/g, (_, param) => values[param] ?? ''),
            headers,
            ...(BODIES[name] !== undefined && { payload: BODIES[name]() ?? '' }),
          })
          const foreign = await app.inject(asking(ids))
          const missing = await app.inject(asking(made))
          compared++
          t.equal(foreign.statusCode, missing.statusCode, name)
          t.ok(foreign.statusCode >= 400, `${name}: ${foreign.statusCode}`)
          t.same(withoutInstance(foreign.body), withoutInstance(missing.body), `${name}: the same words`)
          const spread = await spreadMs(app, [asking(ids), asking(made)])
          if (spread >= NOISE_MS) t.fail(`${name}: ${spread} ms tell them apart`)
        }
      }
    }
    t.ok(compared >= 30, `${compared} combinations`)
  },
)

/** One of each thing, of one organisation, and an id of the same form for each that nobody has. */
async function thingsOf(service: TestService, headers: Headers) {
  const { app } = service
  const send = async (method: 'POST', url: string, payload: object) =>
    (await app.inject({ method, url, headers: { ...headers }, payload })).json<Record<string, unknown>>()
  await send('POST', '/v1/banks', { name: 'ours', readers: [] })
  const hash = randomHashText()
  const added = await send('POST', '/v1/banks/ours/signals', { signals: [{ type: 'pdq', hash }] })
  const [signal] = added['signals'] as { signalId: string }[]
  const { caseNumber, imageId } = await caseWithPicture(service)
  const matchId = await matchIdOf(service, headers, hash)
  const webhook = await send('POST', '/v1/webhooks', { url: 'https://example.com/hook', events: ['match.found'] })
  const imported = await app.inject({
    method: 'POST',
    url: '/v1/banks/ours/imports',
    headers: { ...headers, 'content-type': 'text/plain' },
    payload: `${randomHashText()}\n`,
  })
  const watched = await send('POST', '/v1/watch', {
    days: 1,
    watches: [{ reference: 'upload', signals: [{ type: 'pdq', hash: randomHashText() }] }],
  })
  const [watch] = watched['watches'] as { watchId: string }[]
  const ids = {
    bank: 'ours',
    watchId: watch?.watchId ?? '',
    importId: imported.json<{ importId?: string }>().importId ?? '',
    signalId: signal?.signalId ?? '',
    caseNumber,
    imageId,
    matchId,
    webhookId: String(webhook['webhookId']),
    deliveryId: randomUUID(),
  }
  const made = {
    bank: 'none',
    importId: randomUUID(),
    watchId: randomUUID(),
    signalId: randomUUID(),
    caseNumber: UNKNOWN_CASE,
    imageId: randomUUID(),
    matchId: `${matchId.startsWith('A') ? 'B' : 'A'}${matchId.slice(1)}`,
    webhookId: randomUUID(),
    deliveryId: randomUUID(),
  }
  return { ids, made }
}

/** Less than the difference between a look-up in memory and a question to the store. */
const NOISE_MS = 1
const MIN_ROUNDS = 6
const MAX_ROUNDS = 200

/**
 * How far the fastest answers to these requests are apart, asked in turns: what a busy machine adds to some is not what the code adds to
 * all. So it is asked again while there is a difference; one that the code makes stays.
 */
async function spreadMs(app: FastifyInstance, requests: readonly InjectOptions[]): Promise<number> {
  const best = requests.map(() => Number.POSITIVE_INFINITY)
  const spread = () => Math.max(...best) - Math.min(...best)
  for (let round = 0; round < MIN_ROUNDS || (round < MAX_ROUNDS && spread() >= NOISE_MS); round++) {
    for (const [at, request] of requests.entries()) {
      const startedAt = performance.now()
      await app.inject(request)
      best[at] = Math.min(best[at] ?? 0, performance.now() - startedAt)
    }
  }
  return spread()
}

t.test('on no route does the time of a refusal tell why', async (t) => {
  const service = await startService(t)
  const { app } = service
  const kinds = Object.entries(await strangers(service)).filter(([, { code }]) => code === 'key-invalid')
  for (const { method, url, scope, name } of guardedRoutes(app)) {
    // Whether he showed anything, he knows.
    const those = kinds.filter(([kind]) => scope !== 'case' || kind !== 'no key')
    const spread = await spreadMs(
      app,
      those.map(([, { headers }]) => ({ method, url, headers: { ...headers } })),
    )
    if (spread >= NOISE_MS) t.fail(`${name}: ${spread} ms between the fastest`)
  }
})

t.test('no time tells who may not ask what matches', async (t) => {
  const service = await startService(t)
  const { app } = service
  const her = await caseWithPicture(service)
  const outsider = await keyFor(service, 'outsider', ['feedback'])
  const asked = [her.hash, randomHashText()].map(
    (hash) =>
      ({
        method: 'POST',
        url: '/v1/match',
        headers: outsider.headers,
        payload: { queries: [{ signals: [{ type: 'pdq', hash }] }] },
      }) as const,
  )
  for (const request of asked) refused(t, await app.inject(request), 'scope-missing')
  t.ok((await spreadMs(app, asked)) < NOISE_MS, 'at the door')

  // Whoever may hand in needs no key at all: he opens a case, and looks how long his own pictures take.
  const own = await openCase(app)
  const partner = await keyFor(service, 'partner', ['signals:write'], 'ngo')
  await post(app, '/v1/banks', { name: 'mine' }, partner.headers)
  const handedIn = (hash: string): Readonly<Record<string, InjectOptions>> => ({
    'into a case': {
      method: 'POST',
      url: `${own.url}/hashes`,
      headers: own.headers,
      payload: { images: [{ signals: [{ type: 'pdq', hash, quality: 90 }] }] },
    },
    'into a bank': {
      method: 'POST',
      url: '/v1/banks/mine/signals',
      headers: partner.headers,
      payload: { signals: [{ type: 'pdq', hash, quality: 90 }] },
    },
  })
  const near = handedIn(withBitsFlipped(her.hash, 3))
  const far = handedIn(randomHashText())
  for (const [where, request] of Object.entries(near)) {
    const other = far[where] ?? {}
    const said = [(await app.inject(request)).body, (await app.inject(other)).body]
    const [one, two] = said.map((body) => body.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'an id'))
    t.equal(one, two, `${where}: the same answer`)
    t.ok((await spreadMs(app, [request, other])) < NOISE_MS, where)
  }
})
