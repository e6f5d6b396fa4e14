// What was measured, kept: bench/record/picture.json, its tables in picture.md, and the chart of docs/scaling.md. A size replaces the former of about the same.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { table } from '../search/table.mjs'
import { chart } from './chart.mjs'

const JSON_FILE = fileURLToPath(new URL('../record/picture.json', import.meta.url))
const MD_FILE = fileURLToPath(new URL('../record/picture.md', import.meta.url))
const CHART_FILE = fileURLToPath(new URL('../../docs/performance/picture.svg', import.meta.url))

const INTRODUCTION = `# Queries by picture: what one costs the api, and what it finds

Processor time in milliseconds, all threads, without hashing; uploads that nobody registered, then copies. Recall in percent of the 70 edits of known test
photographs. Everything is in \`picture.json\`; written by bench/picture.mjs with \`--record\`. How rows were made: [docs/scaling.md](../../docs/scaling.md#queries-by-picture).
`

const NAMES = [
  ...['rows', 'pictures', 'coreMsP50', 'coreMsP99', 'recall', 'queries', 'needles', 'copies', 'copyMsP50', 'copyMsP99'],
  ...[
    'bytesPerPicture',
    'redisBytesPerPicture',
    'redisBytesPerCase',
    'checked',
    'wrong',
    'missed',
    'date',
    'commit',
    'load',
  ],
]

export function record(results) {
  const former = existsSync(JSON_FILE) ? JSON.parse(readFileSync(JSON_FILE, 'utf8')) : []
  const sizeOf = ({ rows }) => Math.round(rows / 2e5)
  const kept = former.filter((one) => !results.some((other) => sizeOf(other) === sizeOf(one)))
  const all = [...kept, ...results].sort((a, b) => a.rows - b.rows)
  writeFileSync(JSON_FILE, `[\n${all.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`)
  const facts = table(Object.fromEntries(NAMES.map((name) => [name, all.map((one) => text(one[name]))])))
  const drawn = all.filter(({ frontier }) => frontier !== undefined)
  const frontiers = drawn.map(
    ({ rows, frontier }) => `## Ways to search, ${rows.toLocaleString('en')} rows\n\n${waysTable(frontier)}`,
  )
  writeFileSync(MD_FILE, `${[INTRODUCTION, facts, ...frontiers].join('\n\n')}\n`)
  if (drawn.length > 0) writeFileSync(CHART_FILE, chart(drawn))
}

function waysTable(frontier) {
  return table({
    search: frontier.map(({ name }) => name),
    'core ms': frontier.map(({ coreMs }) => text(coreMs)),
    recall: frontier.map(({ recall }) => text(recall)),
  })
}

function text(value) {
  return typeof value === 'number'
    ? value.toLocaleString('en', { maximumSignificantDigits: value >= 1000 ? 21 : 4 })
    : String(value ?? '')
}
