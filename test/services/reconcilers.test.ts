// An HMA that pulled from here keeps what is withdrawn. The reconciler removes it through HMA's own routes.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { reconcilersIn } from '../../src/exchange/exchange-config.js'
import { withHoles } from '../../src/services/interop/missing-ids.js'
import { type HmaServer, type HmaServerOptions, startHma } from '../helpers/hma-server.js'
import { del } from '../helpers/requests.js'
import { keyFor, randomHashText, startService, withBitsFlipped } from '../helpers/service.js'
import { ask, caseWithPicture, operator } from '../helpers/trust.js'

const MINUTE_MS = 60_000

async function world(t: Test, options: HmaServerOptions = {}, more: object = {}) {
  const hma = await startHma(t, options)
  hma.makeExchange('TABIR')
  const clock = { nowMs: Date.now() }
  const service = await startService(t, {
    now: () => clock.nowMs,
    reconcilers: reconcilersIn(
      JSON.stringify({
        reconcilers: [{ name: 'ours', baseUrl: `${hma.url}/`, organisation: 'platform', ...more }],
      }),
    ),
  })
  const baseUrl = await service.app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => service.app.server.closeAllConnections())
  const { key } = await keyFor(service, 'platform', ['feed'])
  const ngo = await keyFor(service, 'ngo', ['signals:write'], 'ngo')
  await ask(service, 'POST', '/v1/banks', ngo.headers, { name: 'MINE' })
  const handIn = async (hashes: readonly string[]) => {
    const signals = hashes.map((hash) => ({ type: 'pdq', hash }))
    const answer = await ask(service, 'POST', '/v1/banks/MINE/signals', ngo.headers, { signals })
    return answer.json<{ signals: { signalId: string }[] }>().signals.map(({ signalId }) => signalId)
  }
  const takeBack = (id: string | undefined) => del(service.app, `/v1/banks/MINE/signals/${id}`, ngo.headers)
  const pull = (bank = 'TABIR') => hma.fetchFrom(`${baseUrl}/stopncii/v1`, { 'x-functions-key': key }, bank)
  const run = async () => (await service.services.reconcilers.run('ours')).progress
  return { hma, clock, service, ngo, handIn, takeBack, pull, run }
}

t.test('withdrawn, held and disabled signals are removed from an HMA that had them, and nothing else is', async (t) => {
  const { hma, clock, service, ngo, handIn, takeBack, pull, run } = await world(t)
  const hers = await caseWithPicture(service)
  const twice = randomHashText()
  const again = await caseWithPicture(service, twice)
  const hashes = [...Array.from({ length: 5 }, randomHashText), twice, withBitsFlipped(hers.hash, 5)]
  const ids = await handIn(hashes)
  hma.makeBank('OWN')
  const own = [randomHashText(), randomHashText()]
  hma.add('OWN', own[0] ?? '')
  hma.add('TABIR', own[1] ?? '')
  await pull()
  t.match(await run(), { state: 'waiting', failure: undefined, removed: 0, checked: 10 })
  t.ok([hers.hash, ...hashes, ...own].every(hma.matches))

  await del(service.app, hers.url, hers.headers)
  await takeBack(ids[0])
  await del(service.app, again.url, again.headers)
  const { headers } = await operator(service)
  await ask(service, 'POST', `/v1/signals/${ids[1]}/quarantine`, headers)
  await pull()
  t.ok(hma.matches(hers.hash), 'HMA itself does not learn of it')
  const before = hma.requests.length
  t.match(await run(), { state: 'waiting', removed: 3 })
  t.ok(hma.requests.length - before < 15, 'unchanged contents are not read again')
  t.notOk([hers.hash, hashes[0] ?? '', hashes[1] ?? ''].some(hma.matches), 'hers too, although a near one stays')
  t.ok([...hashes.slice(2), ...own].every(hma.matches), 'one of two reports of a picture is enough')

  await takeBack(ids[5])
  await ask(service, 'DELETE', `/v1/signals/${ids[1]}/quarantine`, headers)
  await handIn([hers.hash])
  clock.nowMs += 300
  await pull()
  await run()
  t.notOk(hma.matches(twice), 'without any report it is removed')
  t.ok(
    hma.matches(hashes[1] ?? '') && hma.matches(hers.hash),
    'released, or registered anew: HMA fetches it again, and it stays',
  )
  await takeBack(ids[1])
  await run()
  t.notOk(hma.matches(hashes[1] ?? ''))

  await ask(service, 'POST', '/v1/banks/harmless/signals', headers, { signals: [{ type: 'pdq', hash: hashes[2] }] })
  clock.nowMs += 25 * 60 * MINUTE_MS
  await run()
  t.notOk(hma.matches(hashes[2] ?? ''), 'changes outside the stream are found within a day')
  await ask(service, 'DELETE', '/c/bank/MINE', ngo.headers)
  await run()
  t.notOk(hashes.some(hma.matches), 'of a removed bank')
  t.ok(own.every(hma.matches))
  t.equal([...hma.contents.values()].filter(({ bank }) => bank === 'TABIR_MARKS').length, 0, 'no mark stays')
})

t.test('every bank that an exchange of this kind fills is cleaned, whenever it was made, and no other', async (t) => {
  const { hma, service, handIn, takeBack, pull, run } = await world(t)
  const hashes = [randomHashText(), randomHashText()]
  const [first, second] = await handIn(hashes)
  await pull()
  await run()
  hma.makeExchange('LATER')
  hma.makeExchange('ELSEWHERE', 'ncmec')
  hma.makeExchange('lower/case?')
  await pull('LATER')
  hma.beginWrite('ELSEWHERE', hashes)()
  await takeBack(first)
  t.match(await run(), { state: 'waiting', failure: undefined, removed: 2 })
  const left = () => [...hma.contents.values()].map(({ bank, pdq }) => `${bank} ${hashes.indexOf(pdq)}`).sort()
  t.same(left(), ['ELSEWHERE 0', 'ELSEWHERE 1', 'LATER 1', 'TABIR 1'])
  t.notOk(
    hma.requests.some((request) => request.includes('lower')),
    'a name that no bank can have is not asked for',
  )

  // A bank that is not filled from here is left whole, and the others are still cleaned.
  hma.makeExchange('FOREIGN')
  hma.beginWrite('FOREIGN', Array.from({ length: 30 }, randomHashText))()
  await takeBack(second)
  t.match(await run(), { state: 'failed', failure: 'bank-content-foreign', caughtUpAtMs: undefined })
  t.same(
    left().filter((name) => !name.startsWith('FOREIGN')),
    ['ELSEWHERE 0', 'ELSEWHERE 1'],
  )
  t.equal(left().length, 32)
  const [{ hmaBanks } = { hmaBanks: [] }] = await service.services.reconcilers.list()
  t.same(hmaBanks, ['TABIR', 'LATER', 'FOREIGN'])

  hma.removeExchange('FOREIGN')
  t.match(await run(), { state: 'waiting', failure: undefined })
})

t.test('a withdrawal before the first look, or while HMA still writes, is removed', async (t) => {
  const { hma, clock, handIn, takeBack, run } = await world(t)
  const hashes = Array.from({ length: 6 }, randomHashText)
  const ids = await handIn(hashes)
  const write = hma.beginWrite('TABIR', hashes.slice(0, 3))
  hma.beginWrite('TABIR', [hashes[3] ?? ''])()
  await takeBack(ids[0])
  await takeBack(ids[3])
  await run()
  t.notOk(hma.matches(hashes[3] ?? ''))
  clock.nowMs += 4 * MINUTE_MS
  write()
  t.ok(hma.matches(hashes[0] ?? ''))
  await run()
  t.same(hashes.slice(0, 4).map(hma.matches), [false, true, true, false])

  const late = hma.beginWrite('TABIR', [randomHashText()])
  await run()
  clock.nowMs += 16 * MINUTE_MS
  await run()
  const before = hma.requests.length
  await run()
  t.ok(hma.requests.length - before < 5, 'an old gap is not read any more')
  late()
  clock.nowMs += 24 * 60 * MINUTE_MS
  t.match(await run(), { removed: 3 }, 'except once a day')
})

t.test('a content that an HMA before 1.1 keeps after import is disabled', async (t) => {
  const { hma, handIn, takeBack, pull, run } = await world(t, { keepsImported: true })
  const [hash = ''] = [randomHashText()]
  const [id] = await handIn([hash])
  await pull()
  await run()
  await takeBack(id)
  await run()
  t.notOk(hma.matches(hash))
  t.match([...hma.contents.values()], [{ pdq: hash, disableUntil: 0 }])
})

t.test('a bank that is not filled from here is left alone, and a failure names its cause', async (t) => {
  const { hma, handIn, pull, run, service } = await world(t, {}, { bearer: 'secret' })
  hma.askForKey('other')
  t.match(await run(), { state: 'failed', failure: 'credentials-rejected' })
  hma.askForKey('secret')
  hma.answerAlways(200)
  t.match(await run(), { state: 'failed', failure: 'response-invalid' })
  hma.answerAlways(500)
  t.match(await run(), { state: 'failed', failure: 'unreachable' })
  hma.answerAlways(undefined)
  hma.makeExchange('TABIR', 'ncmec')
  t.match(await run(), { state: 'failed', failure: 'bank-without-exchange' })

  hma.makeExchange('TABIR')
  hma.beginWrite('TABIR', Array.from({ length: 60 }, randomHashText))()
  t.match(await run(), { state: 'failed', failure: 'bank-content-foreign', removed: 0 })
  t.equal(hma.contents.size, 60)
  await handIn(Array.from({ length: 3 }, randomHashText))
  await pull()
  t.match(await run(), { failure: 'bank-content-foreign' })
  t.equal(hma.contents.size, 63)

  const { headers } = await keyFor(service, 'operator', ['admin'], 'operator')
  const list = (await service.app.inject({ url: '/v1/exchanges', headers })).json()
  t.match(list, { exchanges: [], reconcilers: [{ name: 'ours', hmaBanks: ['TABIR'], failure: 'bank-content-foreign' }] })
  t.notMatch(JSON.stringify(list), 'secret')
  const { body } = await service.app.inject({ url: '/metrics' })
  t.match(body, /^tabir_reconciler_behind_seconds \d/m)
  const stranger = await world(t, {}, { organisation: 'nobody' })
  t.match(await stranger.run(), { failure: 'organisation-unknown' })
  const file = (more: string) => `{"reconcilers":[{"name":"x","baseUrl":"http://hunter2/"${more}}]}`
  t.throws(() => reconcilersIn(file('')), /reconcilers\.0\.organisation/)
  t.throws(() => reconcilersIn(file(',"organisation":"o","hmaBank":"TABIR"')), /reconcilers\.0 .*"hmaBank"/)
})

t.test('after a kill at any point the next run continues, and everything is removed in the end', async (t) => {
  let die: { child: ChildProcess; inRequests: number } | undefined
  const onRequest = () => {
    if (die !== undefined && --die.inRequests <= 0) die.child.kill('SIGKILL')
  }
  const { hma, service, ngo, handIn, pull } = await world(t, { onRequest })
  const hashes = Array.from({ length: 300 }, randomHashText)
  const kept = randomHashText()
  await ask(service, 'POST', '/v1/banks', ngo.headers, { name: 'KEPT' })
  await ask(service, 'POST', '/v1/banks/KEPT/signals', ngo.headers, { signals: [{ type: 'pdq', hash: kept }] })
  await handIn(hashes)
  await pull()
  const runOnce = async (inRequests: number) => {
    const child = fork(fileURLToPath(new URL('../helpers/reconciler-process.js', import.meta.url)), {
      env: { PATH: process.env['PATH'], SOCKET: service.redis.socket, HMA: hma.url },
    })
    die = { child, inRequests }
    const [code] = await once(child, 'exit')
    die = undefined
    return code
  }
  t.equal(await runOnce(5 + Math.floor(Math.random() * 250)), null, 'killed while it reads everything')
  t.equal(await runOnce(Number.POSITIVE_INFINITY), 0)
  t.equal(hma.contents.size, 301)
  await ask(service, 'DELETE', '/c/bank/MINE', ngo.headers)
  t.equal(await runOnce(210 + Math.floor(Math.random() * 150)), null, 'killed while it removes')
  t.ok(hma.contents.size < 300, `${hma.contents.size} were left when it was killed`)
  t.equal(await runOnce(Number.POSITIVE_INFINITY), 0)
  t.same(left(hma), [kept])
})

t.test('missing ids are kept as gaps until they are seen', async (t) => {
  const hole = (from: number, to: number, sinceMs = 1) => ({ from, to, sinceMs })
  t.same(withHoles([], 1, 9, [2, 3, 4, 7], 1), [hole(2, 4), hole(7, 7)])
  t.same(withHoles([hole(2, 8)], 4, 5, [5], 9), [hole(2, 3), hole(5, 5, 9), hole(6, 8)])
  t.same(withHoles([hole(2, 8), hole(20, 21)], 1, 10, [], 9), [hole(20, 21)])
})

function left({ contents }: HmaServer): string[] {
  return [...contents.values()].map(({ pdq }) => pdq)
}

t.test('an HMA with endless ids yields to other work, and the next run continues', async (t) => {
  const clock = { nowMs: Date.now() }
  const looked: number[] = []
  const hma = createServer(({ method, url = '' }, response) => {
    const [, id] = /^\/c\/bank\/TABIR\/content\/(\d+)/.exec(url) ?? []
    if (id !== undefined) looked.push(Number(id))
    clock.nowMs += 300
    response.statusCode = id === undefined ? 200 : 404
    const other = url === '/c/exchanges' ? ['TABIR'] : { api: 'stop_ncii', deleted: 1 }
    response.end(JSON.stringify(method === 'POST' ? { id: Number.MAX_SAFE_INTEGER } : other))
  })
  hma.listen(0, '127.0.0.1')
  await once(hma, 'listening')
  t.teardown(() => hma.close())
  const address = hma.address()
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const json = JSON.stringify({ reconcilers: [{ name: 'endless', baseUrl, organisation: 'platform' }] })
  const service = await startService(t, { now: () => clock.nowMs, reconcilers: reconcilersIn(json) })
  await keyFor(service, 'platform', ['feed'])
  await service.services.reconcilers.run('endless')
  const first = looked.length
  t.ok(first > 0 && first <= 600, `${first} contents in one run`)
  clock.nowMs += 16 * MINUTE_MS // until then missing ids are looked at again
  const { progress } = await service.services.reconcilers.run('endless')
  t.match(progress, { caughtUpAtMs: undefined, failure: undefined })
  t.equal(Math.min(...looked.slice(first)), first + 1, 'the next run continues')
})
