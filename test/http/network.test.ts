// Security headers, CORS, trusted proxies, TLS, the private listener and malformed forms.

import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { connect } from 'node:net'
import { connect as connectTls, type SecureVersion } from 'node:tls'
import multipart from '@fastify/multipart'
import Fastify from 'fastify'
import t from 'tap'
import { refusePublicHost } from '../../src/boot/private-host.js'
import { eachImage, MULTIPART_OPTIONS } from '../../src/http/upload.js'
import { createApiKey } from '../../src/services/keys/access.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import { storeAt } from '../helpers/redis.js'
import { refused } from '../helpers/refusal.js'
import { post } from '../helpers/requests.js'
import { keyFor, startService, until } from '../helpers/service.js'
import { listen, readAll } from '../helpers/sockets.js'

const STRICT = "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'"

t.test('answers have headers that forbid scripts, framing and reading by other origins', async (t) => {
  const { app } = await startService(t, { hydrated: false })
  for (const answer of [
    await app.inject({ url: '/health/live' }),
    await app.inject({ url: '/nowhere' }),
    await post(app, '/v1/match', {}, { origin: 'https://other.example' }),
  ]) {
    t.match(answer.headers, {
      'content-security-policy': STRICT,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    })
    t.notOk('access-control-allow-origin' in answer.headers)
    t.notOk('strict-transport-security' in answer.headers, 'no HSTS without TLS')
  }
  const page = (await app.inject({ url: '/' })).headers['content-security-policy']
  t.match(page, /script-src 'sha384-.*require-trusted-types-for 'script'/, 'the page has its own policy')
  t.match((await app.inject({ url: '/docs/' })).headers['content-security-policy'], /script-src 'self'/)
  refused(
    t,
    await app.inject({ method: 'OPTIONS', url: '/v1/match', headers: { origin: 'https://a.example' } }),
    'method-not-allowed',
  )
})

t.test('on a public deployment metrics need admin', async (t) => {
  const service = await startService(t, { exposure: 'public' })
  const scrape = (key?: string) =>
    service.app.inject({ url: '/metrics', ...(key !== undefined && { headers: { authorization: `Bearer ${key}` } }) })
  refused(t, await scrape(), 'key-missing')
  refused(t, await scrape((await keyFor(service, 'a platform', ['match'])).key), 'scope-missing')
  const seen = await scrape((await keyFor(service, 'the operator', ['admin'], 'operator')).key)
  t.equal(seen.statusCode, 200)
  t.match(seen.body, /^tabir_/m)
})

t.test('only configured origins may read answers with CORS', async (t) => {
  const { app } = await startService(t, { hydrated: false, corsOrigins: ['https://tools.example'] })
  const allowed = async (origin: string) =>
    (await app.inject({ url: '/health/live', headers: { origin } })).headers['access-control-allow-origin']
  t.equal(await allowed('https://tools.example'), 'https://tools.example')
  for (const origin of ['https://tools.example.evil', 'http://tools.example', 'https://a.tools.example', 'null', '*'])
    t.equal(await allowed(origin), undefined, origin)
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/v1/match',
    headers: { origin: 'https://tools.example', 'access-control-request-method': 'POST' },
  })
  t.equal(preflight.statusCode, 204)
  t.equal(preflight.headers['access-control-allow-credentials'], undefined)
})

t.test('X-Forwarded-For counts only from a trusted proxy', async (t) => {
  const service = await startService(t, { trustedProxies: ['10.0.0.0/8'] })
  const store = await openStore(storeAt(service.redis.socket))
  t.teardown(() => store.close())
  const bound = { org: 'o', kind: 'ngo', env: 'test', nowMs: Date.now(), networks: ['192.0.2.0/24'] } as const
  const { key } = await createApiKey(createApiKeyStore(store), { ...bound, scopes: new Set(['signals:write']) })
  const ask = async (remoteAddress: string, forwarded: string) => {
    const headers = { authorization: `Bearer ${key}`, 'x-forwarded-for': forwarded }
    return (await service.app.inject({ url: '/v1/banks', remoteAddress, headers })).statusCode
  }
  await until(async () => (await ask('10.1.2.3', '192.0.2.9')) === 200)
  t.equal(await ask('10.1.2.3', '192.0.3.9'), 401)
  t.equal(await ask('203.0.113.5', '192.0.2.9'), 401, 'a header from an untrusted address')
  t.equal(
    await ask('10.1.2.3', '192.0.2.9, 203.0.113.5'),
    401,
    'a value that the caller sent before the proxy added its own',
  )
})

t.test('the api serves TLS 1.2 or later only, with HSTS', async (t) => {
  const file = (name: string) => readFileSync(new URL(`../../../test/data/${name}`, import.meta.url))
  const service = await startService(t, {
    hydrated: false,
    tls: { cert: file('hooks-example.cert.pem'), key: file('hooks-example.key.pem') },
  })
  const port = await listen(service.app)
  const headers = await new Promise<NodeJS.Dict<string | string[]>>((resolve, reject) => {
    get({ port, path: '/health/live', rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume().on('end', () => resolve(answer.headers))
    }).on('error', reject)
  })
  t.match(headers['strict-transport-security'], /max-age=\d{7,}/)
  const reached = (maxVersion: SecureVersion) =>
    new Promise<string>((resolve) => {
      // The weakest settings of a client, so that it is the server that refuses.
      const socket = connectTls({
        port,
        maxVersion,
        minVersion: 'TLSv1',
        ciphers: 'ALL:@SECLEVEL=0',
        rejectUnauthorized: false,
      })
      socket.on('secureConnect', () => resolve(socket.getProtocol() ?? ''))
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      socket.on('close', () => resolve('closed'))
      t.teardown(() => socket.destroy())
    })
  t.equal(await reached('TLSv1.2'), 'TLSv1.2')
  for (const old of ['TLSv1.1', 'TLSv1'] as const)
    t.match(await reached(old), /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/, old)
})

t.test('the start has no plugin timeout, so that a slow machine cannot fail it', async (t) => {
  const { app } = await startService(t, { hydrated: false })
  t.equal(app.initialConfig.pluginTimeout, 0)
})

t.test('the private listener is refused on a public address', async (t) => {
  const parts = (own: string[], resolved: string[] = []) => ({ own: () => own, resolve: async () => resolved })
  const check = (host: string, given = parts([])) => refusePublicHost('TABIR_HANDOFF_HOST', host, given)
  for (const host of ['127.0.0.1', '::1', '10.0.0.4', '192.168.1.1', 'fd00::1', '169.254.1.1'])
    await t.resolves(check(host), host)
  for (const host of ['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8'])
    await t.rejects(check(host), /TABIR_HANDOFF_HOST is a public address/, host)
  await t.resolves(check('0.0.0.0', parts(['127.0.0.1', '172.17.0.2'])))
  await t.rejects(check('0.0.0.0', parts(['127.0.0.1', '8.8.8.8'])), /one of them is public/)
  await t.rejects(check('::', parts(['fe80::1', '2606:4700::1111'])), /one of them is public/)
  await t.resolves(check('worker.internal', parts([], ['10.0.0.9'])))
  await t.rejects(check('worker.example', parts([], ['10.0.0.9', '8.8.8.8'])), /is a public address/)
})

// Found by fuzzing: from 16 KiB on such a request got no answer.
t.test('a malformed part of a form is skipped, at any size', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const port = await listen(service.app)
  const heads = ['Content-Disposition: form-dPta; name="image"; filename="a"', 'Co\u00c1tent-Disposition: form-data', 'X: y']
  for (const head of heads) {
    for (const sizeBytes of [20_000, 66_000, 200_000, 5_000_000]) {
      const start = Buffer.from(`--x\r\n${head}\r\n\r\n`, 'latin1')
      const answer = await fetch(`http://127.0.0.1:${port}/v1/match/images`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'multipart/form-data; boundary=x' },
        body: Buffer.concat([start, Buffer.alloc(sizeBytes, 7), Buffer.from('\r\n--x--\r\n')]),
        signal: AbortSignal.timeout(20_000),
      })
      t.match(await answer.json(), { status: 400, code: 'image-missing' }, `${sizeBytes} bytes`)
    }
  }
})

// A part that fails with an error other than a Problem while the next part arrives: this ended the process once.
t.test('an unexpected error about one picture while others arrive gets 500 and no unhandled rejection', async (t) => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  const app = Fastify()
  t.teardown(async () => {
    process.off('unhandledRejection', note)
    await app.close()
  })
  await app.register(multipart, MULTIPART_OPTIONS)
  let failed = () => {}
  const hasFailed = new Promise<void>((resolve) => {
    failed = resolve
  })
  app.post('/', (request) =>
    eachImage(request, { maxImageBytes: 100, maxImages: 9, maxInFlightBytes: 1000 }, { bytes: 0 }, async () => {
      setImmediate(failed)
      throw new TypeError('a fault of ours')
    }),
  )
  const port = await listen(app)
  const part = '--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nabc\r\n'
  const socket = connect(port, '127.0.0.1')
  const head = `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=x\r\n`
  socket.write(`${head}Content-Length: ${2 * part.length + 5}\r\n\r\n${part}--x\r\n`)
  await hasFailed
  await new Promise(setImmediate)
  socket.write(`${part.slice(5)}--x--`)
  t.match(await readAll(socket), /^HTTP\/1\.1 500 /)
  t.same(unhandled, [])
})
