// How long from the first byte of a picture to a match on another api, and how many pictures a second?
//
//   npm run bench submit [-- --json] [--count N] [--parallel N]
//
// Real processes: a private Redis that is on disk at every write, two apis, one worker process with a child per core. The pictures are synthetic JPEGs of
// 12 megapixels and about 2 MB. Every submission is checked: the second api must match it exactly. After the measurement all are withdrawn, and none
// may match a second later.
//
// Rounds of the service and of the bare children alternate, some seconds each: the speed of a machine differs more from one minute to the next than
// the two differ from round to round.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readConfig } from '../dist/src/boot/config.js'
import { createApiKey } from '../dist/src/services/keys/access.js'
import { openRedisServer } from '../dist/src/store/embedded/embedded-redis.js'
import { createApiKeyStore } from '../dist/src/store/organisations/api-keys.js'
import { openStore } from '../dist/src/store/redis/client.js'
import { openSandbox } from '../dist/workers/sandbox.js'
import { findSandboxCommand, ownFiles } from '../dist/workers/sandbox-command.js'
import { largePicture } from './pictures.mjs'
import { percentile, progress } from './report.mjs'
import { FORM, formOf, json, patiently } from './submit/requests.mjs'
import { cores, descendantsOf, inParallel, round, steadily } from './submit/rounds.mjs'

const { values: args } = parseArgs({
  options: {
    json: { type: 'boolean' },
    count: { type: 'string', default: '200' },
    parallel: { type: 'string', default: '20' },
  },
})
const COUNT = Number(args.count)
const PARALLEL = Number(args.parallel)
/** A new process runs code that is not compiled yet, and compiles in parallel. */
const WARM_UP = 40
const ROUNDS = 5
const A_ROUND = Math.ceil(COUNT / ROUNDS)
const ROUND_SUBMITS = A_ROUND + 2 * PARALLEL
/** Each submission has a picture of its own, so that a match is its own. */
const PICTURES = WARM_UP + Math.max(COUNT, ROUNDS * ROUND_SUBMITS)
/** Asking often would take the cores from what is measured; a pause can only make what is measured longer. */
const ASK_INTERVAL_MS = 10
const hashes = new Map()

const dataDir = mkdtempSync(join(tmpdir(), 'tabir-bench-'))
const running = []
/** Pids of the service's, and of what asks it. */
const processes = { client: [process.pid] }
try {
  const pictures = []
  for (let seed = 1; seed <= PICTURES; seed++) pictures.push(await largePicture(seed))
  const service = await start()
  const forms = pictures.map(formOf)
  await hashAll(service, forms)
  const single = await oneAtATime(service, forms.slice(0, WARM_UP + COUNT))
  const { alone, together, failures } = await byTurns(await openBare(pictures), service, forms)
  report({ alone, single, together, failures, sizeBytes: pictures[0].length })
} finally {
  for (const stop of running.reverse()) await stop()
  rmSync(dataDir, { recursive: true, force: true })
}

/** The sandbox's children, fed without a pause: what the cores could do if nothing else had to be done. */
async function openBare(pictures) {
  const sandbox = openSandbox({
    sandboxCommand: findSandboxCommand({ readable: ownFiles(), hidden: [] }),
    children: cores,
    memoryMb: 1536,
    timeLimitMs: 10_000,
    entry: [path('../dist/workers/media/child.js')],
  })
  running.push(() => sandbox.close())
  await sandbox.ready
  let next = 0
  const hash = async () => {
    const answer = await sandbox.hash(pictures[next++ % PICTURES], 'submission')
    if (!('image' in answer)) throw new Error('a picture was not hashed')
  }
  return { hash, processes: { client: [process.pid], hashers: sandbox.pids.flatMap((pid) => [pid, ...descendantsOf(pid)]) } }
}

async function start() {
  const redis = await openRedisServer(readConfig({ ...process.env, TABIR_DATA_DIR: dataDir }))
  running.push(() => redis.stop())
  processes.redis = descendantsOf(process.pid)
  const env = {
    PATH: process.env.PATH,
    REDIS_SOCKET: redis.socket,
    TABIR_DATA_DIR: dataDir,
    TABIR_PORT: '0',
    TABIR_LOG_LEVEL: 'warn',
  }
  const urls = []
  for (const name of ['api', 'otherApi']) urls.push((await startProcess(name, '../dist/src/boot/server.js', env)).url)
  await startProcess('workers', '../dist/workers/main.js', env)
  processes.hashers = processes.workers.flatMap(descendantsOf)
  const store = await openStore({ url: undefined, socket: redis.socket })
  const made = await createApiKey(createApiKeyStore(store), {
    org: 'bench',
    kind: 'platform',
    scopes: new Set(['match']),
    env: 'bench',
    nowMs: Date.now(),
  })
  await store.close()
  while (!(await knows(urls[1], made.key))) await sleep(ASK_INTERVAL_MS) // which it hears of a moment later
  return { submitTo: urls[0], askAt: urls[1], key: made.key }
}

async function knows(url, key) {
  const { status } = await fetch(`${url}/v1/match`, { method: 'POST', headers: { authorization: `Bearer ${key}` } })
  return status !== 401
}

async function startProcess(name, file, env) {
  const child = fork(path(file), { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  processes[name] = [child.pid]
  running.push(async () => {
    child.kill('SIGTERM')
    await once(child, 'exit')
  })
  const [message] = await once(child, 'message')
  return message
}

async function oneAtATime(service, pictures) {
  const times = []
  const cases = await openCases(service, WARM_UP + COUNT)
  const bar = progress('one at a time', COUNT)
  for (let i = -WARM_UP; i < COUNT; i++) {
    const ms = await submitAndMatch(service, cases[i + WARM_UP], pictures[i + WARM_UP])
    if (i < 0) continue
    times.push(ms)
    bar(i + 1)
  }
  await withdrawAll(service, cases, pictures)
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) }
}

/** One round of each after the other; the order is turned round each time, so that neither always has what the other left. */
async function byTurns(bare, service, pictures) {
  const cases = await openCases(service, PICTURES)
  let next = 0
  let failures = 0
  const submit = async () => {
    const mine = next++
    await submitAndMatch(service, cases[mine], pictures[mine]).catch(() => failures++)
  }
  const alone = []
  const together = []
  const turns = [
    async () => alone.push(await steadily({ count: A_ROUND, parallel: cores * 2, work: bare.hash, kinds: bare.processes })),
    async () => together.push(await steadily({ count: A_ROUND, parallel: PARALLEL, work: submit, kinds: processes })),
  ]
  await steadily({ count: WARM_UP, parallel: cores * 2, work: bare.hash, kinds: bare.processes })
  await inParallel(PARALLEL, WARM_UP, submit)
  const bar = progress(`${PARALLEL} at a time, and the children alone`, ROUNDS)
  for (let round = 0; round < ROUNDS; round++) {
    for (const turn of turns) await turn()
    turns.reverse()
    bar(round + 1)
  }
  await withdrawAll(service, cases.slice(0, next), pictures.slice(0, next))
  return { alone, together, failures }
}

/** Beforehand: stretching a PIN is made to take as long as a picture. */
async function openCases({ submitTo }, count) {
  const open = () => patiently(`${submitTo}/v1/cases`, 'POST', {}, JSON.stringify({ adult: true }), 201)
  const opened = []
  while (opened.length < count) opened.push(...(await Promise.all(Array.from({ length: cores }, open))))
  return opened
}

/** @returns milliseconds from the first byte sent to the second api's match. */
async function submitAndMatch({ submitTo, askAt, key }, opened, picture) {
  const mine = { authorization: `Bearer ${opened.token}` }

  const begun = performance.now()
  await json(`${submitTo}/v1/cases/${opened.caseNumber}/images`, 'POST', { ...mine, ...FORM }, picture, 201)
  while ((await exactMatches(askAt, key, hashes.get(picture))) === 0) await sleep(ASK_INTERVAL_MS) // until the second api has it too
  return performance.now() - begun
}

async function exactMatches(askAt, key, hash) {
  const query = JSON.stringify({ queries: [{ signals: [{ type: 'pdq', hash }] }] })
  const { results } = await json(`${askAt}/v1/match`, 'POST', { authorization: `Bearer ${key}` }, query, 200)
  return results[0].matches.filter(({ distanceBand }) => distanceBand === '0').length
}

async function withdrawAll({ submitTo, askAt, key }, cases, pictures) {
  for (const { caseNumber, token } of cases)
    await patiently(`${submitTo}/v1/cases/${caseNumber}`, 'DELETE', { authorization: `Bearer ${token}` }, undefined, 200)
  const withdrawnAt = performance.now()
  for (const picture of pictures) {
    while ((await exactMatches(askAt, key, hashes.get(picture))) > 0)
      if (performance.now() - withdrawnAt > 1000) throw new Error('withdrawn pictures match after a second')
  }
}

/** Asked beforehand: what to ask for is not a part of what is measured. */
async function hashAll({ askAt, key }, pictures) {
  const bar = progress('hashes to ask for', pictures.length)
  for (const [i, picture] of pictures.entries()) {
    const url = `${askAt}/v1/match/images`
    const { results } = await patiently(url, 'POST', { authorization: `Bearer ${key}`, ...FORM }, picture, 200)
    hashes.set(picture, results[0].signals.find(({ type }) => type === 'pdq').hash)
    bar(i + 1)
  }
}

function report({ alone, single, together, failures, sizeBytes }) {
  const shares = together.map(({ perS }, round) => perS / alone[round].perS)
  const result = {
    cores,
    pictureBytes: sizeBytes,
    count: COUNT,
    p50Ms: round(single.p50Ms),
    p99Ms: round(single.p99Ms),
    parallel: PARALLEL,
    rounds: ROUNDS,
    failures,
    coreMs: mediansOf(together),
    pipelineCoreMs: mediansOf(alone),
    perS: round(median(together.map(({ perS }) => perS))),
    pipelinePerS: round(median(alone.map(({ perS }) => perS))),
    share: round(median(shares), 3),
    shares: shares.map((share) => round(share, 3)),
  }
  if (args.json) {
    console.log(JSON.stringify(result))
    return
  }
  console.log(`
From the first byte of a ${(sizeBytes / 1e6).toFixed(1)} MB JPEG of 12 megapixels to a match on the second api, ${cores} cores, ${COUNT} pictures, medians of ${ROUNDS} rounds

  one at a time      p50 ${result.p50Ms} ms   p99 ${result.p99Ms} ms
  ${PARALLEL} at a time      ${result.perS} pictures/s, ${result.failures} failures
  pipeline alone     ${result.pipelinePerS} pictures/s on all cores
  share              ${(100 * result.share).toFixed(1)} %   (round by round ${result.shares.map((share) => (100 * share).toFixed(1)).join(', ')})
  core-ms a picture  ${listed(result.coreMs)}
  pipeline alone     ${listed(result.pipelineCoreMs)}`)
}

function mediansOf(rounds) {
  const names = Object.keys(rounds[0].coreMs)
  return Object.fromEntries(names.map((name) => [name, median(rounds.map(({ coreMs }) => coreMs[name]))]))
}

function median(values) {
  return percentile(values, 0.5) // of an odd number
}

function listed(coreMs) {
  return Object.entries(coreMs)
    .map(([name, ms]) => `${name} ${ms}`)
    .join(', ')
}

function path(relative) {
  return fileURLToPath(new URL(relative, import.meta.url))
}
