// Refusals about signals of banks: they echo nothing and stop no other line. No worker is needed.

import { connect } from 'node:net'
import t from 'tap'
import { z } from 'zod'
import { MARKER, refused, withoutInstance } from '../helpers/refusal.js'
import { del, head, ndjson, post, prepared, signals, silent } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, until } from '../helpers/service.js'
import { connectionsOf, listen } from '../helpers/sockets.js'

t.test('a bank of another organisation gets the answers of a bank that does not exist', async (t) => {
  const { service, ngo, platform } = await prepared(t)
  const { app } = service
  const { headers } = await keyFor(service, 'another ngo')
  const added = await post(app, '/v1/banks/mine/signals', signals(1), ngo.headers)
  const { signalId } = z.object({ signals: z.tuple([z.object({ signalId: z.string() })]) }).parse(added.json()).signals[0]

  const ways = (bank: string) => [
    post(app, `/v1/banks/${bank}/signals`, signals(1), headers),
    ndjson(app, bank, JSON.stringify(signals(1).signals[0]), headers),
    del(app, `/v1/banks/${bank}/signals/${signalId}`, headers),
  ]
  const [foreign, unknown, cases] = await Promise.all(['mine', 'nobodys', 'cases'].map((bank) => Promise.all(ways(bank))))
  for (const [i, answer] of (foreign ?? []).entries()) {
    refused(t, answer, 'bank-unknown')
    for (const other of [unknown?.[i], cases?.[i]]) t.same(withoutInstance(other?.body ?? ''), withoutInstance(answer.body))
  }
  refused(t, await post(app, '/v1/banks', { name: 'mine' }, headers), 'bank-exists')
  refused(t, await post(app, '/v1/banks', { name: 'cases' }, headers), 'bank-exists', 'the bank of the cases')
  refused(t, await del(app, `/v1/banks/mine/signals/00000000-0000-7000-8000-000000000000`, ngo.headers), 'signal-unknown')
  const query = { queries: [{ signals: [{ type: 'pdq', hash: randomHashText() }] }], banks: ['mine', MARKER] }
  refused(t, await post(app, '/v1/match', query, platform.headers), 'bank-unknown', 'an unknown bank in a query')
  refused(t, await post(app, `/v1/match/images?banks=${MARKER}`, undefined, platform.headers), 'bank-unknown')

  t.equal((await del(app, `/v1/banks/mine/signals/${signalId}`, ngo.headers)).statusCode, 204, 'its owner can remove it')
  refused(t, await del(app, `/v1/banks/mine/signals/${signalId}`, ngo.headers), 'signal-unknown', 'not twice')
  silent(t, service)
})

t.test('a reference of 255 bytes is accepted, and a longer one is refused', async (t) => {
  const { service, ngo } = await prepared(t)
  const send = (ref: string) =>
    post(service.app, '/v1/banks/mine/signals', { signals: [{ type: 'pdq', hash: randomHashText(), ref }] }, ngo.headers)

  refused(t, await send('€'.repeat(86)), 'request-invalid')
  t.equal((await send('€'.repeat(85))).statusCode, 201)
})

t.test('an invalid line is refused with its number, and the other lines are accepted', async (t) => {
  const { service, ngo, platform } = await prepared(t)
  const { app } = service
  const [first, last] = [randomHashText(), randomHashText()]
  const good = (hash: string) => JSON.stringify({ type: 'pdq', hash })
  const lines = [
    good(first),
    `{"type":"pdq","hash":"${MARKER}`,
    '',
    `{"type":"pdq","hash":"${randomHashText()}","${MARKER}":1}`,
    JSON.stringify({ type: 'pdq', hash: randomHashText(), ref: MARKER.repeat(20) }),
    `{"type":"pdq","hash":"${randomHashText()}","ref":"${MARKER.repeat(1000)}"}`,
    `${good(randomHashText())}\0`,
    JSON.stringify({ type: 'pdq', hash: randomHashText(), quality: 49 }),
    `[${MARKER}]`,
    'null',
    Buffer.from([0xff, 0xfe, 0x00]).toString('latin1'),
    `${good(last)}\r`,
  ]

  const answer = await ndjson(app, 'mine', lines.join('\n'), ngo.headers)

  t.equal(answer.statusCode, 201)
  const refusedLines = [2, 4, 5, 6, 7, 8, 9, 10, 11]
  t.match(answer.json(), {
    accepted: 2,
    refused: refusedLines.length,
    signals: [
      { line: 1, state: 'registered' },
      ...refusedLines.map((line) => ({
        line,
        state: 'refused',
        problem: { code: line === 8 ? 'quality-too-low' : 'request-invalid' },
      })),
      { line: 12, state: 'registered' },
    ],
  })
  t.notOk(answer.body.includes(MARKER))
  const queries = [first, last].map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
  t.match((await post(app, '/v1/match', { queries }, platform.headers)).json(), {
    results: [{ matches: [{ grade: 'near' }] }, { matches: [{ grade: 'near' }] }],
  })

  refused(t, await ndjson(app, 'mine', `${MARKER}\n${MARKER}`, ngo.headers), 'request-invalid', 'no good line at all')
  refused(t, await ndjson(app, 'mine', '', ngo.headers), 'request-invalid', 'no line at all')
  refused(t, await ndjson(app, 'mine', MARKER.repeat(1_000_000), ngo.headers), 'request-invalid', 'a line of 12 MB')
  silent(t, service)
})

t.test('15,000 lines are accepted in one body, and lines before a disconnect are stored', async (t) => {
  const { service, ngo, platform } = await prepared(t)
  const lines = Array.from({ length: 15_000 }, () => JSON.stringify({ type: 'pdq', hash: randomHashText() }))
  const whole = await ndjson(service.app, 'mine', lines.join('\n'), ngo.headers)
  t.match(whole.json(), { accepted: lines.length, refused: 0 })

  const port = await listen(service.app)
  const hash = randomHashText()
  const text = [hash, ...Array.from({ length: 600 }, randomHashText)].map((h) => `{"type":"pdq","hash":"${h}"}\n`).join('')
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(head('/v1/banks/mine/signals', ngo.key, 'application/x-ndjson', text.length * 2) + text)
  const query = { queries: [{ signals: [{ type: 'pdq', hash }] }] }
  await until(async () => (await post(service.app, '/v1/match', query, platform.headers)).body.includes('matchId'))
  socket.destroy()
  await until(() => connectionsOf(service.app).then((count) => count === 0))
  await ndjson(service.app, 'mine', JSON.stringify({ type: 'pdq', hash }), ngo.headers)
  t.notOk(
    service.log.some((line) => line.includes('"level":50')),
    'a disconnect is not logged as an error',
  )
})

t.test('a hash of low quality is refused in registrations, and accepted in queries from quality 25 on', async (t) => {
  const { service, ngo, platform } = await prepared(t)
  const { app } = service
  const her = await openCase(app)
  const image = (quality: number) => ({ signals: [{ type: 'pdq', hash: randomHashText(), quality }] })

  const alone = await post(app, `${her.url}/hashes`, { images: [image(49)] }, her.headers)
  refused(t, alone, 'quality-too-low')
  t.match(alone.json(), { detail: /detail.*larger or sharper/ }, 'with advice')
  const among = await post(app, `${her.url}/hashes`, { images: [image(49), image(50)] }, her.headers)
  t.equal(among.statusCode, 201)
  t.match(among.json(), {
    images: [
      { state: 'refused', problem: { code: 'quality-too-low' } },
      { state: 'registered', quality: 50 },
    ],
  })
  t.match((await app.inject({ url: her.url, headers: her.headers })).json(), { images: 1 })

  const bank = { signals: [{ type: 'pdq', hash: randomHashText(), quality: 49 }] }
  refused(t, await post(app, '/v1/banks/mine/signals', bank, ngo.headers), 'quality-too-low')
  const asked = await post(app, '/v1/match', { queries: [image(24), image(25), image(90)] }, platform.headers)
  t.match(asked.json(), {
    results: [{ matches: [], problem: { code: 'quality-too-low' } }, { matches: [] }, { matches: [] }],
  })
  t.equal(asked.json().results[1].problem, undefined, 'queries accept a lower quality than registrations')
})

t.test('a hash that no picture has is refused in cases, banks and submissions, and no other picture with it', async (t) => {
  const { service, ngo } = await prepared(t)
  const { app } = service
  const her = await openCase(app)
  const [zeros, bars] = ['0'.repeat(64), '5'.repeat(64)]
  const whole = (hash: string) => ({ type: 'pdq', hash, quality: 100 })
  const part = (hash: string) => ({ ...whole(hash), type: 'pdq-area', view: 'crop' })
  const frames = [{ atMs: 0, signals: [whole(randomHashText()), part(bars)] }]
  const pictures = [[whole(zeros)], [whole(bars)], [whole(randomHashText()), part(bars)], [whole(randomHashText())]]
  const images = pictures.map((signals) => ({ signals }))
  const improbable = { state: 'refused', problem: { code: 'hash-improbable' } }

  const ofCase = await post(app, `${her.url}/hashes`, { images, videos: [{ durationMs: 1000, frames }] }, her.headers)
  t.match(ofCase.json(), {
    images: [improbable, improbable, improbable, { state: 'registered' }],
    videos: [improbable],
  })
  refused(t, await post(app, `${her.url}/hashes`, { images: images.slice(0, 1) }, her.headers), 'hash-improbable')
  const signals = [{ type: 'pdq', hash: bars }, ...pictures.slice(3).flat()]
  const ofBank = await post(app, '/v1/banks/mine/signals', { signals, images: images.slice(2) }, ngo.headers)
  t.match(ofBank.json(), {
    signals: [improbable, { state: 'registered' }, improbable, { state: 'registered' }],
  })
  const lines = await ndjson(app, 'mine', signals.map((signal) => JSON.stringify(signal)).join('\n'), ngo.headers)
  t.match(lines.json(), {
    signals: [
      { line: 1, ...improbable },
      { line: 2, state: 'registered' },
    ],
  })
  const hashRecords = [bars, randomHashText()].map((hashValue) => ({ hashValue, signalType: 'ImagePDQ' }))
  const submitted = await post(app, '/stopncii/v1/SubmitHashes', { hashRecords }, ngo.headers)
  t.match(submitted.json(), { accepted: 1, refused: [{ index: 0, reason: 'hash-improbable' }] })
  await post(app, '/c/banks', { name: 'HMA' }, ngo.headers)
  t.equal((await post(app, '/c/bank/HMA/signal', { pdq: bars }, ngo.headers)).statusCode, 422, 'in the form of HMA')
})
