// What a submitter sees of her case: its time line, live and as a list, and the export of her data.

import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import t, { type Test } from 'tap'
import { createCaseExpiry } from '../../src/services/cases/case-expiry.js'
import { createCaseEventStore } from '../../src/store/cases/case-events.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { connectForFollowing, openStore } from '../../src/store/redis/client.js'
import { createWatchErasureStore } from '../../src/store/watch/watch-erasures.js'
import { storeAt } from '../helpers/redis.js'
import { hasPin, MARKER, refused } from '../helpers/refusal.js'
import { del, post } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, until } from '../helpers/service.js'

async function world(t: Test) {
  const service = await startService(t)
  const target = storeAt(service.redis.socket)
  const store = await openStore(target)
  const events = createCaseEventStore(store, () => connectForFollowing(target))
  t.teardown(() => store.close())
  const keeping = createCaseExpiry({
    cases: createCaseStore(store),
    watches: createWatchErasureStore(store),
    rewriteLog: async () => 'rewritten',
    dueUntilMs: async () => Date.now(),
    now: Date.now,
  })
  const caseIdOf = async () => (await store.ask((redis) => redis.zrange('{tabir}:case-schedule', '0', '0')))[0] ?? ''
  return { service, app: service.app, events, keeping, caseIdOf, store }
}

/** Opens an event stream over a real connection. */
async function listen(t: Test, url: string, headers: Record<string, string>) {
  const request = get(url, { headers: { ...headers, accept: 'text/event-stream' }, agent: false })
  request.on('error', () => {})
  t.teardown(() => request.destroy())
  const [response]: IncomingMessage[] = await once(request, 'response')
  const heard = { text: '', hasEnded: false, type: response?.headers['content-type'] }
  response?.setEncoding('utf8').on('data', (text: string) => {
    heard.text += text
  })
  response
    ?.on('error', () => {})
    .on('end', () => {
      heard.hasEnded = true
    })
  const kinds = () => [...heard.text.matchAll(/^event: (.*)$/gm)].map(([, kind]) => kind)
  const ids = () => [...heard.text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id ?? '')
  return { heard, kinds, ids, leave: () => request.destroy() }
}

function given(hash = randomHashText()) {
  return { images: [{ signals: [{ type: 'pdq', hash, quality: 80 }], category: 'nude' }] }
}

t.test('an api that stops ends its own event streams, and none of another api in the same process', async (t) => {
  const [stopped, other] = await Promise.all([startService(t), startService(t)])
  const streams = await Promise.all(
    [stopped, other].map(async ({ app }) => {
      const her = await openCase(app)
      const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}${her.url}/events`
      const stream = await listen(t, url, her.headers)
      await until(() => stream.kinds().length === 1)
      return { ...stream, register: () => post(app, `${her.url}/hashes`, given(), her.headers) }
    }),
  )
  await stopped.app.close()
  await until(() => streams[0]?.heard.hasEnded === true)
  await streams[1]?.register()
  await until(() => streams[1]?.heard.hasEnded === true || streams[1]?.kinds().length === 2)
  t.same(streams[1]?.kinds(), ['opened', 'registered'])
  t.equal(streams[1]?.heard.hasEnded, false)
})

t.test('several listeners receive all events of a case live, until it is erased', async (t) => {
  const { app, events, keeping, caseIdOf } = await world(t)
  const her = await openCase(app)
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}${her.url}/events`
  await post(app, `${her.url}/hashes`, given(), her.headers)
  const first = await listen(t, url, her.headers)
  await until(() => first.kinds().length === 2)
  t.same(first.kinds(), ['opened', 'registered'], 'earlier events')
  t.match(first.heard.type, 'text/event-stream')

  await events.add(await caseIdOf(), 'matched', 4, Date.now())
  await until(() => first.kinds().length === 3)
  const resumed = await listen(t, url, { ...her.headers, 'last-event-id': first.ids()[1] ?? '' })
  await until(() => resumed.kinds().length === 1)
  t.same(resumed.kinds(), ['matched'], 'events after the last event id')
  t.match(resumed.heard.text, /data: \{[^\n]*"kind":"matched"[^\n]*"platforms":"3-5"\}/)
  t.notMatch(resumed.heard.text, /"count"|:4[,}]/, 'no exact number')
  resumed.leave()

  const second = await listen(t, url, her.headers)
  t.equal((await del(app, her.url, her.headers)).statusCode, 200)
  await keeping.erase()
  await until(() => first.heard.hasEnded && second.heard.hasEnded)
  const all = ['opened', 'registered', 'matched', 'withdrawn', 'erased']
  t.same(first.kinds(), all)
  t.same(second.kinds(), all)
  const late = await listen(t, url, her.headers)
  await until(() => late.heard.hasEnded)
  t.same(late.kinds(), all, 'a late listener gets all events and the end of the stream')

  const plain = (await app.inject({ url: `${her.url}/events`, headers: her.headers })).json<{ events: unknown[] }>()
  t.match(plain, { platformsAsking: '0', events: all.map((kind) => ({ kind, at: /Z$/, id: /^\d+-\d+$/ })) })
  t.match(plain.events[1], { images: 1 })
})

t.test('an api that stops does not wait for open event streams', async (t) => {
  const { app } = await world(t)
  const her = await openCase(app)
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}${her.url}/events`
  const listener = await listen(t, url, her.headers)
  await until(() => listener.kinds().length === 1)
  await app.close()
  await until(() => listener.heard.hasEnded)
  t.pass('it stopped')
})

t.test('the number of platforms that can query is given as a bucket', async (t) => {
  const { app, service, store } = await world(t)
  const her = await openCase(app)
  for (const [name, scope] of [
    ['a', 'match'],
    ['a', 'match'],
    ['b', 'feed'],
    ['c', 'match'],
    ['ngo', 'signals:write'],
  ] as const)
    await keyFor(service, name, [scope])
  // No platforms, or their keys may ask nothing now.
  for (const name of ['d', 'e', 'f']) await keyFor(service, name, ['match'], 'ngo')
  for (const [name, ended] of [
    ['g', { suspendedAtMs: 1 }],
    ['h', { expiresAtMs: 1 }],
  ] as const) {
    const { keyId } = await keyFor(service, name, ['match'])
    const entry = { act: 'key.restored', by: 'operator', about: { keyId }, atMs: 1 } as const
    const changed = await createApiKeyStore(store).change(keyId, (key) => ({ key: { ...key, ...ended } }), entry)
    await service.services.registration.matchable(changed ?? 0)
  }
  const { body } = await app.inject({ url: `${her.url}/events`, headers: her.headers })
  t.match(body, '"platformsAsking":"3-5"')
})

t.test('the quality of an exported picture is that of its whole, as the page judged it when it was added', async (t) => {
  const { app } = await world(t)
  const her = await openCase(app)
  const signals = [
    { type: 'pdq', hash: randomHashText(), quality: 60 },
    { type: 'pdq-area', view: 'crop', hash: randomHashText(), quality: 90 },
    { type: 'pdq', hash: randomHashText(), quality: 95 }, // another frame of an animation
    { type: 'sha256', hash: randomHashText(), quality: 100 },
  ]
  const video = { durationMs: 2000, frames: [{ atMs: 0, signals: signals.slice(0, 2) }], sha256: randomHashText() }
  await post(app, `${her.url}/hashes`, { images: [{ signals }], videos: [video] }, her.headers)
  const exported = await app.inject({ url: `${her.url}/export`, headers: her.headers })
  t.match(exported.json(), { images: [{ quality: 60 }, { quality: 60, durationS: 2 }] })
})

t.test('the export of a case has all of its data but hashes and PIN, and the receipt after withdrawal', async (t) => {
  const { app } = await world(t)
  const her = await openCase(app)
  const hashes = [randomHashText(), randomHashText()]
  for (const hash of hashes) await post(app, `${her.url}/hashes`, given(hash), her.headers)
  const exported = await app.inject({ url: `${her.url}/export`, headers: her.headers })
  t.match(exported.json(), {
    case: { caseNumber: her.caseNumber, state: 'active', images: 2 },
    events: [{ kind: 'opened' }, { kind: 'registered', images: 1 }, { kind: 'registered', images: 1 }],
    images: hashes.map(() => ({
      category: 'nude',
      tier: 'self-reported',
      disputed: false,
      matching: true,
      quality: 80,
      hashes: { pdq: 1 },
      imageId: String,
    })),
    receipt: null,
  })
  t.equal(exported.json<{ images: unknown[] }>().images.length, 2)
  for (const hash of hashes) t.notMatch(exported.body, hash)
  t.notOk(hasPin(exported.body, her.pin))

  const { body: receipt } = await del(app, her.url, her.headers)
  const after = await app.inject({ url: `${her.url}/export`, headers: her.headers })
  t.match(after.json(), { images: [], receipt: JSON.parse(receipt) })
})

t.test('events, export and receipt need the token of the case, and an invalid Last-Event-ID is refused', async (t) => {
  const { app } = await world(t)
  const [hers, his] = [await openCase(app), await openCase(app)]
  for (const path of ['/events', '/export', '/receipt']) {
    for (const accept of ['application/json', 'text/event-stream']) {
      const url = `${hers.url}${path}`
      refused(t, await app.inject({ url, headers: { ...his.headers, accept } }), 'case-unknown', path)
      refused(t, await app.inject({ url, headers: { accept } }), 'token-missing', path)
    }
  }
  refused(t, await app.inject({ url: `${hers.url}/receipt`, headers: hers.headers }), 'case-not-ended')
  for (const id of [MARKER, '$', '-', '1', '1-1-1', '99999999999999999999-1', "1-0' or"]) {
    for (const accept of ['application/json', 'text/event-stream']) {
      const headers = { ...hers.headers, accept, 'last-event-id': id }
      refused(t, await app.inject({ url: `${hers.url}/events`, headers }), 'request-invalid', id)
    }
  }
})

t.test('HEAD on the events of a case opens no stream', async (t) => {
  const { app } = await world(t)
  const her = await openCase(app)
  const headers = { ...her.headers, accept: 'text/event-stream' }
  const { statusCode, headers: answered } = await app.inject({ method: 'HEAD', url: `${her.url}/events`, headers })
  t.equal(statusCode, 200)
  t.match(answered['content-type'], 'application/json')
})
