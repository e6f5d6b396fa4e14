import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { SCOPES } from '../../src/domain/organisations/access.js'
import type { ProblemCode } from '../../src/domain/problem.js'
import { PROBLEMS } from '../../src/http/problem-table.js'
import { createApiKey } from '../../src/services/keys/access.js'
import { type ApiKey, createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import { FOREIGN_ROUTES } from '../fuzz/foreign.js'
import { NOISE_MS, spreadMs } from '../helpers/answer-times.js'
import { storeAt } from '../helpers/redis.js'
import { MARKER, withoutInstance } from '../helpers/refusal.js'
import { Description, forged, guardedRoutes, post } from '../helpers/requests.js'
import { keyFor, startService, type TestService, until } from '../helpers/service.js'

type Headers = Readonly<Record<string, string>>

const bearer = (key: string): Headers => ({ authorization: `Bearer ${key}` })

/** Keys that are refused, each for another reason, and the problem code that each gets. */
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
  // The last change is known last.
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

/** Routes without authentication, and why. Every other described route must refuse callers without a valid key. */
const FOR_EVERYBODY: Readonly<Record<string, string>> = {
  'GET /health': 'probes have no key',
  'GET /health/live': 'probes have no key',
  'GET /health/ready': 'probes have no key',
  'GET /health/index': 'readiness with numbers of the index',
  'GET /problems/{code}': 'the type of a problem links here',
  'POST /v1/cases': 'a submitter is anonymous',
  'GET /v1/cases/challenge': 'before a case is opened',
  'POST /v1/cases/{caseNumber}/tokens': 'number and PIN authenticate',
  'GET /v1/privacy': 'to be read before anything is registered',
  'GET /v1/receipts/key': 'anyone may verify a receipt',
  'GET /v1/notices/laws': 'texts of the law',
}
/** The same for routes of other tools. */
const FOREIGN_FOR_EVERYBODY = ['/status', '/status/live', '/site-map']

t.test('every described route is guarded or is on a list of open routes with its reason', async (t) => {
  const { app } = await startService(t, { hydrated: false })
  await app.ready()
  const { paths } = Description.parse(app.swagger())
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const guarded = new Set(guardedRoutes(app).map(({ name }) => name))
  t.same(described.filter((name) => !guarded.has(name)).sort(), Object.keys(FOR_EVERYBODY).sort())
})

t.test('every guarded route refuses each kind of invalid key with the same answer', async (t) => {
  const service = await startService(t)
  const { app } = service
  const kinds = await strangers(service)
  const scoped = await Promise.all(SCOPES.map(async (scope) => ({ scope, ...(await keyFor(service, 'narrow', [scope])) })))
  const bodies = new Map<string, unknown>()
  const sameAsEver = (code: string, body: string, what: string) => {
    const first = bodies.get(code) ?? withoutInstance(body)
    bodies.set(code, first)
    if (JSON.stringify(withoutInstance(body)) !== JSON.stringify(first)) t.fail(`${what}: another text`)
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
      // The answer names the scope; nothing else differs.
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

t.test('every HMA and StopNCII route refuses each kind of invalid key with the same answer', async (t) => {
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
        if (body !== first) t.fail(`${method} ${path}, ${kind}: another text`)
      }
    }
  }
  t.same([...open].sort(), [...FOREIGN_FOR_EVERYBODY].sort())
  t.equal(bodies.size, 6)
})

t.test('the time of a refusal does not show its reason on any route', async (t) => {
  const service = await startService(t)
  const { app } = service
  const kinds = Object.entries(await strangers(service)).filter(([, { code }]) => code === 'key-invalid')
  for (const { method, url, scope, name } of guardedRoutes(app)) {
    // On case routes a missing key has its own answer, so its time tells the caller nothing.
    const those = kinds.filter(([kind]) => scope !== 'case' || kind !== 'no key')
    const spread = await spreadMs(
      app,
      those.map(([, { headers }]) => ({ method, url, headers: { ...headers } })),
    )
    if (spread >= NOISE_MS) t.fail(`${name}: ${spread} ms between the fastest`)
  }
})
