// Revocations during use: a bank that is being written, a key that reads or submits, a case that is handed over.

import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import t from 'tap'
import { hmaClient, hmaWorld } from '../helpers/hma.js'
import { refused } from '../helpers/refusal.js'
import { del, post } from '../helpers/requests.js'
import { keyFor, randomHashText, startService, submitted, type TestService, until } from '../helpers/service.js'
import { listen } from '../helpers/sockets.js'

/** Lines of one batch; an import takes two of these at a time. */
const LINES_OF_A_BATCH = 500
/** Bodies wait for the test, so they must not count as too slow. */
const serverLimits = { slowForMs: 3_600_000 }

t.test('a file that is being sent into a bank is refused once the bank is removed', async (t) => {
  const service = await startService(t, { serverLimits })
  const ngo = await keyFor(service, 'ngo', ['signals:write', 'match'])
  const hma = hmaClient(service, ngo.headers)
  const port = await listen(service.app)
  for (const path of ['signals', 'imports']) {
    const bank = `GONE_${path}`.toUpperCase()
    await hma('POST', '/c/banks', { name: bank })
    const file = slowFile(port, `/v1/banks/${bank}/${path}`, ngo.key)
    await until(() => isFound(service, ngo.headers, file.first))
    await hma('DELETE', `/c/bank/${bank}`)
    file.goOn()
    refused(t, await file.answer, 'bank-unknown', path)
    t.notOk(await isFound(service, ngo.headers, file.second), path)
  }
})

t.test('a new bank with the name of a removed one shows none of its imports and accepts the same file', async (t) => {
  const clock = { aheadMs: 0 }
  const service = await startService(t, { now: () => Date.now() + clock.aheadMs })
  const { app } = service
  const ngo = await keyFor(service, 'ngo', ['signals:write', 'match'])
  const other = await keyFor(service, 'other', ['signals:write', 'match'])
  const hma = hmaClient(service, ngo.headers)
  const hash = randomHashText()
  const handIn = ({ headers }: typeof ngo) => {
    const more = { 'content-type': 'text/plain', 'idempotency-key': 'the digest of the file'.replaceAll(' ', '-') }
    return app.inject({ method: 'POST', url: '/v1/banks/AGAIN/imports', headers: { ...headers, ...more }, payload: hash })
  }
  const listed = async ({ headers }: typeof ngo) =>
    (await app.inject({ url: '/v1/banks/AGAIN/imports', headers })).json<{ imports: unknown[] }>().imports

  await hma('POST', '/c/banks', { name: 'AGAIN' })
  t.match((await handIn(ngo)).json(), { accepted: 1 })
  t.equal((await listed(ngo)).length, 1)
  await hma('DELETE', '/c/bank/AGAIN')
  clock.aheadMs = 60_000
  const make = () => post(app, '/v1/banks', { name: 'AGAIN' }, other.headers)
  await until(async () => (await make()).statusCode === 201)

  t.same(await listed(other), [], 'no import of the former bank is listed')
  t.match((await handIn(other)).json(), { accepted: 1 })
  t.ok(await isFound(service, other.headers, hash), 'the signal is in the new bank')
})

t.test('removed content stays removed when notes are written to it concurrently', async (t) => {
  const { hma, add, look } = await hmaWorld(t)
  for (let round = 0; round < 20; round++) {
    const hash = randomHashText()
    const content = `/c/bank/MINE/content/${await add(hash)}`
    const notes = Array.from({ length: 6 }, (_, i) => hma('PUT', content, { note: `note ${i}` }))
    t.same((await hma('DELETE', content)).body, { deleted: 1 })
    for (const { status } of await Promise.all(notes)) t.ok([200, 404].includes(status), String(status))
    t.same(await look(hash), {}, 'it matches nothing')
  }
})

t.test('a file that is being sent is refused once its key is revoked, and earlier lines stay', async (t) => {
  const service = await startService(t, { serverLimits })
  const port = await listen(service.app)
  for (const path of ['signals', 'imports']) {
    const ngo = await keyFor(service, `ngo of ${path}`, ['signals:write', 'match'])
    const other = await keyFor(service, 'platform', ['match'])
    await post(service.app, '/v1/banks', { name: path }, ngo.headers)
    const file = slowFile(port, `/v1/banks/${path}/${path}`, ngo.key)
    await until(() => isFound(service, other.headers, file.first))
    await takeBack(service, ngo.keyId)
    file.goOn()
    refused(t, await file.answer, 'key-invalid', path)
    t.notOk(await isFound(service, other.headers, file.second), path)
    t.ok(await isFound(service, other.headers, file.first), 'lines accepted before stay')
  }
})

t.test('a query whose key is revoked while its body arrives is refused', async (t) => {
  const service = await startService(t, { serverLimits })
  const port = await listen(service.app)
  const asking = await keyFor(service, 'platform', ['match'])
  const body = JSON.stringify({ queries: [{ signals: [{ type: 'pdq', hash: randomHashText() }] }] })
  const shown = { authorization: `Bearer ${asking.key}`, expect: '100-continue' }
  const headers = { ...shown, 'content-type': 'application/json', 'content-length': body.length }
  const ask = request({ method: 'POST', port, path: '/v1/match', headers, agent: false })
  const answered = answerTo(ask)
  await once(ask, 'continue') // the key was accepted
  ask.write(body.slice(0, 10))
  await takeBack(service, asking.keyId)
  ask.end(body.slice(10))
  refused(t, await answered, 'key-invalid')
})

t.test('a feed request or stream that waits when its key is revoked gets nothing more', async (t) => {
  const service = await startService(t)
  const reader = await keyFor(service, 'reader', ['feed'])
  const cursor = await cursorOf(service, reader.headers)
  const waiting = service.app.inject({ url: `/v1/feed?wait=30&after=${cursor}`, headers: reader.headers })
  const stream = await listening(await listen(service.app), `/v1/feed?after=${cursor}`, reader.key)
  await takeBack(service, reader.keyId)
  const { hash } = await submitted(service)
  refused(t, await waiting, 'key-invalid')
  await until(() => stream.hasEnded())
  t.notOk(stream.text().includes(hash))
})

t.test('an event stream of a case ends when its key is revoked or the case is handed over', async (t) => {
  const service = await startService(t)
  const { app } = service
  const ngo = await keyFor(service, 'ngo', ['cases:write'], 'ngo')
  const second = await keyFor(service, 'ngo', ['cases:write'], 'ngo')
  const consent = { kind: 'in-person', on: '2026-01-01' }
  const { caseNumber } = (await post(app, '/v1/assisted-cases', { adult: true, consent }, ngo.headers)).json<{
    caseNumber: string
  }>()
  const url = `/v1/cases/${caseNumber}`
  const port = await listen(app)
  const heard = await listening(port, `${url}/events`, ngo.key)
  const alsoHeard = await listening(port, `${url}/events`, second.key)
  await until(() => [heard, alsoHeard].every((each) => each.text().includes('event: opened')))

  await takeBack(service, second.keyId)
  t.equal((await addHash(service, url, ngo.headers)).statusCode, 201)
  await until(() => heard.text().includes('event: registered') && alsoHeard.hasEnded())
  t.notOk(alsoHeard.text().includes('event: registered'), 'with a revoked key')

  const { pin } = (await post(app, `${url}/handover`, {}, ngo.headers)).json<{ pin: string }>()
  const { token } = (await post(app, `${url}/tokens`, { pin })).json<{ token: string }>()
  await addHash(service, url, { authorization: `Bearer ${token}` })
  await until(() => heard.hasEnded())
  t.equal(heard.text().match(/event: registered/g)?.length, 1, 'after the handover')
})

t.test('concurrent handovers at two processes give the same PIN', async (t) => {
  const service = await startService(t)
  const beside = await startService(t, { redis: service.redis })
  const ngo = await keyFor(service, 'ngo', ['cases:write'], 'ngo')
  await until(() => beside.services.identify(ngo.key) !== undefined)
  const consent = { kind: 'in-writing', on: '2026-01-01' }
  for (let round = 0; round < 5; round++) {
    const opened = await post(service.app, '/v1/assisted-cases', { adult: true, consent }, ngo.headers)
    const url = `/v1/cases/${opened.json<{ caseNumber: string }>().caseNumber}`
    const answers = await Promise.all([service, beside].map(({ app }) => post(app, `${url}/handover`, {}, ngo.headers)))
    const [given] = answers
    for (const answer of answers) t.same([answer.statusCode, answer.body], [201, given?.body])
    const { pin } = given?.json<{ pin: string }>() ?? { pin: '' }
    t.equal((await post(service.app, `${url}/tokens`, { pin })).statusCode, 201)
  }
})

/** Submits a batch of lines, and one more when told to continue. */
function slowFile(port: number, path: string, key: string) {
  const line = (hash: string) => `${JSON.stringify({ type: 'pdq', hash })}\n`
  const [first, second] = [randomHashText(), randomHashText()]
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' }
  const asked = request({ method: 'POST', port, path, headers, agent: false })
  const answer = answerTo(asked)
  asked.write(line(first) + Array.from({ length: 2 * LINES_OF_A_BATCH - 1 }, () => line(randomHashText())).join(''))
  return { answer, first, second, goOn: () => asked.end(line(second)) }
}

async function answerTo(asked: ClientRequest) {
  const [response]: IncomingMessage[] = await once(asked, 'response')
  let body = ''
  for await (const piece of response ?? []) body += String(piece)
  return { statusCode: response?.statusCode ?? 0, headers: response?.headers ?? {}, body }
}

async function takeBack(service: TestService, keyId: string): Promise<void> {
  const operator = await keyFor(service, 'operator', ['admin'], 'operator')
  await del(service.app, `/v1/keys/${keyId}`, operator.headers)
}

async function isFound({ app }: TestService, headers: Record<string, string>, hash: string): Promise<boolean> {
  const answer = await post(app, '/v1/match', { queries: [{ signals: [{ type: 'pdq', hash }] }] }, headers)
  return answer.json<{ results?: { matches: unknown[] }[] }>().results?.[0]?.matches.length === 1
}

function addHash({ app }: TestService, url: string, headers: Record<string, string>) {
  const payload = { images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }] }] }
  return post(app, `${url}/hashes`, payload, headers)
}

async function cursorOf({ app }: TestService, headers: Record<string, string>): Promise<string> {
  const lines = (await app.inject({ url: '/v1/feed', headers })).body.trim().split('\n')
  return (JSON.parse(lines.at(-1) ?? '{}') as { cursor: string }).cursor
}

/** Opens an event stream. */
async function listening(port: number, path: string, key: string) {
  const headers = { authorization: `Bearer ${key}`, accept: 'text/event-stream' }
  const asked = request({ port, path, headers, agent: false }).end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  let text = ''
  let hasEnded = false
  answer.setEncoding('utf8').on('data', (piece) => {
    text += piece
  })
  answer.on('close', () => {
    hasEnded = true
  })
  return { text: () => text, hasEnded: () => hasEnded }
}
