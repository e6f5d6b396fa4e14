// Writes the chart of the record into docs/performance.md, and where another library is faster. Only the record has the table.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chart } from './chart.mjs'
import { nameOf, readRecords } from './record.mjs'
import { replaceSection, time } from './table.mjs'

const DOC = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))
const SVG = fileURLToPath(new URL('../../docs/performance/search.svg', import.meta.url))
const CHART_THRESHOLD = 31

export function publish() {
  const records = readRecords()
  const svg = chart(records, CHART_THRESHOLD)
  mkdirSync(dirname(SVG), { recursive: true })
  if (svg === undefined) rmSync(SVG, { force: true })
  else writeFileSync(SVG, svg)
  writeFileSync(DOC, replaceSection(readFileSync(DOC, 'utf8'), section(records, svg !== undefined)))
}

function section(records, hasChart) {
  if (records.length === 0) return ''
  const parts = ['## Measured']
  if (hasChart) {
    parts.push(`![Median time of a query over the number of rows, for Tabir and FAISS](performance/search.svg)`)
  }
  parts.push(sources(records), ...shortcomings(records))
  return parts.join('\n\n')
}

function sources(records) {
  const machines = [...new Set(records.map(({ machine }) => machine))]
  const versions = [...new Set(records.flatMap(({ faiss }) => faiss ?? []))]
  const by = versions.length === 0 ? '' : ` FAISS: ${versions.join(', ')}.`
  return `Machine: ${machines.join('; ')}.${by} Figures, dates, commits and commands are in the [record](../bench/record/search.md).`
}

/** Wrong answers, and where another library is faster: a reader must not have to find these in the table. */
function shortcomings(records) {
  const wrong = records.filter((one) => one.wrong > 0).map((one) => `- ${one.wrong} wrong answers: ${questionOf(one)}.`)
  const slower = records.flatMap((one) => {
    const names = { faissFlat: 'FAISS Flat', faissMultiHash: 'FAISS MultiHash' }
    return Object.entries(one.peers)
      .filter(([, { p50Us }]) => p50Us < one.p50Us)
      .map(([name, { p50Us }]) => `- ${names[name]} is faster, ${time(p50Us)} for ${time(one.p50Us)}: ${questionOf(one)}.`)
  })
  const lines = [...wrong, ...slower]
  return lines.length === 0 ? [] : ['### Not reached', lines.join('\n')]
}

function questionOf({ rows, threshold, needles, ...rest }) {
  return `${nameOf(rest)}, ${rows.toLocaleString('en')} rows, threshold ${threshold}, ${needles} ${needles === 1 ? 'needle' : 'needles'}`
}
