import sharp from 'sharp'
import t from 'tap'
import { OPERATIONS } from '../../packages/client/src/operations.generated.js'
import { TabirProblem, tabirClient } from '../../packages/client/src/tabir-client.js'
import { recordingClient } from '../helpers/recording-client.js'
import { Description } from '../helpers/requests.js'
import { keyFor, randomHashText, startService } from '../helpers/service.js'
import { listen } from '../helpers/sockets.js'

const ready = startService(t).then(async (service) => {
  const { key } = await keyFor(service, 'ngo', ['signals:write', 'match', 'feed'], 'ngo')
  return { service, key, url: `http://127.0.0.1:${await listen(service.app)}` }
})

t.test('the client has every operation of the running api with its method and path', async (t) => {
  const { service } = await ready
  const { paths } = Description.parse(service.app.swagger())
  const said = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  )
  t.same(
    Object.values(OPERATIONS)
      .map(({ method, path }) => `${method} ${path}`)
      .sort(),
    said.sort(),
  )
})

t.test('an operation without arguments needs none, and a wrong address is refused at once, by its name', async (t) => {
  const { url, key } = await ready
  t.type(await tabirClient({ url }).call('health'), 'object')
  t.type(await tabirClient({ url, key }).call('health', {}), 'object')
  for (const wrong of ['nonsense', '', 'tabir.example', 'ftp://tabir.example', 'https://'])
    t.throws(() => tabirClient({ url: wrong }), { name: 'TypeError', message: /^url must be/ }, wrong)
})

t.test('the client batches signals and matches in any number and keeps their order', async (t) => {
  const { key, url } = await ready
  const tabir = tabirClient({ url, key })
  await tabir.call('createBank', { body: { name: 'list' } })
  const hashes = Array.from({ length: 1200 }, randomHashText)
  const added = await tabir.addSignals(
    'list',
    hashes.map((hash, i) => ({ type: 'pdq', hash, quality: i === 7 ? 10 : 90 })),
  )
  t.equal(added.length, 1200)
  t.match(added[7], { state: 'refused', problem: { code: 'quality-too-low' } })
  t.same(
    await tabir
      .addSignals('list', [{ type: 'pdq', hash: randomHashText(), quality: 1 }])
      .then((all) => all.map((each) => each.state)),
    ['refused'],
  )

  const inPart = tabirClient({
    url,
    key,
    maxTries: 1,
    fetch: (input, init) =>
      String(init?.body).includes(hashes[1100] ?? '') ? Promise.reject(new TypeError('cut')) : fetch(input, init),
  })
  const again = hashes.map((hash) => ({ type: 'pdq' as const, hash, quality: 90 }))
  const broken: unknown = await inPart.addSignals('list', again.toSpliced(7, 1)).catch((error: unknown) => error)
  t.match(broken, { message: 'cut', added: { length: 1000 } }, 'the result of the first batch is kept when the second fails')

  const results = await tabir.match(hashes.map((hash, i) => ({ id: String(i), signals: [{ type: 'pdq', hash }] })))
  t.same(
    results.map(({ id }) => id),
    hashes.map((_, i) => String(i)),
  )
  t.same(
    results.flatMap(({ matches }, i) => (matches?.length === 1 ? [] : [i])),
    [7],
  )

  const file = await tabir.call('importFile', { params: { bank: 'list' }, body: `pdq ${randomHashText()}\n` })
  t.match(file, { accepted: 1 })
  const exported = await tabir.call('exportBank', { params: { bank: 'list' }, body: { format: 'hex', plain: true } })
  t.equal((await exported.text()).trim().split('\n').length, 1200)
  const signalId = added[0]?.signalId ?? ''
  t.equal(await tabir.call('removeSignal', { params: { bank: 'list', signalId } }), undefined)
})

t.test('matchPixels hashes a picture locally and sends its hashes only', async (t) => {
  const { key, url } = await ready
  const { tabir, sent } = recordingClient(url, key)
  const picture = await sharp({
    create: { width: 300, height: 200, channels: 3, background: '#888', noise: { type: 'gaussian', mean: 120, sigma: 60 } },
  })
    .blur(6)
    .normalise()
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const pixels = { width: 300, height: 200, channels: 4 as const, data: new Uint8Array(picture.data) }
  const { matches } = await tabir.matchPixels(pixels)
  t.same(matches, [])
  t.equal(new Set(sent).size, 1, 'the same body, repeated if the api was busy')
  t.match(JSON.parse(sent[0] ?? ''), { queries: [{ signals: [{ type: 'pdq', view: 'whole', hash: /^[0-9a-f]{64}$/ }] }] })
})

t.test('the client retries temporary failures with the same key, unless the call could happen twice', async (t) => {
  const asked: { method: string; key: string | undefined }[] = []
  const waits: number[] = []
  const playing = (...script: (number | Error)[]) =>
    tabirClient({
      url: 'http://api.example',
      wait: async (ms) => waits.push(ms),
      fetch: async (_, init) => {
        const headers = new Headers(init?.headers)
        asked.push({ method: init?.method ?? '', key: headers.get('idempotency-key') ?? undefined })
        const status = script.shift() ?? 200
        if (status instanceof Error) throw status
        const body =
          status < 300 ? { results: [] } : { type: '/problems/x', title: 'No.', status, code: 'store-unavailable' }
        return Response.json(body, { status, headers: status === 429 ? { 'retry-after': '7' } : {} })
      },
    })
  const reset = () => {
    asked.length = 0
    waits.length = 0
  }
  const match = { body: { queries: [] } }
  await playing(503, new Error('reset'), 429, 200).call('match', match)
  t.equal(asked.length, 4)
  t.equal(waits[2], 7000, 'as long as Retry-After says')

  reset()
  await playing(503, new Error('reset')).call('openCase', { body: { adult: true } })
  t.equal(asked.length, 3)
  t.equal(new Set(asked.map(({ key }) => key)).size, 1)
  t.match(asked[0]?.key, /^.{16,}$/)

  reset()
  const bank = { body: { name: 'x' } }
  await t.rejects(playing(503).call('createBank', bank), { code: 'store-unavailable', status: 503 })
  await t.rejects(playing(new Error('reset')).call('createBank', bank), { message: 'reset' })
  t.equal(asked.length, 2, 'once each, because the call may have happened')
  await playing(429).call('createBank', bank)
  t.equal(asked.length, 4, 'repeated, because a 429 did not happen')

  reset()
  await t.rejects(playing(404, 200).call('match', match), TabirProblem)
  await t.rejects(playing(503, 503, 503, 503, 503, 200).call('match', match), { code: 'store-unavailable' })
  t.equal(asked.length, 6)
})

t.test('queries are also split at 8,000 signals for each call', async (t) => {
  const { key, url } = await ready
  const { tabir, sent } = recordingClient(url, key)
  const signals = Array.from({ length: 18 }, () => ({
    type: 'pdq-area' as const,
    view: 'piece' as const,
    hash: randomHashText(),
  }))
  const results = await tabir.match(Array.from({ length: 500 }, (_, i) => ({ id: String(i), signals })))
  t.same(
    results.map(({ id }) => id),
    Array.from({ length: 500 }, (_, i) => String(i)),
  )
  const queries = sent.map((body) => JSON.parse(body).queries.length)
  t.same(new Set(queries), new Set([444, 56]), 'at most 8,000 signals for each call')
})

t.test('a lost or truncated answer is requested again, and a repeated removal counts as done', async (t) => {
  const { key, url } = await ready
  let fault: 'none' | 'lost' | 'cut' = 'none'
  let asked = 0
  const tabir = tabirClient({
    url,
    key,
    wait: async () => {},
    fetch: async (to, init) => {
      const response = await fetch(to, init)
      const text = await response.text()
      asked++
      const isFirst = asked === 1
      if (isFirst && fault === 'lost') throw new TypeError('fetch failed')
      const body = isFirst && fault === 'cut' ? text.slice(0, text.length / 2) : text
      return new Response(response.status === 204 ? null : body, { status: response.status, headers: response.headers })
    },
  })
  await tabir.call('createBank', { body: { name: 'lossy' } })
  const signals = Array.from({ length: 2 }, () => ({ type: 'pdq' as const, hash: randomHashText(), quality: 90 }))
  const query = { signals: [{ type: 'pdq' as const, hash: signals[0]?.hash ?? '' }] }
  for (const kind of ['lost', 'cut'] as const) {
    const begin = () => {
      fault = kind
      asked = 0
    }
    begin()
    t.match(await tabir.addSignals('lossy', signals), [{ signalId: /./ }, { signalId: /./ }], `addSignals ${kind}`)
    begin()
    t.equal((await tabir.match([query])).length, 1, `match ${kind}`)
    t.equal(asked, 2)
  }
  const [first, second] = await tabir.addSignals('lossy', signals)
  fault = 'lost'
  asked = 0
  const remove = (signalId: string | undefined) =>
    tabir.call('removeSignal', { params: { bank: 'lossy', signalId: signalId ?? '' } })
  t.equal(await remove(first?.signalId), undefined)
  t.equal(asked, 2)
  fault = 'none'
  t.equal((await tabir.match([query]))[0]?.matches.length, 0, 'it was removed')
  await t.rejects(remove(first?.signalId), TabirProblem, 'removing an unknown signal is an error')
  t.equal(await remove(second?.signalId), undefined)
})

t.test('the page of a captive portal is not taken for an answer, and a lost release is confirmed by a read', async (t) => {
  const signal = { params: { signalId: randomHashText() } }
  const playing = (...script: (number | Response)[]) => {
    const asked: string[] = []
    const { call } = tabirClient({
      url: 'http://api.example',
      wait: async () => {},
      fetch: async (_, init) => {
        asked.push(init?.method ?? '')
        const next = script.shift() ?? 200
        return typeof next === 'number' ? new Response(next === 204 ? null : '{}', { status: next }) : next
      },
    })
    return { call, asked }
  }
  const portal = () => new Response('<h1>Sign in</h1>', { headers: { 'content-type': 'text/html; charset=utf-8' } })
  const gone = { params: { watchId: 'x' } }
  const removal = playing(portal(), 408, 204)
  t.equal(await removal.call('removeWatch', gone), undefined)
  t.equal(removal.asked.length, 3)
  const feed = playing(portal(), new Response('{}\n', { headers: { 'content-type': 'application/x-ndjson' } }))
  t.equal(await (await feed.call('readFeed', { query: {} })).text(), '{}\n')
  await t.rejects(
    playing(portal()).call('pingWebhook', { params: { webhookId: 'x' } }),
    { code: 'unreadable' },
    'not repeated',
  )

  const conflict = { type: '/problems/x', title: 'No.', status: 409, code: 'quarantine-conflict' }
  const refused = () => Response.json(conflict, { status: 409 })
  const released = playing(502, refused(), Response.json({ circulation: 'matching' }))
  t.match(await released.call('releaseSignal', signal), { circulation: 'matching' }, 'its state is read after a lost answer')
  t.same(released.asked, ['DELETE', 'DELETE', 'GET'])
  await t.rejects(playing(refused()).call('releaseSignal', signal), { code: 'quarantine-conflict' })
})
