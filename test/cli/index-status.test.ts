import { Redis } from 'ioredis'
import t from 'tap'
import { z } from 'zod'
import { keys } from '../../src/store/redis/keys.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'
import { runTabir } from '../helpers/tabir.js'

const tabir = (...args: string[]) => runTabir({ PATH: process.env['PATH'] ?? '' }, args)

t.test('tabir index status and the metrics show the contents of the index of a running api', async (t) => {
  const service = await startService(t)
  const { app } = service
  const { headers } = await keyFor(service, 'many')
  await app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'many' } })
  const payload = { signals: Array.from({ length: 30 }, () => ({ type: 'pdq', hash: randomHashText() })) }
  const added = await app.inject({ method: 'POST', url: '/v1/banks/many/signals', headers, payload })
  t.ok([200, 201].includes(added.statusCode), added.body)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  const { status, out } = await tabir('index', 'status', '--url', url)
  t.equal(status, 0)
  t.match(out, /^revision \d+, nothing is missing, last update from the store \d+ ms ago$/m)
  t.match(out, /^30 images, /m)
  t.match(out, /^pdq: 30 live of 30 rows, [\d.]+ MB, [\d.]+ bytes a row; at 31 bits:$/m)
  t.match(out, /^ {2}head +30 rows +0 dead +[\d.]+ MB {3}reads every row$/m)
  t.match(out, /^sha256: no rows$/m)

  const json = await tabir('index', 'status', '--json', '--url', url)
  const { indexes } = z
    .object({ indexes: z.array(z.object({ type: z.string(), rows: z.int(), bytes: z.int() })) })
    .parse(JSON.parse(json.out))
  t.equal(indexes.find(({ type }) => type === 'pdq')?.rows, 30)

  const metrics = (await app.inject({ url: '/metrics' })).body
  t.match(metrics, /^tabir_index_rows\{type="pdq"\} 30$/m)
  t.match(metrics, /^tabir_index_held_rows\{type="pdq"\} 30$/m)
  t.match(metrics, /^tabir_index_parts\{type="pdq"\} 1$/m)
  t.match(metrics, /^tabir_index_plan_candidates\{type="pdq"\} 30$/m)
  t.match(metrics, /^tabir_index_bytes_per_row\{type="sha256"\} 0$/m)
  t.match(metrics, /^tabir_index_staleness_seconds 0\.\d+$/m)
})

t.test('tabir index status shows how many changes the api has not applied', async (t) => {
  const { app, redis } = await startService(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const line = new Redis(redis.socket)
  t.teardown(() => line.disconnect())
  await line.incrby(keys.revision, 3)

  const { status, out } = await tabir('index', 'status', '--url', url)

  t.equal(status, 0)
  t.match(out, /^revision 0, 3 changes behind, last update from the store \d+ ms ago$/m)
})

t.test('tabir index status fails if the api is not ready', async (t) => {
  const { app, redis } = await startService(t)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  await redis.server.stop()
  await until(async () => (await app.inject({ url: '/health/index' })).statusCode === 503)
  const { status, errors } = await tabir('index', 'status', '--url', url)
  t.equal(status, 1)
  t.equal(errors, `Api: ${url}\nThe api at ${url} is not ready: store-unavailable.\n`)
})

t.test('tabir index with missing or wrong arguments prints its usage', async (t) => {
  for (const args of [[], ['stat'], ['status', '--no'], ['status', '--url', 'nowhere']]) {
    const { status, errors } = await tabir('index', ...args)
    t.equal(status, 2)
    t.equal(errors, 'tabir index status [--url URL] [--key-file FILE] [--json]\n')
  }
})
