// Records results: bench/record/search.json has everything, search.md the table. A result replaces the former one of the same question.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CORPORA } from './corpora.mjs'
import { replaceSection, table, time } from './table.mjs'

const JSON_FILE = fileURLToPath(new URL('../record/search.json', import.meta.url))
const MD_FILE = fileURLToPath(new URL('../record/search.md', import.meta.url))

const INTRODUCTION = `# Search: time of a query and memory of a row, beside FAISS

\`npm run bench search\` with \`--record\`, one thread. A time is that of the search call for a whole query. Bytes a row are the larger of what the index reports
and what the process grew by. \`checked\` answers were compared completely with a search that reads every row; \`wrong\` ones differed. FAISS times are of the last
run with \`--peers\` (\`peersDate\`). The corpora and the goals are in [docs/performance.md](../../docs/performance.md), attempts in [search-notes](search-notes.md).
\`search.json\` has all figures.
`

/** @returns all results, in the order of the tables. */
export function readRecords() {
  return existsSync(JSON_FILE) ? JSON.parse(readFileSync(JSON_FILE, 'utf8')) : []
}

/** Adds a result. A result without peers keeps those of the former one on the same machine. */
export function record(result) {
  const records = readRecords()
  const former = records.find((one) => sameQuestion(one, result))
  const kept = records.filter((one) => one !== former)
  kept.push(withPeers(result, former))
  kept.sort(byQuestion)
  writeFileSync(JSON_FILE, `[\n${kept.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`)
  const text = existsSync(MD_FILE) ? readFileSync(MD_FILE, 'utf8') : INTRODUCTION
  writeFileSync(MD_FILE, replaceSection(text, recordTable(kept)))
}

/** The corpus and unusual options. */
export function nameOf({ corpus, rowsFrom, byInsert, largePages }) {
  const unusual = [
    rowsFrom === 'sample' ? 'of the sample' : [],
    byInsert ? 'row by row' : [],
    largePages === 'always' ? 'large pages' : [],
  ].flat()
  return [corpus, ...unusual].join(', ')
}

function withPeers(result, former) {
  if (Object.keys(result.peers).length > 0) return { ...result, peersDate: result.date }
  if (former === undefined || former.machine !== result.machine) return result
  const { peers, faiss, faissCallUs, peersDate } = former
  return { ...result, peers, faiss, faissCallUs, peersDate }
}

/** The first columns of each table: the question and its cost. */
function measuredColumns(records) {
  return {
    corpus: records.map(nameOf),
    rows: records.map(({ rows }) => rows.toLocaleString('en')),
    threshold: records.map(({ threshold }) => threshold),
    needles: records.map(({ needles }) => needles),
    p50: records.map(({ p50Us }) => time(p50Us)),
    p99: records.map(({ p99Us }) => time(p99Us)),
    'bytes a row': records.map(({ bytesPerRow }) => bytesPerRow),
    'rows/s built': records.map(({ buildRowsPerS }) => buildRowsPerS.toLocaleString('en')),
  }
}

function recordTable(records) {
  return table({
    ...measuredColumns(records),
    'hits a query': records.map(({ hitsPerQuery }) => hitsPerQuery),
    checked: records.map(({ checked }) => checked),
    wrong: records.map(({ wrong }) => wrong),
    'FAISS Flat p50': records.map(({ peers }) => time(peers.faissFlat?.p50Us)),
    'FAISS MultiHash p50': records.map(({ peers }) => multiHash(peers.faissMultiHash)),
    date: records.map(({ date }) => date),
    commit: records.map(({ commit }) => commit),
    machine: records.map(({ machine }) => machine),
    'load before': records.map(({ load }) => load ?? ''),
    'large pages': records.map(({ largePages }) => largePages ?? 'madvise'),
    command: records.map(({ command }) => `\`${command}\``),
  })
}

function multiHash(peer) {
  return peer?.p50Us === undefined ? '' : `${time(peer.p50Us)} (${peer.parameters})`
}

function sameQuestion(a, b) {
  return byQuestion(a, b) === 0
}

function byQuestion(a, b) {
  return (
    CORPORA.indexOf(a.corpus) - CORPORA.indexOf(b.corpus) ||
    a.rowsFrom.localeCompare(b.rowsFrom) ||
    a.byInsert - b.byInsert ||
    a.threshold - b.threshold ||
    a.needles - b.needles ||
    a.rows - b.rows ||
    Number(a.largePages === 'always') - Number(b.largePages === 'always')
  )
}
