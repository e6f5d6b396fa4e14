// Does the service's memory stay level during half an hour of load?
//
//   npm run bench soak [-- --rows N] [--per-s R] [--minutes M] [--json] [--record]
//
// A private Redis with N images of one PDQ hash each; one api, which writes snapshots as in production; one process of workers with a child for each
// core; a messenger with a webhook that gets a message once a second. R requests a second of the mixture of bench/load.mjs at a fixed rate, and two people
// a second who submit a picture. Every answer is checked; the status is 1 when one was wrong.
//
// The first third of the time is warm-up: code is compiled, heaps find their size, each child has had its largest picture. The goals: a straight line
// through the memory of each part in the last two thirds rises by at most 5 %, no person is refused, and every accepted message arrives. Programs may be
// refused when other work on the machine takes the processors.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { environmentFor } from '../dist/src/boot/config.js'
import { createApiKey } from '../dist/src/services/keys/access.js'
import { createApiKeyStore } from '../dist/src/store/organisations/api-keys.js'
import { openConnection, requestBytes } from './http/connection.mjs'
import { goal, publish } from './http/record.mjs'
import { kindLines, phaseLines, summary } from './load/report.mjs'
import { memoryOf, sampled } from './load/samples.mjs'
import { apiEnvironment, fill, openService, run, startApi, startPart, wholeNumber } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    'per-s': { type: 'string', default: '60' },
    minutes: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
const ROWS = wholeNumber(args, 'rows')
const PER_S = wholeNumber(args, 'per-s')
const MINUTES = wholeNumber(args, 'minutes')
const PEOPLE_PER_S = 2
const PING_INTERVAL_MS = 1000
const SAMPLE_INTERVAL_MS = 5000
const MAX_GROWTH = 1.05
const LIFELIKE = { TABIR_SNAPSHOT_INTERVAL_S: '300' }
const PARTS = ['api', 'workers', 'messenger', 'redis']

await run(async (defer) => {
  const service = await openService(defer)
  await fill(service, ROWS)
  const endpoint = await startEndpoint(defer)
  const settings = { ...LIFELIKE, TABIR_WEBHOOK_ORIGINS: endpoint.origin }
  const api = await startApi(defer, service, { entry: new URL('./http/api.mjs', import.meta.url), settings })
  const program = (part) => new URL(`../dist/workers/${part}.js`, import.meta.url)
  const environment = (part) => environmentFor(part, { socket: service.redis.socket }, apiEnvironment(service, settings))
  const workers = await startPart(defer, program('main'), environment('workers'))
  const messenger = await startPart(defer, program('messenger'), environment('messenger'))
  const client = await startPart(defer, new URL('./load/client.mjs', import.meta.url))
  await client.ask('prepare', { port: api.port, key: service.key, rows: ROWS })

  const pinging = await pingNowAndThen(service, api.port, endpoint.url)
  await api.ask('watch')
  const samples = sampled(api.port, memoryOf({ api, workers, messenger }, service.store), SAMPLE_INTERVAL_MS)
  const asked = { port: api.port, seed: 4711, perS: PER_S, ms: 60_000 * MINUTES, peoplePerS: PEOPLE_PER_S }
  const seen = await client.ask('open', asked)
  const phase = {
    name: `${PER_S} a second, ${MINUTES} minutes`,
    ...seen,
    samples: await samples.end(),
    delays: await api.ask('delays'),
  }
  const pinged = await pinging.end()
  report(phase, { asked: pinged, received: endpoint.received() })
})

function report(phase, messages) {
  const { wrong, peopleRefused } = summary(phase)
  const tenths = tenthsOf(phase.samples)
  const settled = phase.samples.slice(Math.ceil(phase.samples.length / 3))
  const growth = Object.fromEntries(PARTS.map((part) => [part, growthOf(settled, `${part}Mb`)]))
  publish(
    'soak',
    { rows: ROWS, wrong, messages, growth, tenths, phase: summary(phase) },
    [
      { title: 'What was asked', lines: phaseLines([phase]) },
      { title: 'How long it took', lines: kindLines([phase]) },
      {
        title: 'MB in memory, means of each tenth of the time',
        lines: tenths.map((tenth, i) => ({
          tenth: String(i + 1),
          ...Object.fromEntries(PARTS.map((part) => [part, tenth[`${part}Mb`]])),
        })),
      },
      {
        title: 'Goals',
        lines: [
          ...PARTS.map((part) =>
            goal(`memory of ${part}, end / beginning of the last two thirds`, growth[part], MAX_GROWTH, ''),
          ),
          goal('people refused', peopleRefused, 0, ''),
          goal('messages not delivered', messages.asked - messages.received, 0, ''),
        ],
      },
    ],
    args,
  )
}

/** Means of each tenth of the samples. */
function tenthsOf(samples) {
  return Array.from({ length: 10 }, (_, i) => {
    const own = samples.slice(Math.floor((i * samples.length) / 10), Math.floor(((i + 1) * samples.length) / 10))
    const mean = (name) => own.reduce((sum, sample) => sum + sample[name], 0) / own.length
    return Object.fromEntries(PARTS.map((part) => [`${part}Mb`, mean(`${part}Mb`)]))
  })
}

/** The factor by which a least-squares line through the samples rises. Single samples vary with each garbage collection. */
function growthOf(samples, name) {
  const mean = (of) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
  const [meanAtMs, meanMb] = [mean(({ atMs }) => atMs), mean((sample) => sample[name])]
  const slope =
    mean((sample) => (sample.atMs - meanAtMs) * (sample[name] - meanMb)) / mean(({ atMs }) => (atMs - meanAtMs) ** 2)
  const at = ({ atMs }) => meanMb + slope * (atMs - meanAtMs)
  return at(samples.at(-1)) / at(samples[0])
}

/** A webhook receiver that counts its messages. */
async function startEndpoint(defer) {
  let received = 0
  const server = createServer((request, response) => {
    received++
    request.resume()
    response.writeHead(204).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  defer(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const origin = `http://127.0.0.1:${port}`
  return { origin, url: `${origin}/hook`, received: () => received }
}

/** Sends a message at intervals until `end`, which waits for the last one and returns their number. */
async function pingNowAndThen({ store }, port, url) {
  const scopes = new Set(['webhooks'])
  const keyOf = { org: 'bench', kind: 'ngo', scopes, env: 'bench', nowMs: Date.now() }
  const { key } = await createApiKey(createApiKeyStore(store), keyOf)
  const connection = await openConnection(port)
  const wanted = JSON.stringify({ url, events: ['case.updated'] })
  let webhookId
  // The api learns of a new key a moment later.
  for (let tries = 0; webhookId === undefined; tries++) {
    const { status, body } = await connection.request(requestBytes('POST', '/v1/webhooks', key, wanted))
    if (status === 201) webhookId = JSON.parse(body.toString()).webhookId
    else if (tries > 100) throw new Error(`a webhook was answered with ${status}: ${body}`)
  }
  let asked = 0
  let last = Promise.resolve()
  const ping = async () => {
    const { status, retryAfterS } = await connection.request(requestBytes('POST', `/v1/webhooks/${webhookId}/ping`, key))
    if (status === 202) asked++
    else if (retryAfterS === undefined) throw new Error(`a message was answered with ${status}`)
  }
  const timer = setInterval(() => {
    last = last.then(ping)
    last.catch(() => {})
  }, PING_INTERVAL_MS)
  return {
    async end() {
      clearInterval(timer)
      await last
      await new Promise((resolve) => setTimeout(resolve, 5 * PING_INTERVAL_MS))
      connection.close()
      return asked
    },
  }
}
