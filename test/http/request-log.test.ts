import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import Fastify from 'fastify'
import t from 'tap'
import { createRequestLog, requestLog } from '../../src/http/plugins/request-log.js'
import { startService } from '../helpers/service.js'

const INVENTORY = resolve(import.meta.dirname, '../../../docs/data-inventory.md')

t.test('successful requests are logged by sample, all others always, and every request is counted', async (t) => {
  const lines: { msg?: string; sample?: number; status?: number }[] = []
  const draws = [0.005, 0.5, 0.009, 0.01]
  const observed: number[] = []
  const app = Fastify({ logger: { level: 'info', stream: { write: (line: string) => lines.push(JSON.parse(line)) } } })
  t.teardown(() => app.close())
  await app.register(requestLog, {
    observe: ({ status }) => observed.push(status),
    logRequest: createRequestLog(() => 0),
    sample: 0.01,
    random: () => draws.shift() ?? 1,
  })
  app.get('/:status', async (request, reply) => reply.code(Number((request.params as { status: string }).status)).send())
  for (const status of [200, 404, 201, 503, 304, 500, 204, 429]) await app.inject({ url: `/${status}` })

  const shown = lines.filter(({ msg }) => msg === 'request').map(({ status, sample }) => [status, sample])
  t.same(shown, [
    [200, 0.01],
    [404, undefined],
    [503, undefined],
    [304, 0.01],
    [500, undefined],
    [429, undefined],
  ])
  t.equal(observed.length, 8)
  t.same(draws, [], 'no random number is drawn for other requests')
})

t.test('of refusals by limits ten a second are logged, and the next line says how many were not', async (t) => {
  const lines: object[] = []
  let nowMs = 0
  const { log } = Fastify({ logger: { level: 'info', stream: { write: (line: string) => lines.push(JSON.parse(line)) } } })
  const logRequest = createRequestLog(() => nowMs)
  const ask = (code: 'rate-limited' | 'overloaded' | 'key-missing') =>
    logRequest(log, { method: 'GET', route: '/v1/banks', status: 429, ms: 1, code })
  for (let i = 0; i < 500; i++) ask(i % 2 === 0 ? 'rate-limited' : 'overloaded')
  ask('key-missing')
  t.equal(lines.length, 11)
  nowMs = 1000
  ask('rate-limited')
  t.match(lines.at(-1), { code: 'rate-limited', unlogged: 490 })
  ask('rate-limited')
  t.notMatch(lines.at(-1), { unlogged: Number })
  const [row = ''] = /^\| `request` \|.*$/m.exec(readFileSync(INVENTORY, 'utf8')) ?? []
  const ofLogger = ['level', 'time', 'pid', 'hostname', 'msg']
  for (const name of new Set(lines.flatMap(Object.keys)))
    t.ok(ofLogger.includes(name) || row.includes(`\`${name}\``), `the data inventory names ${name}`)
})

t.test('with a sample of 0 refusals are still logged, and every request is counted', async (t) => {
  const { app, log } = await startService(t, { logSample: 0 })
  for (let i = 0; i < 3; i++) t.equal((await app.inject({ url: '/health/live' })).statusCode, 200)
  t.equal((await app.inject({ url: '/v1/banks' })).statusCode, 401)
  const requests = log.filter((line) => line.includes('"msg":"request"'))
  t.equal(requests.length, 1)
  t.match(requests[0], /"status":401,.*"code":"key-missing"/)
  t.match(
    (await app.inject({ url: '/metrics' })).body,
    /tabir_http_request_duration_seconds_count\{[^}]*route="\/health\/live"[^}]*\} 3/,
  )
})
