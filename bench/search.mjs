// How long does an exact search take, how much memory does a row take, and is every answer right? Also beside FAISS.
//
//   npm run bench search -- [--rows N] [--threshold T] [--corpus uniform|skewed|descriptors|pathological] [--needles K]
//                           [--hashes FOLDER] [--insert] [--peers] [--json] [--record] [--chart]
//
// Times are for a whole query of K needles. --hashes (or TABIR_BENCH_HASHES) names a folder with real hashes; without one,
// `skewed` makes its rows from the sample in test/data. --insert fills the index row by row, as while running. --chart alone
// draws the recorded results and measures nothing. The status is 1 when an answer was wrong. More is in docs/performance.md.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { answerOf, queriesToCheck, rightAnswers, sameAnswer } from './search/check.mjs'
import { CORPORA, openCorpus } from './search/corpora.mjs'
import { measure } from './search/measure.mjs'
import { differing, runPeers } from './search/peers.mjs'
import { publish } from './search/publish.mjs'
import { makeQueries } from './search/queries.mjs'
import { record } from './search/record.mjs'

const QUERIES = 2_048
const MAX_ROWS = 1e9
const PATHOLOGICAL_ROWS = 10_000_000 // a third of them match at once, and each match is an object

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    threshold: { type: 'string', default: '31' },
    corpus: { type: 'string', default: 'uniform' },
    needles: { type: 'string', default: '1' },
    hashes: { type: 'string', default: process.env.TABIR_BENCH_HASHES },
    insert: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    chart: { type: 'boolean', default: false },
  },
})
const measured = process.argv.slice(2).filter((arg) => arg !== '--chart')
if (args.chart && measured.length === 0) {
  publish()
} else {
  const result = await run()
  if (args.json) console.log(JSON.stringify(result))
  else print(result)
  if (args.record) record(result)
  if (args.chart) publish()
  if (result.wrong > 0) process.exitCode = 1
}

async function run() {
  if (!CORPORA.includes(args.corpus)) fail(`--corpus must be one of ${CORPORA.join(', ')}`)
  const rows = integer('rows', 1, args.corpus === 'pathological' ? PATHOLOGICAL_ROWS : MAX_ROWS)
  const threshold = integer('threshold', 0, 256)
  const needles = integer('needles', 1, 64)
  const corpus = opened(rows)
  const load = Number((loadavg()[0] ?? 0).toFixed(1)) // before it adds its own
  if (corpus.from === 'sample')
    console.error('No folder with real hashes was given: the rows are made from the sample in test/data.')

  const queries = makeQueries(corpus, QUERIES, needles, threshold)
  const faiss = args.peers ? await runPeers(corpus, queries, needles, threshold) : {}
  if (faiss.missing !== undefined) console.error(`FAISS is not measured: ${faiss.missing}`)

  const { engine, misplanted, ...times } = await measure(corpus, queries, threshold, args.insert)
  const index = engine.status(threshold)
  const checked = queries.slice(0, queriesToCheck(rows, needles))
  const right = rightAnswers(corpus, checked, threshold)
  const wrong = new Set(misplanted)
  for (const [i, { needles }] of checked.entries()) {
    if (!sameAnswer(answerOf(engine.within(needles, threshold)), right[i])) wrong.add(i)
  }
  return {
    rows,
    threshold,
    corpus: args.corpus,
    needles,
    p50Us: times.p50Us,
    p99Us: times.p99Us,
    bytesPerRow: times.bytesPerRow,
    buildRowsPerS: times.buildRowsPerS,
    checked: checked.length,
    wrong: wrong.size,
    peers: Object.fromEntries(
      Object.entries(faiss.peers ?? {}).map(([name, peer]) => [name, compared(peer, engine, queries, threshold)]),
    ),
    ...times,
    p50UsPerNeedle: Number((times.p50Us / needles).toPrecision(4)),
    plantedChecked: Math.ceil(Math.min(times.queries, QUERIES) / 2),
    rowsFrom: corpus.from,
    byInsert: args.insert,
    ...(faiss.version === undefined ? {} : { faiss: faiss.version, faissCallUs: faiss.callUs }),
    ...(index === undefined ? {} : { index }),
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    load,
    largePages: largePages(),
    machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`,
    command: command(corpus),
  }
}

function compared({ answers, ...peer }, engine, queries, threshold) {
  if (answers === undefined) return peer
  return { ...peer, compared: answers.length, differing: differing({ answers }, engine, queries, threshold) }
}

function opened(rows) {
  try {
    return openCorpus(args.corpus, rows, args.hashes)
  } catch (error) {
    return fail(error.message)
  }
}

function integer(name, least, most) {
  const value = Number(args[name])
  if (!Number.isInteger(value) || value < least || value > most) fail(`--${name} must be an integer ${least}…${most}`)
  return value
}

/** @returns {never} */
function fail(reason) {
  console.error(reason)
  process.exit(2)
}

/** The commit that was measured, and whether the index was changed since. */
function commit() {
  const git = (...words) => execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const changed = git('status', '--porcelain', '--', '../src/search', '../packages/hash/src') !== ''
    return git('rev-parse', '--short=10', 'HEAD') + (changed ? ' + changes' : '')
  } catch {
    return 'unknown'
  }
}

/** Whether the system gives pages of 2 MB: `always`, or only on request (`madvise`), which V8 does not make. */
function largePages() {
  try {
    return /\[(\w+)\]/.exec(readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8'))?.[1] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

/** Without the folder's name, which is private. */
function command({ from }) {
  const words = ['rows', 'threshold', 'corpus', 'needles'].flatMap((name) => [`--${name}`, args[name]])
  if (from === 'folder') words.push('--hashes', 'FOLDER')
  if (args.insert) words.push('--insert')
  if (args.peers) words.push('--peers')
  return `npm run bench search -- ${words.join(' ')}`
}

function print({ peers, index, machine, load, largePages, date, commit, command, ...numbers }) {
  console.table(numbers)
  if (index !== undefined) console.log('index:', index)
  for (const [name, { tried, ...peer }] of Object.entries(peers)) {
    console.log(name, peer)
    for (const line of tried ?? []) console.log(`  tried ${line}`)
    if (peer.differing > 0) console.log(`  ${peer.differing} of its ${peer.compared} answers are not ours`)
  }
  console.log(`${machine}, load ${load}, large pages: ${largePages}, ${date}, commit ${commit}`)
  console.log(command)
}
