// Under overload, requests of organisations get 503 before their body is read; requests of submitters are still served.

import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { isSheddable } from '../../src/http/plugins/request-admission.js'
import type { Admission } from '../../src/services/load/admission.js'
import { images } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { refused } from '../helpers/refusal.js'
import { post } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, until } from '../helpers/service.js'

t.test('under overload queries, submissions and the feed get 503; submitters and removals are served', async (t) => {
  let shortage: ReturnType<Admission['shortageFor']>
  const needed: boolean[] = []
  const admission: Admission = {
    shortageFor({ pictures }) {
      needed.push(pictures)
      return shortage
    },
  }
  const service = await startService(t, { admission })
  const { app } = service
  const { headers } = await keyFor(service, 'both', undefined, 'ngo')
  const signal = () => ({ type: 'pdq', hash: randomHashText(), quality: 100 })
  const bank = await post(app, '/v1/banks', { name: 'mine' }, headers)
  t.equal(bank.statusCode, 201)
  const added = await post(app, '/v1/banks/mine/signals', { signals: [signal()] }, headers)
  const { signalId } = added.json<{ signals: { signalId: string }[] }>().signals[0] ?? { signalId: '' }

  shortage = 'event-loop'
  const upload = images([await scene(1, { width: 64, height: 64 })])
  const before = needed.length
  for (const [url, payload, type] of [
    ['/v1/match', { queries: [{ signals: [signal()] }] }, undefined],
    ['/v1/match/images', upload.payload, upload.headers['content-type']],
    ['/v1/banks/mine/signals', { signals: [signal()] }, undefined],
  ] as const) {
    const answer = await app.inject({
      method: 'POST',
      url,
      payload,
      headers: { ...headers, ...(type !== undefined && { 'content-type': type }) },
    })
    refused(t, answer, 'overloaded', url)
    t.equal(answer.statusCode, 503)
    t.equal(answer.headers['retry-after'], '1')
  }
  t.same(needed.slice(before), [false, true, false], 'only the upload needs a worker')
  refused(t, await app.inject({ url: '/v1/feed', headers }), 'overloaded', 'the feed')

  const own = await openCase(app)
  t.equal((await post(app, `${own.url}/hashes`, { images: [{ signals: [signal()] }] }, own.headers)).statusCode, 201)
  t.equal((await app.inject({ url: own.url, headers: own.headers })).statusCode, 200)
  t.equal((await app.inject({ method: 'DELETE', url: own.url, headers: own.headers })).statusCode, 200)
  const removal = await app.inject({ method: 'DELETE', url: `/v1/banks/mine/signals/${signalId}`, headers })
  t.equal(removal.statusCode, 204, 'a removal is not shed')
  t.equal((await app.inject({ url: '/health/ready' })).statusCode, 200)
  t.match((await app.inject({ url: '/metrics' })).body, /^tabir_shed_total\{shortage="event-loop"\} 4$/m)

  shortage = undefined
  t.equal((await post(app, '/v1/match', { queries: [{ signals: [signal()] }] }, headers)).statusCode, 200)
})

t.test('early shedding answers, logs and counts exactly as shedding inside the route does', async (t) => {
  let shortage: ReturnType<Admission['shortageFor']>
  const service = await startService(t, { admission: { shortageFor: () => shortage }, logLevel: 'info' })
  const { app, log } = service
  const { headers } = await keyFor(service, 'both', undefined, 'ngo')
  const base = await app.listen({ host: '127.0.0.1', port: 0 })
  const body = JSON.stringify({ queries: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 100 }] }] })
  const ask = (path: string, more: Record<string, string> = {}, method = 'POST') =>
    fetch(`${base}${path}`, {
      method,
      ...(method === 'POST' && { body }),
      headers: { ...headers, 'content-type': 'application/json', ...more },
    })
  t.equal((await ask('/v1/match')).status, 200)

  shortage = 'event-loop'
  // A request with a page's origin is shed only inside the route, so both answers can be compared.
  const [early, late] = [await ask('/v1/match'), await ask('/v1/match', { origin: 'https://elsewhere.example' })]
  const said = async (answer: Response) => {
    const { instance, ...rest } = (await answer.json()) as Record<string, unknown>
    t.match(instance, /^urn:uuid:/)
    return { status: answer.status, rest, headers: [...answer.headers.keys()].filter((name) => name !== 'date').sort() }
  }
  t.same(await said(early), await said(late))
  t.equal(early.headers.get('retry-after'), '1')
  t.equal((await ask('/v1/match?x=1')).status, 503)
  t.equal((await ask('/v1/banks/mine/signals')).status, 503, 'a route with a parameter is shed inside the route')
  t.equal((await ask('/health/ready', {}, 'GET')).status, 200)
  t.equal((await ask('/v1/nothing')).status, 404)
  const lines = log.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ code }) => code === 'overloaded')
  t.equal(lines.length, 4, 'one log line for each')
  for (const { reqId, route, status, method } of lines) {
    t.match(reqId, /^[0-9a-f-]{36}$/)
    t.match({ route, status, method }, { route: /^\/v1\/(match|banks\/:bank\/signals)$/, status: 503, method: 'POST' })
  }
  const metrics = await (await ask('/metrics', {}, 'GET')).text()
  t.match(metrics, /^tabir_shed_total\{shortage="event-loop"\} 4$/m)
  t.match(metrics, /^tabir_http_request_duration_seconds_count\{method="POST",route="\/v1\/match",status="503"\} 3$/m)

  shortage = undefined
  t.equal((await ask('/v1/match')).status, 200)
})

t.test('admission is checked once per request', async (t) => {
  let asked = 0
  const shortageFor = () => (++asked === 1 ? undefined : ('pictures' as const))
  const service = await startService(t, { admission: { shortageFor } })
  const { headers } = await keyFor(service, 'platform', ['match'])
  const base = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const body = JSON.stringify({ queries: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 100 }] }] })
  const ask = async () => {
    const json = { ...headers, 'content-type': 'application/json' }
    return (await fetch(`${base}/v1/match`, { method: 'POST', body, headers: json })).status
  }
  t.same([await ask(), await ask()], [200, 503])
  t.equal(asked, 2)
})

t.test('the shortage check is told how many admitted pictures are still arriving', async (t) => {
  let coming = 0
  const admission: Admission = {
    shortageFor(needs) {
      coming = Math.max(coming, needs.coming)
      return undefined
    },
  }
  const service = await startService(t, { admission })
  const { port } = new URL(await service.app.listen({ host: '127.0.0.1', port: 0 }))
  const { headers } = await keyFor(service, 'platform', ['match'])
  const upload = images([await scene(1, { width: 64, height: 64 })])
  const head = [
    'POST /v1/match/images HTTP/1.1',
    'host: 127.0.0.1',
    `authorization: ${headers.authorization}`,
    `content-type: ${upload.headers['content-type']}`,
    `content-length: ${upload.payload.length}`,
    '\r\n',
  ].join('\r\n')
  // Each picture counts only for a moment, which a busy machine may miss. So two incomplete uploads are sent until one sees the other.
  await until(async () => {
    const sockets = [1, 2].map(() => connect(Number(port), '127.0.0.1'))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    for (const socket of sockets) socket.write(head)
    await new Promise((resolve) => setTimeout(resolve, 20))
    for (const socket of sockets) socket.destroy()
    return coming === 1
  })
})

t.test('requests of submitters and operators, and every DELETE, are never shed', async (t) => {
  for (const scope of ['case', 'public', 'cases:write', 'admin', 'feedback', 'webhooks', undefined] as const)
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) t.notOk(isSheddable(method, scope), `${method} ${scope}`)
  for (const scope of ['match', 'match:distance', 'feed', 'signals:write'] as const) {
    t.ok(isSheddable('POST', scope))
    t.notOk(isSheddable('DELETE', scope))
  }
})
