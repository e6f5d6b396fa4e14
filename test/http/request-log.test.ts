import Fastify from 'fastify'
import t from 'tap'
import { requestLog } from '../../src/http/plugins/request-log.js'
import { startService } from '../helpers/service.js'

t.test('successful requests are logged by sample, all others always, and every request is counted', async (t) => {
  const lines: { msg?: string; sample?: number; status?: number }[] = []
  const draws = [0.005, 0.5, 0.009, 0.01]
  const observed: number[] = []
  const app = Fastify({ logger: { level: 'info', stream: { write: (line: string) => lines.push(JSON.parse(line)) } } })
  t.teardown(() => app.close())
  await app.register(requestLog, {
    observe: ({ status }) => observed.push(status),
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
