// How long is a starting api away, and what does Redis store for a signal?
//
//   npm run bench restart [-- --rows N] [--json] [--record]
//
// A private Redis is filled with N images of one PDQ hash each. Then the real api is forked several times, as the supervisor does: with nothing to load,
// from Redis, and from a snapshot that it wrote when it stopped. Each start is checked: all rows are there, 20 changed copies are found, and Redis was
// read completely or not, as expected. A last start of each kind records where its time goes (http/starting.mjs). The status is 1 when anything was
// wrong.
//
// The goals, ready from Redis and from a snapshot: 3 s and 1 s with a million rows, 30 s and 6 s with ten million.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openConnection, json as readJson, requestBytes } from './http/connection.mjs'
import { isRight, makeQueries, matchBody } from './http/queries.mjs'
import { digits, goal, publish } from './http/record.mjs'
import { percentile, progress } from './report.mjs'
import { fill, openService, redisNumber, residentBytes, run, startApi, wholeNumber } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
const ROWS = wholeNumber(args, 'rows', 1000) // with fewer, what Redis was asked would not tell how it was read
const RUNS = 3
const COPIES = 20
const ACCOUNTING = new URL('./http/starting.mjs', import.meta.url)
const WITHOUT_SNAPSHOTS = { TABIR_SNAPSHOT_INTERVAL_S: '0' }
const WITH_SNAPSHOTS = { TABIR_SNAPSHOT_INTERVAL_S: '86400' } // none while it is measured, and one when it stops
const READ_BYTES_PER_ROW = 60 // of a record, sealed, there are more; of a change that says nothing of it, fewer

const draw = progress('starts', 3 * RUNS + 3)
let starts = 0
let wrong = 0

await run(async (defer) => {
  const service = await openService(defer)
  const bare = await severalStarts(defer, service, { rows: 0, settings: WITHOUT_SNAPSHOTS, readsRedis: false })
  const before = await redisNumber(service.store, 'memory', 'used_memory')
  await fill(service, ROWS)
  const redisBytes = (await redisNumber(service.store, 'memory', 'used_memory')) - before

  const fromRedis = { rows: ROWS, settings: WITHOUT_SNAPSHOTS, readsRedis: true }
  const fromSnapshot = { rows: ROWS, settings: WITH_SNAPSHOTS, readsRedis: false }
  const cold = await severalStarts(defer, service, fromRedis)
  const writing = await oneStart(defer, service, { ...fromRedis, settings: WITH_SNAPSHOTS })
  const snapshotBytes = sizeOfSnapshot(service)
  const warm = await severalStarts(defer, service, fromSnapshot)
  const account = {
    redis: (await oneStart(defer, service, { ...fromRedis, entry: ACCOUNTING })).account,
    snapshot: (await oneStart(defer, service, { ...fromSnapshot, entry: ACCOUNTING })).account,
  }
  report({ bare, cold, warm, account, redisBytes, snapshotBytes, writtenInMs: writing.stoppedInMs })
})

async function severalStarts(defer, service, how) {
  const all = []
  for (let i = 0; i < RUNS; i++) all.push(await oneStart(defer, service, how))
  const median = (field) =>
    percentile(
      all.map((one) => one[field]),
      0.5,
    )
  return Object.fromEntries(Object.keys(all[0]).map((field) => [field, median(field)]))
}

/** Starts an api, asks it, and stops it again. */
async function oneStart(defer, service, { rows, settings, readsRedis, entry }) {
  const sentBefore = await redisNumber(service.store, 'stats', 'total_net_output_bytes')
  const api = await startApi(defer, service, { entry, settings })
  const connection = await openConnection(api.port)
  while ((await connection.request(requestBytes('GET', '/health/ready', 'none'))).status !== 200) await sleep(1)
  const healthyAfterMs = performance.timeOrigin + performance.now() - api.forkedAtMs
  const residentMb = residentBytes(api.pid) / 1e6
  const peakMb = residentBytes(api.pid, 'VmHWM') / 1e6
  const sent = (await redisNumber(service.store, 'stats', 'total_net_output_bytes')) - sentBefore
  if (rows > 0 && sent > READ_BYTES_PER_ROW * rows !== readsRedis) {
    throw new Error(`Redis was ${readsRedis ? 'not ' : ''}read whole: the start is not of the kind that is measured`)
  }
  await check(connection, service.key, rows)
  connection.close()
  const account = entry === undefined ? undefined : accountOf(api, await api.ask('account'))
  const stoppedInMs = await api.stop()
  draw(++starts)
  return { readyAfterMs: api.readyAfterMs, healthyAfterMs, residentMb, peakMb, stoppedInMs, ...(account && { account }) }
}

async function check(connection, key, rows) {
  const health = await readJson(connection, requestBytes('GET', '/health/ready', 'none'))
  if (health.rows.pdq !== rows) wrong++
  if (rows === 0) return
  const copies = makeQueries(rows, 2 * COPIES, true).filter(({ distanceBits }) => distanceBits !== undefined)
  const { results } = await readJson(connection, requestBytes('POST', '/v1/match', key, matchBody(copies, true)))
  wrong += copies.filter((copy, i) => !isRight(results[i], copy)).length
}

/** What each part of a start took, in milliseconds, in the order in which they come. */
function accountOf({ forkedAtMs }, { reached, spentMs }) {
  const { load, restore, tidy, unseal, deserialize } = spentMs
  const hydratingMs = reached.ready - reached.hydrating
  return {
    'until the first line runs': reached.entry - forkedAtMs,
    'loading the code of the index': reached.imported - reached.entry,
    connecting: reached.hydrating - reached.imported,
    'unsealing on the main thread': unseal,
    deserialising: deserialize,
    'catalogue.restore': restore,
    'catalogue.load': load,
    'catalogue.tidy': tidy,
    'waiting, while routes and queue are loaded': hydratingMs - unseal - deserialize - restore - load - tidy,
    'all, until ready': reached.ready - forkedAtMs,
  }
}

/** The one file that a stopped api leaves; what an earlier kind of snapshot left would be counted with it. */
function sizeOfSnapshot({ dataDir }) {
  const folder = join(dataDir, 'snapshots')
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

function report({ bare, cold, warm, account, redisBytes, snapshotBytes, writtenInMs }) {
  const bytesPerSignal = redisBytes / ROWS
  const result = {
    rows: ROWS,
    wrong,
    bytesPerSignal,
    snapshotBytesPerRow: snapshotBytes / ROWS,
    snapshotWrittenInMs: writtenInMs,
    starts: { bare, fromRedis: cold, fromSnapshot: warm },
    account,
  }
  const [redisS, snapshotS] = ROWS > 1_000_000 ? [30, 6] : [3, 1]
  publish(
    'restart',
    result,
    [
      {
        title: `Starts, medians of ${RUNS}`,
        lines: [startLine('nothing to load', bare), startLine('from Redis', cold), startLine('from a snapshot', warm)],
      },
      { title: 'Sizes', lines: keptLines(bytesPerSignal, snapshotBytes, writtenInMs) },
      { title: 'Where the time of one start goes', lines: accountLines(account) },
      {
        title: 'Goals',
        lines: [
          goal('ready, from Redis', cold.readyAfterMs / 1000, redisS, ' s'),
          goal('ready, from a snapshot', warm.readyAfterMs / 1000, snapshotS, ' s'),
          goal('bytes of Redis for a signal', bytesPerSignal, 200, ''),
        ],
      },
    ],
    args,
  )
}

function startLine(start, { readyAfterMs, healthyAfterMs, residentMb, peakMb, stoppedInMs }) {
  const ready = { start, 'ready ms': readyAfterMs, '/health/ready ms': healthyAfterMs }
  return { ...ready, 'RSS MB': residentMb, 'highest RSS MB': peakMb, 'stopped in ms': stoppedInMs }
}

function keptLines(bytesPerSignal, snapshotBytes, writtenInMs) {
  return [
    { what: 'Redis, bytes for a signal', measured: bytesPerSignal },
    { what: 'snapshot, bytes for a row', measured: snapshotBytes / ROWS },
    { what: 'from SIGTERM to the end, with a snapshot to write', measured: `${digits(writtenInMs)} ms` },
  ]
}

function accountLines({ redis, snapshot }) {
  return Object.keys(redis).map((part) => ({ part, 'from Redis ms': redis[part], 'from a snapshot ms': snapshot[part] }))
}
