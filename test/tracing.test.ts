// What is sent to a trace collector: spans of requests and jobs, and nothing about anybody.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { createApiKey } from '../src/services/keys/access.js'
import { createApiKeyStore } from '../src/store/organisations/api-keys.js'
import { openStore } from '../src/store/redis/client.js'
import { images } from './helpers/multipart.js'
import { fetchPatiently } from './helpers/patiently.js'
import { scene } from './helpers/pictures.js'
import { startRedis, storeAt } from './helpers/redis.js'
import { hasPin } from './helpers/refusal.js'
import { until } from './helpers/service.js'
import { startWorkers } from './helpers/workers.js'

const Attribute = z.object({ key: z.string(), value: z.unknown() })
const Span = z.object({
  name: z.string(),
  attributes: z.array(Attribute).default([]),
  events: z.array(z.unknown()).optional(),
})
const Batch = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(Attribute) }),
      scopeSpans: z.array(z.object({ spans: z.array(Span) })),
    }),
  ),
})
const Opened = z.object({ caseNumber: z.string(), pin: z.string(), token: z.string() })

t.test('spans of requests and jobs are exported without hashes, case numbers, keys or names', async (t) => {
  const { url: tracesUrl, bodies } = await collector(t)
  const redis = await startRedis(t)
  const env = { TABIR_TRACES_URL: tracesUrl }
  const workers = await startWorkers(t, redis, { ...env, TABIR_HASHERS: '1' })
  const { api, url } = await startApi(t, {
    ...env,
    REDIS_SOCKET: redis.socket,
    TABIR_DATA_DIR: redis.dataDir,
    TABIR_PORT: '0',
  })
  const store = await openStore(storeAt(redis.socket))
  const scopes = new Set(['match'] as const)
  const { key, keyId } = await createApiKey(createApiKeyStore(store), {
    org: 'Marked Org',
    kind: 'platform',
    scopes,
    env: 'test',
    nowMs: Date.now(),
  })
  await store.close()

  const hash = 'c0ffee42'.repeat(8)
  const opened = Opened.parse(await (await send(`${url}/v1/cases`, { adult: true })).json())
  const own = {
    authorization: `Bearer ${opened.token}`,
    traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`,
    tracestate: 'marked=marked',
  }
  const path = `${url}/v1/cases/${opened.caseNumber}`
  const signals = [{ type: 'pdq', hash, quality: 100 }]
  t.equal((await send(`${path}/hashes`, { images: [{ signals }] }, own)).status, 201)
  const form = images([{ ...(await scene(3, { width: 320, height: 240 })), name: 'marked-picture.jpg' }])
  const upload = await fetchPatiently(`${path}/images`, {
    method: 'POST',
    headers: { ...own, ...form.headers },
    body: new Uint8Array(form.payload),
  })
  t.equal(upload.status, 201)
  const auth = { authorization: `Bearer ${key}` }
  await until(async () => (await send(`${url}/v1/match?secret=marked`, { queries: [{ signals }] }, auth)).status === 200)
  t.equal((await send(`${url}/v1/match`, { queries: [{ signals: [{ type: 'pdq', hash: 'marked' }] }] }, auth)).status, 400)
  t.equal((await fetchPatiently(`${url}/no/marked/place`)).status, 404)
  t.equal((await fetchPatiently(path, { method: 'DELETE', headers: own })).status, 200)

  for (const child of [api, workers]) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  const all = bodies.flatMap((body) => Batch.parse(JSON.parse(body)).resourceSpans)
  const spansOf = (service: string) =>
    all
      .filter(({ resource }) => JSON.stringify(resource).includes(service))
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
  const names = new Set(spansOf('tabir-api').map(({ name }) => name))
  for (const name of [
    'POST /v1/cases',
    'POST /v1/cases/:caseNumber/images',
    'POST /v1/match',
    'DELETE /v1/cases/:caseNumber',
  ])
    t.ok(names.has(name), name)
  const [job] = spansOf('tabir-workers')
  t.equal(job?.name, 'hash-image')
  t.match(JSON.stringify(job?.attributes), /submission.*answered/)

  const text = bodies.join('\n')
  const keysSent = new Set(
    [...spansOf('tabir-api'), ...spansOf('tabir-workers')].flatMap(({ attributes }) => attributes.map((each) => each.key)),
  )
  t.same(
    [...keysSent].filter((name) => /path|url|user|client|query|header/.test(name)),
    [],
  )
  const secrets = {
    hash,
    half: hash.slice(0, 16),
    number: opened.caseNumber,
    token: opened.token,
    key,
    keyId,
    word: 'marked',
  }
  for (const [what, secret] of Object.entries(secrets))
    t.notOk(text.toLowerCase().includes(secret.toLowerCase()), `no ${what}`)
  t.notOk(hasPin(text, opened.pin), 'no PIN')
  t.notOk(text.includes('ab'.repeat(16)), 'a caller’s headers start no trace')
})

async function collector(t: Test) {
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    bodies.push(Buffer.concat(chunks).toString('utf8'))
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/v1/traces`, bodies }
}

async function startApi(t: Test, env: Readonly<Record<string, string>>) {
  const api = fork(fileURLToPath(new URL('../src/boot/server.js', import.meta.url)), {
    env: { PATH: process.env['PATH'], TABIR_LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  t.teardown(() => api.kill('SIGKILL'))
  const [message] = await once(api, 'message')
  return { api, url: z.object({ url: z.string() }).parse(message).url }
}

function send(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  return fetchPatiently(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}
