// What does HTTP add to a search? A match through the api, the same request without a search, and the index alone.
//
//   npm run bench http [-- --rows N] [--seconds S] [--connections C] [--json] [--record]
//
// Four processes over a private Redis with N images of one PDQ hash each: the api; the same app with prepared answers in place of the search
// (http/empty.mjs); the index alone with the same needles (http/engine.mjs); the client. They alternate in rounds, so that other work on the machine
// affects all of them. Half of the queries are changed copies of rows, and every answer is checked. S is the time for each case. The status is 1
// when an answer was wrong or refused.
//
// The goals: a match costs the api at most 1.25 times the empty route and the index together; a call with 1,000 hashes takes at most 1.15 times
// what the index takes for them one after the other; a single query meanwhile is answered within 5 ms.

import { parseArgs } from 'node:util'
import { openConnection, json as readJson, requestBytes } from './http/connection.mjs'
import { PREPARED_BITS } from './http/queries.mjs'
import { goal, publish } from './http/record.mjs'
import { percentile, progress } from './report.mjs'
import { fill, openService, run, startApi, startPart, wholeNumber } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '32' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
const ROWS = wholeNumber(args, 'rows')
const CONNECTIONS = wholeNumber(args, 'connections')
const ROUNDS = 5
const ROUND_MS = (1000 * wholeNumber(args, 'seconds')) / ROUNDS
const WARM_UP_MS = 2 * ROUND_MS + 500
const MIN_CALLS = 4 // each of the different thousands once
const SINGLES_PER_S = 200
const TRANSFORMS = [true, false]

await run(async (defer) => {
  const parts = await start(defer)
  const singles = await singleQueries(parts)
  const calls = await thousands(parts)
  const beside = await besideCalls(parts)
  report({ singles, calls, beside })
})

async function start(defer) {
  const service = await openService(defer)
  await fill(service, ROWS)
  const api = await startApi(defer, service, { entry: new URL('./http/api.mjs', import.meta.url) })
  const empty = await startApi(defer, service, { entry: new URL('./http/empty.mjs', import.meta.url) })
  const engine = await startPart(defer, new URL('./http/engine.mjs', import.meta.url))
  const clientEntry = new URL('./http/client.mjs', import.meta.url)
  const [client, otherClient] = [await startPart(defer, clientEntry), await startPart(defer, clientEntry)]
  await engine.ask('fill', { rows: ROWS })
  for (const each of [client, otherClient]) await each.ask('prepare', { rows: ROWS, key: service.key })
  await allRowsIn(api)
  return { api, empty, engine, client, otherClient }
}

async function allRowsIn({ port }) {
  const connection = await openConnection(port)
  const { rows } = await readJson(connection, requestBytes('GET', '/health/ready', 'none'))
  connection.close()
  if (rows.pdq !== ROWS) throw new Error(`the api has ${rows.pdq} rows of ${ROWS}`)
}

/** @returns for each of `transforms` what `turn` added up, round by round, for the api, the empty route and the index. */
async function inRounds(label, turn) {
  const totals = new Map(TRANSFORMS.map((transforms) => [transforms, { match: [], empty: [], engine: [] }]))
  const draw = progress(label, (ROUNDS + 1) * TRANSFORMS.length)
  for (let round = 0, done = 0; round <= ROUNDS; round++) {
    for (const transforms of TRANSFORMS) {
      for (const who of ['match', 'empty', 'engine']) {
        const got = await turn(who, transforms, round === 0 ? WARM_UP_MS : ROUND_MS)
        if (round > 0) totals.get(transforms)[who].push(got)
      }
      draw(++done)
    }
  }
  return totals
}

function singleQueries({ api, empty, engine, client }) {
  return inRounds('single queries', async (who, transforms, ms) => {
    if (who === 'engine') return await engine.ask('ask', { transforms, ms })
    const { part, preparedBits } = who === 'match' ? { part: api } : { part: empty, preparedBits: PREPARED_BITS }
    const order = { port: part.port, transforms, ms, connections: CONNECTIONS, preparedBits }
    const before = await part.ask('cpuUs')
    const { times, wrong, refused, wallMs, cpuUs } = await client.ask('load', order)
    const spentUs = (await part.ask('cpuUs')) - before
    return { count: times.length, times, wrong, refused, wallMs, cpuUs: spentUs, clientCpuUs: cpuUs }
  })
}

function thousands({ api, empty, engine, client }) {
  return inRounds('a thousand in a call', (who, transforms, ms) => {
    if (who === 'engine') return engine.ask('batches', { transforms, ms, least: MIN_CALLS })
    const { part, preparedBits } = who === 'match' ? { part: api } : { part: empty, preparedBits: PREPARED_BITS }
    return client.ask('calls', { port: part.port, transforms, ms, least: MIN_CALLS, preparedBits })
  })
}

/** Single queries of one client while another one sends thousands without a pause. */
async function besideCalls({ api, client, otherClient }) {
  const phases = new Map()
  for (const transforms of TRANSFORMS) {
    const order = { port: api.port, transforms, ms: ROUNDS * ROUND_MS }
    const busy = client.ask('calls', { ...order, ms: order.ms + 500 }) // so that there is one to the end
    await api.ask('watch')
    const { times, wrong, refused, clientDelays } = await otherClient.ask('steady', { ...order, perS: SINGLES_PER_S })
    const delays = await api.ask('delays')
    const batches = await busy
    const failed = { wrong: wrong + batches.wrong, refused: refused + batches.refused }
    phases.set(transforms, { times, delays, clientDelays, ...failed, calls: batches.times.length })
  }
  return phases
}

function report({ singles, calls, beside }) {
  const cases = TRANSFORMS.map((transforms) => ({
    transforms,
    ...caseOf(singles.get(transforms)),
    call: callOf(calls.get(transforms)),
    beside: besideOf(beside.get(transforms)),
  }))
  const rounds = [singles, calls].flatMap((totals) => [...totals.values()].flatMap((each) => Object.values(each).flat()))
  const all = (field) => [...rounds, ...beside.values()].reduce((total, each) => total + (each[field] ?? 0), 0)
  const result = {
    rows: ROWS,
    connections: CONNECTIONS,
    seconds: (ROUNDS * ROUND_MS) / 1000,
    wrong: all('wrong'),
    refused: all('refused'),
    cases,
  }
  publish(
    'http',
    result,
    [
      { title: `Single queries, ${CONNECTIONS} at a time`, lines: cases.flatMap(singleLines) },
      { title: 'A thousand hashes in one call', lines: cases.flatMap(callLines) },
      {
        title: `${SINGLES_PER_S} single queries a second beside calls of a thousand without a pause`,
        lines: cases.map(besideLine),
      },
      { title: 'Goals', lines: cases.flatMap(goalLines) },
    ],
    args,
  )
}

function caseOf({ match, empty, engine }) {
  const perQuery = (rounds, field = 'cpuUs') => sum(rounds, field) / sum(rounds, 'count')
  const http = (rounds) => ({
    perS: (1000 * sum(rounds, 'count')) / sum(rounds, 'wallMs'),
    cpuUs: perQuery(rounds),
    clientCpuUs: perQuery(rounds, 'clientCpuUs'),
    ...percentiles(rounds),
  })
  const ratios = match.map((each, i) => perQuery([each]) / (perQuery([empty[i]]) + perQuery([engine[i]])))
  return {
    match: http(match),
    empty: http(empty),
    engine: { perS: (1000 * sum(engine, 'count')) / sum(engine, 'wallMs'), cpuUs: perQuery(engine) },
    ratio: perQuery(match) / (perQuery(empty) + perQuery(engine)),
    ratioOfRounds: { least: Math.min(...ratios), most: Math.max(...ratios) },
  }
}

function callOf({ match, empty, engine }) {
  const [matchMs, emptyMs, engineMs] = [match, empty, engine].map((rounds) => percentiles(rounds))
  const togetherMs = percentiles(engine.map(({ togetherTimes: times }) => ({ times })))
  return { matchMs, emptyMs, engineMs, togetherMs, ratio: matchMs.p50Ms / engineMs.p50Ms }
}

function besideOf({ times, delays, clientDelays, calls }) {
  return { ...percentiles([{ times }]), queries: times.length, calls, delays, clientDelays }
}

function singleLines({ transforms, match, empty, engine }) {
  const line = (what, { perS, cpuUs, clientCpuUs, p50Ms, p99Ms }) => ({
    case: what,
    transforms: String(transforms),
    'requests/s': perS,
    'CPU µs a request': cpuUs,
    'client CPU µs': clientCpuUs,
    'p50 ms': p50Ms,
    'p99 ms': p99Ms,
  })
  return [line('match', match), line('empty route', empty), line('index alone', engine)]
}

function callLines({ transforms, call }) {
  const line = (what, { p50Ms, p99Ms }) => ({ case: what, transforms: String(transforms), 'p50 ms': p50Ms, 'p99 ms': p99Ms })
  return [
    line('match', call.matchMs),
    line('empty route', call.emptyMs),
    line('index alone', call.engineMs),
    line('index alone, all at once', call.togetherMs),
  ]
}

function besideLine({ transforms, beside: { p50Ms, p99Ms, queries, calls, delays, clientDelays } }) {
  const line = { transforms: String(transforms), 'p50 ms': p50Ms, 'p99 ms': p99Ms, queries, calls }
  return {
    ...line,
    'event loop p99 ms': delays.p99Ms,
    'event loop longest ms': delays.maxMs,
    'client event loop p99 ms': clientDelays.p99Ms,
  }
}

function goalLines({ transforms, ratio, ratioOfRounds, call, beside }) {
  const which = transforms ? 'with transforms' : 'without transforms'
  const { least, most } = ratioOfRounds
  const rounds = `rounds ${least.toFixed(2)} to ${most.toFixed(2)}`
  return [
    goal(`match CPU / (empty route + index), ${which} (${rounds})`, ratio, 1.25, ''),
    goal(`time of a call with 1,000 / index one by one, ${which}`, call.ratio, 1.15, ''),
    goal(`single query beside such calls, p99, ${which}`, beside.p99Ms, 5, ' ms'),
    goal(`event loop beside such calls, longest delay, ${which}`, beside.delays.maxMs, 10, ' ms'),
  ]
}

function percentiles(rounds) {
  const times = rounds.flatMap((round) => [...round.times])
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) }
}

function sum(rounds, field) {
  return rounds.reduce((total, round) => total + round[field], 0)
}
