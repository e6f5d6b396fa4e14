// How long is the service away when Redis is killed and starts again with all its data?
//
//   npm run bench redis-restart [-- --rows N] [--json] [--record]
//
// A private Redis with N images of one PDQ hash each and its log as `npm start` has it; one api; and a light load: 20 matches and five writes a second.
// Redis is killed (-9) and restarted as the supervisor does it, five times: four with the log as it has grown, the last after a rewrite. Measured from
// the kill until the api is ready, has answered a match, and has acknowledged a write. Every acknowledged write must be there at the end. The status is
// 1 when an answer was wrong or a write is missing.
//
// The goal: ready within 5 s with a million rows.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { formatHash } from '../dist/packages/hash/src/hash256.js'
import { openConnection, requestBytes } from './http/connection.mjs'
import { isRightAnswer, makeQueries, matchBody, strangerOf } from './http/queries.mjs'
import { goal, publish } from './http/record.mjs'
import { BANK, fill, info, openService, run, startApi, wholeNumber } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
const ROWS = wholeNumber(args, 'rows')
const RUNS = 5
const QUESTION_INTERVAL_MS = 50
const WRITE_INTERVAL_MS = 200
const BETWEEN_MS = 3000

let wrong = 0

await run(async (defer) => {
  const service = await openService(defer)
  await fill(service, ROWS)
  const api = await startApi(defer, service)
  const load = await lightLoad(defer, service, api.port)
  const runs = []
  for (let i = 0; i < RUNS; i++) {
    if (i === RUNS - 1) await writeLogAnew(service)
    await sleep(BETWEEN_MS)
    runs.push(await oneRestart(service, api.port, load))
  }
  await load.end()
  const missing = await load.missing()
  report(runs, { ...load.counts(), missing })
})

async function oneRestart(service, port, load) {
  const log = sizesOf(service)
  const killedMs = performance.now()
  const redisUp = service.restartRedis().then(() => performance.now() - killedMs)
  await sleep(1) // the kill is sent: what is ready from here on is ready again
  const answered = load.nextRight(killedMs)
  const written = load.nextWrite(killedMs)
  const redisMs = await redisUp
  const connection = await openConnection(port)
  while ((await connection.request(requestBytes('GET', '/health/ready', 'none'))).status !== 200) await sleep(2)
  const readyMs = performance.now() - killedMs
  connection.close()
  return { ...log, redisMs, readyMs, answeredMs: (await answered) - killedMs, writtenMs: (await written) - killedMs }
}

/** Questions and writes, one after the other each, for as long as it takes; what was refused is asked again when it is due. */
async function lightLoad(defer, { key }, port) {
  const queries = makeQueries(ROWS, 500, true)
  const counts = { asked: 0, answered: 0, refused: 0, written: 0 }
  const acknowledged = []
  const right = []
  const writes = []
  let isOver = false
  defer(() => {
    isOver = true
  })
  const ask = async () => {
    const connection = await openConnection(port)
    for (let i = 0; !isOver; i++) {
      const query = queries[i % queries.length]
      const sentMs = performance.now()
      counts.asked++
      const answer = await connection.request(requestBytes('POST', '/v1/match', key, matchBody([query], true)))
      if (answer.status === 503) counts.refused++
      else if (isRightAnswer(answer, query)) {
        counts.answered++
        right.push({ sentMs, atMs: performance.now() })
      } else wrong++
      await sleep(Math.max(1, QUESTION_INTERVAL_MS - (performance.now() - sentMs)))
    }
    connection.close()
  }
  const write = async () => {
    const connection = await openConnection(port)
    for (let i = 0; !isOver; i++) {
      const sentMs = performance.now()
      const hash = formatHash(strangerOf(i))
      const body = `{"signals":[{"type":"pdq","quality":100,"hash":"${hash}"}]}`
      const { status } = await connection.request(requestBytes('POST', `/v1/banks/${BANK}/signals`, key, body))
      if (status === 201) {
        counts.written++
        acknowledged.push(hash)
        writes.push({ sentMs, atMs: performance.now() })
      } else if (status !== 503) wrong++
      await sleep(status === 201 ? Math.max(1, WRITE_INTERVAL_MS - (performance.now() - sentMs)) : QUESTION_INTERVAL_MS)
    }
    connection.close()
  }
  const going = Promise.all([ask(), write()])
  const next = async (list, sinceMs) => {
    for (;;) {
      const found = list.find(({ sentMs }) => sentMs > sinceMs)
      if (found !== undefined) return found.atMs
      await sleep(1)
    }
  }
  return {
    counts: () => counts,
    nextRight: (sinceMs) => next(right, sinceMs),
    nextWrite: (sinceMs) => next(writes, sinceMs),
    async end() {
      isOver = true
      await going
    },
    /** How many of those that were acknowledged do not match. */
    async missing() {
      const connection = await openConnection(port)
      let count = 0
      for (const hash of acknowledged) {
        const body = JSON.stringify({ queries: [{ signals: [{ type: 'pdq', hash }] }] })
        const { status, body: text } = await connection.request(requestBytes('POST', '/v1/match', key, body))
        if (status !== 200 || !text.includes('"distanceBand":"0"')) count++
      }
      connection.close()
      return count
    },
  }
}

async function writeLogAnew({ store }) {
  await store.ask((redis) => redis.bgrewriteaof())
  do await sleep(100)
  while (/aof_rewrite_(in_progress|scheduled):1/.test(await info(store, 'persistence')))
}

function sizesOf({ dataDir }) {
  const folder = join(dataDir, 'redis', 'appendonlydir')
  const sum = (ending) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(ending))
      .reduce((total, name) => total + statSync(join(folder, name)).size, 0)
  return { copyMb: sum('.rdb') / 1e6, commandsMb: sum('.incr.aof') / 1e6 }
}

function report(runs, counts) {
  const longest = (field) => Math.max(...runs.map((each) => each[field]))
  publish(
    'redis-restart',
    { rows: ROWS, wrong: wrong + counts.missing, runs, counts },
    [
      {
        title: 'From kill -9 of Redis',
        lines: runs.map(({ copyMb, commandsMb, redisMs, readyMs, answeredMs, writtenMs }, i) => ({
          run: String(i + 1),
          'log: copy MB': copyMb,
          'log: commands MB': commandsMb,
          'Redis answers ms': redisMs,
          '/health/ready ms': readyMs,
          'a match answered ms': answeredMs,
          'a write acknowledged ms': writtenMs,
        })),
      },
      { title: 'Requests meanwhile', lines: [{ ...counts }] },
      {
        title: 'Goals',
        lines: [
          goal('ready again, the longest', longest('readyMs') / 1000, 5, ' s'),
          goal('a write acknowledged again, the longest', longest('writtenMs') / 1000, 5, ' s'),
          goal('acknowledged writes missing', counts.missing, 0, ''),
        ],
      },
    ],
    args,
  )
}
