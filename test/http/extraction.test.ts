// What a key with `match` can learn about stored hashes, and what happens when its organisation tries to learn more.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { SIGNAL_HASH_PATTERN } from '../../packages/core/src/matching/hash-text.js'
import { HASH_PATTERN } from '../../packages/hash/src/hash256.js'
import { SCOPES, type Scope } from '../../src/domain/organisations/access.js'
import { openStore } from '../../src/store/redis/client.js'
import { FOREIGN_BODIES, FOREIGN_ROUTES } from '../fuzz/foreign.js'
import { storeAt } from '../helpers/redis.js'
import { post } from '../helpers/requests.js'
import { keyFor, randomHashText, startService, type TestService, until, withBitsFlipped } from '../helpers/service.js'
import { ask, matchesOf, operator } from '../helpers/trust.js'

/**
 * Routes that may answer hashes: of the picture or video that the caller just sent, and of her own case with its recovery code. Keys with a reading
 * scope may read stored ones.
 */
const MAY_ANSWER_HASHES = /^(POST \/v1\/match\/(images|videos)|GET \/v1\/cases\/\{caseNumber\}\/hashes)$/
const SCOPES_THAT_READ = ['feed']

t.test('only routes that need a reading scope answer stored hashes', async (t) => {
  const { app } = await startService(t, { hydrated: false })
  await app.ready()
  const { paths, components } = JSON.parse(JSON.stringify(app.swagger()))
  const found: string[] = []
  for (const [path, operations] of Object.entries<Record<string, Operation>>(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const name = `${method.toUpperCase()} ${path}`
      const scopes = (operation.security ?? []).flatMap((way) => way['organisationKey'] ?? [])
      if (SCOPES_THAT_READ.some((scope) => scopes.includes(scope))) continue
      if (answersHashes(operation.responses, components, new Set())) found.push(name)
    }
  }
  t.same(
    found.filter((name) => !MAY_ANSWER_HASHES.test(name)),
    [],
  )
  t.equal(found.length, 3, 'the check recognises hashes in the routes that may answer them')
})

// Routes that openapi.yaml does not describe, called as their clients call them, with a bank and content that exist.
t.test('HMA and StopNCII routes answer stored hashes only with a reading scope', async (t) => {
  const service = await startService(t)

  /** The routes that answer with a hash that this caller's own organisation submitted. */
  const telling = async (bank: string, scopes: readonly Scope[]) => {
    const { key, headers } = await keyFor(service, bank, scopes)
    const hash = randomHashText()
    await ask(service, 'POST', '/c/banks', headers, { name: bank })
    const added = await ask(service, 'POST', `/c/bank/${bank}/signal`, headers, { pdq: hash })
    const named: Readonly<Record<string, string>> = { key, bank, content: String(added.json<{ id: number }>().id) }
    const forms = [hash, hash.toUpperCase(), Buffer.from(hash, 'hex').toString('base64').slice(0, 42)]
    const found: string[] = []
    for (const { method, path } of FOREIGN_ROUTES.toSorted((a, b) => a.method.localeCompare(b.method))) {
      if (method === 'DELETE') continue // the content must stay for the other routes
      const url = path
        .replaceAll(/\{(\w+)\}/g, (_, name) => named[name] ?? 'x')
        .replaceAll(/f{64}/g, withBitsFlipped(hash, 3))
      for (const body of method === 'GET' ? [undefined] : FOREIGN_BODIES) {
        const answer = await ask(service, method, url, headers, body)
        if (forms.some((form) => answer.body.includes(form))) found.push(`${method} ${path}`)
      }
    }
    return found
  }

  t.same(
    await telling(
      'WRITES',
      SCOPES.filter((scope) => scope !== 'feed'),
    ),
    [],
  )
  t.same(
    await telling('READS', SCOPES),
    [
      'GET /c/bank/{bank}/content/{content}?include_signals=true',
      'GET //hma/{key}//c/bank/{bank}/content/{content}?include_signals=true',
      'GET /stopncii/v1/FetchHashes?startTimestamp=0&pageSize=10&nextPageToken=',
    ],
    'with the scope the hash is answered',
  )
})

interface Operation {
  readonly security?: readonly Record<string, readonly string[]>[]
  readonly responses?: unknown
}

function answersHashes(schema: unknown, components: unknown, seen: Set<unknown>): boolean {
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) return false
  seen.add(schema)
  if ('pattern' in schema && [HASH_PATTERN, SIGNAL_HASH_PATTERN].some(({ source }) => source === schema.pattern)) return true
  if ('$ref' in schema && typeof schema.$ref === 'string') {
    let at: unknown = { components }
    for (const key of schema.$ref.slice(2).split('/')) at = (at as Record<string, unknown> | undefined)?.[key]
    if (answersHashes(at, components, seen)) return true
  }
  return Object.values(schema).some((inner) => answersHashes(inner, components, seen))
}

async function stored(service: TestService, hashes: readonly string[] = [randomHashText()]) {
  const [hash = ''] = hashes
  const { headers } = await keyFor(service, 'hotline', ['signals:write', 'match'], 'ngo')
  await ask(service, 'POST', '/v1/banks', headers, { name: 'list' })
  await ask(service, 'POST', '/v1/banks/list/signals', headers, {
    signals: hashes.map((each) => ({ type: 'pdq', hash: each })),
  })
  return { hash, headers }
}

function withBit(hash: string, bit: number): string {
  const bytes = Buffer.from(hash, 'hex')
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return bytes.toString('hex')
}

/** Queries hashes one bit from each copy, in one call. */
function climb({ app }: TestService, copies: readonly string[], headers: Record<string, string>) {
  const queries = copies.flatMap((copy) =>
    Array.from({ length: copies.length === 1 ? 256 : 18 }, (_, bit) => ({
      signals: [{ type: 'pdq', hash: withBit(copy, bit) }],
    })),
  )
  return post(app, '/v1/match', { transforms: false, queries }, headers)
}

const events = async (service: TestService, headers: Record<string, string>) =>
  (await ask(service, 'GET', '/v1/events', headers)).json<{ events: { kind: string; about: object }[] }>().events

t.test(
  'an organisation that searches for stored hashes in two processes learns few bits, and the operator is told',
  async (t) => {
    const service = await startService(t, { probing: 'limit' })
    const other = await startService(t, { probing: 'limit', redis: service.redis })
    const { hash, headers: hotline } = await stored(service)
    const admin = await operator(service)
    const { key, headers } = await keyFor(service, 'curious', ['match'])
    await until(() => other.services.identify(key) !== undefined)
    const copies = [withBitsFlipped(hash, 32)]
    const answers = await Promise.all([climb(service, copies, headers), climb(other, copies, headers)])
    const told = answers.flatMap((answer) => {
      t.equal(answer.statusCode, 200)
      return answer.json<{ results: { matches: unknown[] }[] }>().results.filter(({ matches }) => matches.length > 0)
    })
    t.ok(told.length < 24, `${told.length} bits of 32, each asked twice`)
    t.equal((await matchesOf(service, hotline, hash)).length, 1, 'other organisations are answered')
    t.equal((await matchesOf(service, headers, hash)).length, 1, 'and so is this one')
    await until(async () => (await events(service, admin.headers)).some(({ kind }) => kind === 'key.suspected'))
  },
)

t.test('a private deployment reports probing to the operator and changes no answer', async (t) => {
  const service = await startService(t)
  const { hash } = await stored(service)
  const admin = await operator(service)
  const { headers } = await keyFor(service, 'curious', ['match'])
  t.equal((await climb(service, [withBitsFlipped(hash, 32)], headers)).statusCode, 200)
  t.equal((await climb(service, [withBitsFlipped(hash, 32)], headers)).statusCode, 200)
  await until(async () => (await events(service, admin.headers)).length > 0)
  t.match(await events(service, admin.headers), [{ kind: 'key.suspected', about: { orgId: /./ } }])
})

t.test('on a public deployment, a key without match:distance can choose thresholds at band edges only', async (t) => {
  const service = await startService(t, { exposure: 'public' })
  const { hash } = await stored(service)
  const banded = await keyFor(service, 'banded', ['match'])
  const exact = await keyFor(service, 'exact', ['match', 'match:distance'])
  const found = async (headers: Record<string, string>, distanceBits: number, thresholdBits: number) => {
    const queries = [{ signals: [{ type: 'pdq', hash: withBitsFlipped(hash, distanceBits) }] }]
    const answer = await post(service.app, '/v1/match', { queries, thresholdBits, transforms: false }, headers)
    return answer.json<{ results: { matches: unknown[] }[] }>().results[0]?.matches.length
  }
  t.equal(await found(exact.headers, 20, 20), 1)
  t.equal(await found(exact.headers, 20, 19), 0)
  t.equal(await found(banded.headers, 20, 31), 1)
  t.equal(await found(banded.headers, 20, 30), 0, 'as if 15 had been asked for')
  t.equal(await found(banded.headers, 15, 20), 1)
})

t.test('a match of a canary is reported to the operator', async (t) => {
  const sealKey = Buffer.alloc(32, 7)
  const service = await startService(t, { sealKey })
  await stored(service)
  const admin = await operator(service)
  const env = {
    PATH: process.env['PATH'],
    REDIS_SOCKET: service.redis.socket,
    TABIR_SEAL_KEYS: `test:${sealKey.toString('base64')}`,
  }
  const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
  const run = (...args: string[]) =>
    new Promise<string>((resolve) => {
      execFile(process.execPath, [main, 'canary', ...args], { env }, (_, out) => resolve(out))
    })
  const out = await run('plant', '--bank', 'list')
  const { signalId } = JSON.parse(out)
  t.notMatch(out, /[0-9a-f]{64}/, 'the output does not contain its hash')
  t.equal(await run('plant', '--bank', 'none'), '')

  const { services } = service
  await until(() => services.matcher !== undefined && (service.services.health.report() as { images?: number }).images === 2)
  const thief = await keyFor(service, 'thief', ['match'])
  const leaked = await leakedHash(service, signalId)
  t.equal((await matchesOf(service, thief.headers, leaked)).length, 1)
  await until(async () => (await events(service, admin.headers)).some(({ kind }) => kind === 'canary.matched'))
  t.match(await events(service, admin.headers), [{ kind: 'canary.matched', about: { signalId } }])
})

/** The hash as an attacker with the seal keys would read it. */
async function leakedHash({ redis }: TestService, signalId: string): Promise<string> {
  const { createImageStore } = await import('../../src/store/images/images.js')
  const { makeKeyring } = await import('../../src/store/sealing/seal.js')
  const { formatHash } = await import('../../packages/hash/src/hash256.js')
  const store = await openStore(storeAt(redis.socket))
  try {
    const [image] = await createImageStore(store, makeKeyring([Buffer.alloc(32, 7)])).get([signalId])
    const [signal] = image?.signals ?? []
    if (signal === undefined) throw new Error('a canary is stored')
    return formatHash(signal.hash)
  } finally {
    await store.close()
  }
}
