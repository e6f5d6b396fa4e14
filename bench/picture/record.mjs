// Records results: bench/record/picture.json, its tables in picture.md, and the chart of docs/scaling.md. A result replaces one of about the same size.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { table } from '../search/table.mjs'
import { chart } from './chart.mjs'

const JSON_FILE = fileURLToPath(new URL('../record/picture.json', import.meta.url))
const MD_FILE = fileURLToPath(new URL('../record/picture.md', import.meta.url))
const CHART_FILE = fileURLToPath(new URL('../../docs/performance/picture.svg', import.meta.url))

const INTRODUCTION = `# Queries by picture: processor time of the api, and recall

\`npm run bench picture\` with \`--record\`. Processor time of a query in milliseconds, all threads, without hashing: p50 and p99 of uploads of unregistered photographs,
then of copies of registered ones. Recall in percent of the 70 edits of registered test photographs. \`needles\`: hashes that a query searches for, on average.
\`bytes\`: memory a picture in each api, and Redis memory a picture and a case. \`checked\` queries were compared with a loop over all rows: \`wrong\` matches break the
rules, \`missed\` ones were not given. \`picture.json\` has all figures. How rows were made: [docs/scaling.md](../../docs/scaling.md#queries-by-picture).`

/** Fields of a result, and their headings. */
const COLUMNS = {
  rows: 'rows',
  pictures: 'pictures',
  queries: 'uploads',
  coreMsP50: 'upload p50',
  coreMsP99: 'upload p99',
  copies: 'copies',
  copyMsP50: 'copy p50',
  copyMsP99: 'copy p99',
  recall: 'recall',
  needles: 'needles',
  bytesPerPicture: 'api bytes a picture',
  redisBytesPerPicture: 'Redis bytes a picture',
  redisBytesPerCase: 'a case',
  checked: 'checked',
  wrong: 'wrong',
  missed: 'missed',
  date: 'date',
  commit: 'commit',
  load: 'load',
}

export function record(results) {
  const former = existsSync(JSON_FILE) ? JSON.parse(readFileSync(JSON_FILE, 'utf8')) : []
  const sizeOf = ({ rows }) => Math.round(rows / 2e5)
  const kept = former.filter((one) => !results.some((other) => sizeOf(other) === sizeOf(one)))
  const all = [...kept, ...results].sort((a, b) => a.rows - b.rows)
  writeFileSync(JSON_FILE, `[\n${all.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`)
  const facts = table(
    Object.fromEntries(Object.entries(COLUMNS).map(([name, heading]) => [heading, all.map((one) => text(one[name]))])),
  )
  const drawn = all.filter(({ frontier }) => frontier !== undefined)
  const searches = drawn.length > 0 ? ['## Searches compared\n\nCore-ms a query, and recall:', searchesTable(drawn)] : []
  writeFileSync(MD_FILE, `${[INTRODUCTION, facts, ...searches].join('\n\n')}\n`)
  if (drawn.length > 0) writeFileSync(CHART_FILE, chart(drawn))
}

function searchesTable(drawn) {
  const names = [...new Set(drawn.flatMap(({ frontier }) => frontier.map(({ name }) => name)))]
  const cell = (one) => (one === undefined ? '' : `${text(one.coreMs)}, ${text(one.recall)}`)
  const columns = drawn.map(({ rows, frontier }) => [
    `${rows.toLocaleString('en')} rows`,
    names.map((name) => cell(frontier.find((one) => one.name === name))),
  ])
  return table({ search: names, ...Object.fromEntries(columns) })
}

function text(value) {
  return typeof value === 'number'
    ? value.toLocaleString('en', { maximumSignificantDigits: value >= 1000 ? 21 : 4 })
    : String(value ?? '')
}
