// How soon does one api have a change that another one took, and what does a query take during an import?
//
//   npm run bench live [-- --rows N] [--seconds S] [--json] [--record]
//
// Two apis over a private Redis with N images of one PDQ hash each. First, signals are added and removed one by one through one api, while the other is
// queried until it has each change. Then one api imports 5,000 signals a second for S seconds, while the other answers 50 queries a second with
// transforms; the same queries run before that without an import. Last, the index alone in its own process: 100 inserts before each query. Every
// answer is checked. The status is 1 when one was wrong or refused, or when a signal is missing.
//
// The goals: additions and removals reach the other api within 10 ms (median) and 100 ms (p99); a query during an import takes at most 2 ms (p99),
// with a million rows.

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { importPaced, missingOf, rowsOf } from './http/importing.mjs'
import { goal, publish } from './http/record.mjs'
import { measureVisibility } from './http/visible.mjs'
import { percentile } from './report.mjs'
import { fill, openService, redisNumber, residentBytes, run, startApi, startPart, wholeNumber } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
const ROWS = wholeNumber(args, 'rows')
const SECONDS = wholeNumber(args, 'seconds')
const CHANGES = 300
const INSERTS_PER_S = 5000
const QUERIES_PER_S = 50
const QUIET_S = Math.min(10, SECONDS)
const SAMPLE_INTERVAL_MS = 1000
const CATCH_UP_MS = 30_000

await run(async (defer) => {
  const service = await openService(defer)
  await fill(service, ROWS)
  const entry = new URL('./http/api.mjs', import.meta.url)
  const [taking, asked] = [await startApi(defer, service, { entry }), await startApi(defer, service, { entry })]
  const client = await startPart(defer, new URL('./http/client.mjs', import.meta.url))
  await client.ask('prepare', { rows: ROWS, key: service.key })

  const order = { key: service.key, toPort: taking.port, askPort: asked.port, count: CHANGES }
  const visibility = await measureVisibility(order)
  const quiet = await steady({ client, asked }, QUIET_S)
  const during = await queriesDuringImport({ service, taking, asked, client })
  for (const api of [taking, asked]) await api.stop() // the index alone is to have a core for itself
  const engine = await startPart(defer, new URL('./http/engine.mjs', import.meta.url))
  await engine.ask('fill', { rows: ROWS })
  const alone = await engine.ask('live', {
    count: SECONDS * QUERIES_PER_S,
    insertsPerQuery: INSERTS_PER_S / QUERIES_PER_S,
    queriesPerTidy: QUERIES_PER_S, // once for each second of an import
  })
  report({ visibility, quiet, during, alone })
})

async function steady({ client, asked }, seconds) {
  await asked.ask('watch')
  const order = { port: asked.port, transforms: true, ms: 1000 * seconds, perS: QUERIES_PER_S }
  const answers = await client.ask('steady', order)
  return { ...answers, delays: await asked.ask('delays') }
}

async function queriesDuringImport({ service, taking, asked, client }) {
  const memory = async () => ({
    takingMb: residentBytes(taking.pid) / 1e6,
    askedMb: residentBytes(asked.pid) / 1e6,
    redisMb: (await redisNumber(service.store, 'memory', 'used_memory')) / 1e6,
  })
  const rowsBefore = [await rowsOf(taking.port), await rowsOf(asked.port)]
  const before = await memory()
  const rowsOverTime = sampled(asked.port)
  const delays = {}
  await taking.ask('watch')
  const queries = steady({ client, asked }, SECONDS)
  const imported = await importPaced({
    port: taking.port,
    key: service.key,
    perS: INSERTS_PER_S,
    seconds: SECONDS,
    async onSent() {
      delays.taking = await taking.ask('delays')
      await taking.ask('watch') // the answer names every signal: what making it takes is another matter
    },
  })
  delays.answering = await taking.ask('delays')
  const { delays: askedDelays, ...answers } = await queries
  const samples = await rowsOverTime.end()
  await caughtUp(asked.port, ROWS + imported.sent)

  const rowsAfter = [await rowsOf(taking.port), await rowsOf(asked.port)]
  const awry = [...rowsBefore.map((rows) => rows - ROWS), ...rowsAfter.map((rows) => ROWS + imported.sent - rows)]
  const missing = awry.reduce((sum, rows) => sum + Math.abs(rows), imported.sent - imported.accepted)
  const unfound = await missingOf({ port: asked.port, key: service.key, imported: imported.sent })
  return {
    ...answers,
    ...imported,
    wrong: answers.wrong + unfound + missing,
    missing: missing + unfound,
    most: Math.max(
      0,
      ...samples.map(({ atMs, rows }) => Math.min(imported.sent, (INSERTS_PER_S * atMs) / 1000) - (rows - ROWS)),
    ),
    delays: { ...delays, asked: askedDelays },
    memory: { before, after: await memory() },
  }
}

/** Samples the number of rows of an api once a second, until the end. */
function sampled(port) {
  const samples = []
  const begun = performance.now()
  let last = Promise.resolve()
  const timer = setInterval(() => {
    const sample = (rows) => samples.push({ atMs: performance.now() - begun, rows })
    last = rowsOf(port).then(sample, () => {}) // an api that refuses is counted by the queries
  }, SAMPLE_INTERVAL_MS)
  return {
    async end() {
      clearInterval(timer)
      await last
      return samples
    },
  }
}

/** Or not: then rows are missing. */
async function caughtUp(port, rows) {
  const begun = performance.now()
  while (performance.now() - begun < CATCH_UP_MS && (await rowsOf(port)) < rows) await sleep(20)
}

function report({ visibility, quiet, during, alone }) {
  const { added, addedAfterAnswer, removed, removedAfterAnswer } = visibility
  const changes = { added, addedAfterAnswer, removed, removedAfterAnswer }
  const known = Object.fromEntries(Object.entries(changes).map(([name, times]) => [name, percentiles(times)]))
  const unfinished = ROWS + alone.insert.length - alone.rowsAtEnd
  const result = {
    rows: ROWS,
    seconds: SECONDS,
    wrong: visibility.wrong + quiet.wrong + during.wrong + alone.wrong + Math.abs(unfinished),
    refused: visibility.refused + quiet.refused + during.refused,
    missing: during.missing,
    known,
    quiet: {
      ...percentiles(quiet.times),
      refused: quiet.refused,
      delays: quiet.delays,
      clientDelays: quiet.clientDelays,
    },
    during: {
      ...percentiles(during.times),
      refused: during.refused,
      inserted: during.accepted,
      perS: (1000 * during.sent) / during.sentMs,
      answeredAfterMs: during.answeredMs - during.sentMs,
      heldUp: during.heldUp,
      maxBehind: Math.round(during.most),
      delays: during.delays,
      clientDelays: during.clientDelays,
      memory: during.memory,
    },
    alone: Object.fromEntries(['query', 'insert', 'tidy'].map((name) => [name, percentiles(alone[name])])),
  }
  publish(
    'live',
    result,
    [
      { title: `Until the other api has a change, ${CHANGES} changes one by one`, lines: knownLines(known) },
      { title: `${QUERIES_PER_S} queries a second, each with transforms`, lines: queryLines(result) },
      {
        title: `${INSERTS_PER_S.toLocaleString('en')} inserts a second for ${SECONDS} s`,
        lines: importLines(result.during),
      },
      { title: 'The index alone, 100 inserts before each query', lines: aloneLines(result.alone) },
      { title: 'Goals', lines: goalLines(result) },
    ],
    args,
  )
}

function knownLines({ added, addedAfterAnswer, removed, removedAfterAnswer }) {
  const line = (change, { p50Ms, p99Ms, worstMs }) => ({ change, 'p50 ms': p50Ms, 'p99 ms': p99Ms, 'longest ms': worstMs })
  return [
    line('added, since it was sent', added),
    line('added, since it was answered', addedAfterAnswer),
    line('removed, since it was sent', removed),
    line('removed, since it was answered', removedAfterAnswer),
  ]
}

function queryLines({ quiet, during }) {
  const line = (what, { p50Ms, p99Ms, worstMs, refused, clientDelays }, { p99Ms: delayMs, maxMs }) => ({
    when: what,
    'p50 ms': p50Ms,
    'p99 ms': p99Ms,
    'longest ms': worstMs,
    refused,
    'event loop p99 ms': delayMs,
    'event loop longest ms': maxMs,
    'client event loop p99 ms': clientDelays.p99Ms,
  })
  return [line('without import', quiet, quiet.delays), line('during the import', during, during.delays.asked)]
}

function importLines({ inserted, perS, answeredAfterMs, heldUp, maxBehind, delays, memory }) {
  const change = (name) => `${Math.round(memory.before[name])} MB, then ${Math.round(memory.after[name])} MB`
  return [
    { what: 'imported, and found on both apis', measured: inserted.toLocaleString('en') },
    { what: 'sent a second', measured: `${perS.toFixed(0)}${heldUp ? ', held up by the api' : ''}` },
    { what: 'most rows that the other api lacked', measured: maxBehind.toLocaleString('en') },
    { what: 'event loop delay of the importing api, p99 and longest', measured: delayText(delays.taking) },
    { what: 'the same while it writes its answer', measured: delayText(delays.answering) },
    { what: 'end of the answer, after the last line', measured: `${answeredAfterMs.toFixed(0)} ms` },
    { what: 'RSS of the importing api', measured: change('takingMb') },
    { what: 'RSS of the other api', measured: change('askedMb') },
    { what: 'Redis', measured: change('redisMb') },
  ]
}

function delayText({ p99Ms, maxMs }) {
  return `${p99Ms.toFixed(1)} ms, ${maxMs.toFixed(1)} ms`
}

function aloneLines({ query, insert, tidy }) {
  const line = (call, { p50Ms, p99Ms, worstMs }) => ({
    call,
    'p50 µs': 1e3 * p50Ms,
    'p99 µs': 1e3 * p99Ms,
    'longest ms': worstMs,
  })
  return [line('within, 8 needles', query), line('insert', insert), line('compact, 100,000 steps', tidy)]
}

function goalLines({ known: { added, removed }, during }) {
  return [
    goal('added, until the other api has it, p50', added.p50Ms, 10, ' ms'),
    goal('added, until the other api has it, p99', added.p99Ms, 100, ' ms'),
    goal('removed, until the other api has it, p50', removed.p50Ms, 10, ' ms'),
    goal('removed, until the other api has it, p99', removed.p99Ms, 100, ' ms'),
    goal('query during the import, p99', during.p99Ms, 2, ' ms'),
  ]
}

function percentiles(times) {
  return {
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    worstMs: times.reduce((most, ms) => Math.max(most, ms)),
  }
}
