// Managing webhooks, and a delivery with a real api, messenger and endpoint.

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { refused } from '../helpers/refusal.js'
import { del, post } from '../helpers/requests.js'
import { keyFor, startService, until } from '../helpers/service.js'
import { type Received, startEndpoint, verified } from '../helpers/webhooks.js'
import { startMessenger } from '../helpers/workers.js'

interface Made {
  readonly webhookId: string
  readonly secret: string
}

const endpoint = await startEndpoint(t)
const origins = new Set([endpoint.origin])
const service = await startService(t, { webhookOrigins: origins })
const { app, redis } = service
const platform = await keyFor(service, 'platform', ['webhooks'])
const other = await keyFor(service, 'other', ['webhooks'])
const add = (payload: object, headers = platform.headers) => post(app, '/v1/webhooks', payload, headers)
const added = async (): Promise<Made> => (await add({ url: endpoint.url, events: ['case.updated'] })).json<Made>()
const at = (id: string, rest = '') => `/v1/webhooks/${id}${rest}`
const get = async (url: string, headers = platform.headers) => await app.inject({ url, headers })

t.test('a webhook address is public https or a configured origin, and others are refused', async (t) => {
  for (const url of [
    ...['http://hooks.example/', 'https://127.0.0.1/', 'https://[::1]/', 'https://169.254.169.254/latest/meta-data'],
    ...['https://localhost/', 'https://user:pass@hooks.example/', 'no url', `${endpoint.origin.slice(0, -1)}/`],
  ]) {
    refused(t, await add({ url, events: ['case.updated'] }), 'webhook-url-refused', url)
  }
  for (const payload of [{}, { url: endpoint.url, events: [] }, { url: endpoint.url, events: ['all'] }]) {
    refused(t, await add(payload), 'request-invalid')
  }
  t.match((await add({ url: 'https://Hooks.Example/in#x', events: ['case.updated'] })).json(), {
    url: 'https://hooks.example/in',
    enabled: true,
    failures: 0,
  })
})

t.test('a webhook belongs to its organisation, and its secret is shown once', async (t) => {
  const { webhookId, secret } = await added()
  t.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  t.notOk((await get('/v1/webhooks')).body.includes(secret))
  t.match((await get(at(webhookId))).json(), { webhookId, url: endpoint.url })
  t.same((await get('/v1/webhooks', other.headers)).json(), { webhooks: [] })

  const foreign = [
    get(at(webhookId), other.headers),
    get(at(webhookId, '/deliveries'), other.headers),
    del(app, at(webhookId), other.headers),
    post(app, at(webhookId, '/secret'), undefined, other.headers),
    post(app, at(webhookId, '/ping'), undefined, other.headers),
    post(app, at(webhookId, '/deliveries/x/replay'), undefined, other.headers),
    app.inject({ method: 'PATCH', url: at(webhookId), payload: { enabled: false }, headers: other.headers }),
    get(at('01890000-0000-7000-8000-000000000000')),
  ]
  for (const answer of foreign) refused(t, await answer, 'webhook-unknown')
  t.match((await get(at(webhookId))).json(), { enabled: true })
  refused(t, await post(app, at(webhookId, '/deliveries/x/replay'), undefined, platform.headers), 'delivery-unknown')
})

t.test('an organisation can have 10 webhooks, also with concurrent requests', async (t) => {
  const answers = await Promise.all(
    Array.from({ length: 14 }, () => add({ url: endpoint.url, events: ['case.updated'] }, other.headers)),
  )
  t.equal(answers.filter(({ statusCode }) => statusCode === 201).length, 10)
  t.equal(answers.filter(({ statusCode }) => statusCode === 409).length, 4)
})

t.test('a test message is delivered once a messenger runs, and after a rotation both secrets sign', async (t) => {
  const first = await added()
  t.equal((await post(app, at(first.webhookId, '/ping'), undefined, platform.headers)).statusCode, 202)
  const messenger = await startMessenger(t, redis, origins)
  await until(() => endpoint.received.length === 1)
  const [message] = endpoint.received
  if (message === undefined) throw new Error('it is there')
  t.match(verified(first.secret, message), { type: 'webhook.ping', data: { webhookId: first.webhookId } })
  t.equal(signedByOpenssl(first.secret, message), message.headers['webhook-signature'], 'as openapi.yaml says')
  t.throws(() => verified(`whsec_${Buffer.alloc(32).toString('base64')}`, message))
  await until(async () => (await get(at(first.webhookId, '/deliveries'))).json().deliveries[0]?.state === 'delivered')
  t.match((await get(at(first.webhookId, '/deliveries'))).json(), {
    deliveries: [
      { deliveryId: message.id, type: 'webhook.ping', attempts: 1, status: 204, nextAttemptAt: null, failure: null },
    ],
  })

  const second = (await post(app, at(first.webhookId, '/secret'), undefined, platform.headers)).json<Made>()
  await post(app, at(first.webhookId, `/deliveries/${message.id}/replay`), undefined, platform.headers)
  await until(() => endpoint.received.length === 2)
  const again = endpoint.received[1]
  if (again === undefined) throw new Error('it is there')
  t.equal(again.id, message.id)
  for (const secret of [first.secret, second.secret]) t.match(verified(secret, again), { type: 'webhook.ping' })

  messenger.kill('SIGTERM')
  const [status] = await once(messenger, 'exit')
  t.equal(status, 0, 'the messenger stops on SIGTERM')
  t.same(messenger.output, [])
  t.equal((await del(app, at(first.webhookId), platform.headers)).statusCode, 204)
  refused(t, await get(at(first.webhookId)), 'webhook-unknown')
  t.notOk(service.log.join('').includes('/hook'), 'no address in the log')
})

/** The signature, computed from the description in openapi.yaml alone. */
function signedByOpenssl(secret: string, { id, headers, text }: Received): string {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64').toString('hex')
  const args = ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', `hexkey:${key}`, '-binary']
  const signed = execFileSync('openssl', args, { input: `${id}.${headers['webhook-timestamp']}.${text}` })
  return `v1,${signed.toString('base64')}`
}
