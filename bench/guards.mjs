// What do all guards together cost a match? The api with all of them, alternating with the same routes and search without any (http/bare.mjs),
// over the same rows.
//
//   npm run bench guards [-- --rows N] [--seconds S] [--connections C] [--json] [--record]
//
// Guards: keys, with a daily record of their use; limits by key and organisation, counted with Redis behind them; security and limit headers; detectors
// of slow bodies and of searches for stored hashes. Log and metrics are on in both. Half of the queries are changed copies of rows, and every answer is
// checked. The goal: at least 80 % of the throughput without guards, for single queries and for calls of a thousand.

import { parseArgs } from 'node:util'
import { goal, publish } from './http/record.mjs'
import { progress } from './report.mjs'
import { fill, openService, run, startApi, startPart, wholeNumber } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '16' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
const ROWS = wholeNumber(args, 'rows')
const CONNECTIONS = wholeNumber(args, 'connections')
const ROUNDS = 5
const ROUND_MS = (1000 * wholeNumber(args, 'seconds')) / ROUNDS
const MIN_CALLS = 4
const GUARDED = { TABIR_PROBING: 'limit', TABIR_MAX_QUERIES_PER_ORG_PER_DAY: '1000000000000' }
const MIN_SHARE = 0.8

await run(async (defer) => {
  const service = await openService(defer)
  await fill(service, ROWS)
  const guarded = await startApi(defer, service, {
    entry: new URL('./http/api.mjs', import.meta.url),
    settings: GUARDED,
  })
  const bare = await startApi(defer, service, { entry: new URL('./http/bare.mjs', import.meta.url) })
  const client = await startPart(defer, new URL('./http/client.mjs', import.meta.url))
  await client.ask('prepare', { rows: ROWS, key: service.key })
  const singles = await inRounds('single queries', guarded, bare, ({ port }, ms) =>
    client.ask('load', { port, transforms: true, ms, connections: CONNECTIONS }),
  )
  const calls = await inRounds('a thousand in a call', guarded, bare, ({ port }, ms) =>
    client.ask('calls', { port, transforms: true, ms, least: MIN_CALLS }),
  )
  report(singles, calls)
})

/** @returns what each did, over all rounds but the first. */
async function inRounds(label, guarded, bare, turn) {
  const sums = { guarded: newSum(), bare: newSum() }
  const draw = progress(label, ROUNDS + 1)
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, part] of Object.entries({ guarded, bare })) {
      const cpuBefore = await part.ask('cpuUs')
      const begun = performance.now()
      const { times, wrong, refused } = await turn(part, ROUND_MS)
      const wallMs = performance.now() - begun
      const cpuUs = (await part.ask('cpuUs')) - cpuBefore
      if (round === 0) continue
      const sum = sums[name]
      sum.count += times.length
      sum.wallMs += wallMs
      sum.cpuUs += cpuUs
      sum.wrong += wrong
      sum.refused += refused
    }
    draw(round + 1)
  }
  return sums
}

function newSum() {
  return { count: 0, wallMs: 0, cpuUs: 0, wrong: 0, refused: 0 }
}

function report(singles, calls) {
  const all = [singles, calls].flatMap(({ guarded, bare }) => [guarded, bare])
  const result = {
    rows: ROWS,
    connections: CONNECTIONS,
    wrong: all.reduce((total, { wrong }) => total + wrong, 0),
    refused: all.reduce((total, { refused }) => total + refused, 0),
    singles: sharesOf(singles),
    calls: sharesOf(calls),
  }
  const goals = Object.entries({ 'single queries': result.singles, 'a thousand in a call': result.calls }).map(
    ([what, { share }]) => goal(`${what}: time with guards / without`, 1 / share, 1 / MIN_SHARE, ''),
  )
  publish(
    'guards',
    result,
    [
      { title: `Single queries, ${CONNECTIONS} at a time`, lines: linesOf(singles) },
      { title: 'A thousand in a call', lines: linesOf(calls) },
      { title: 'Goals', lines: goals },
    ],
    args,
  )
  if (Math.min(result.singles.share, result.calls.share) < MIN_SHARE) process.exitCode = 1
}

function perS({ count, wallMs }) {
  return (1000 * count) / wallMs
}

function sharesOf({ guarded, bare }) {
  return {
    share: perS(guarded) / perS(bare),
    guardedPerS: perS(guarded),
    barePerS: perS(bare),
    guardedCpuUs: guarded.cpuUs / guarded.count,
    bareCpuUs: bare.cpuUs / bare.count,
  }
}

function linesOf({ guarded, bare }) {
  const line = (what, sum) => ({ case: what, 'requests/s': perS(sum), 'CPU µs a request': sum.cpuUs / sum.count })
  return [line('with all guards', guarded), line('with none', bare)]
}
