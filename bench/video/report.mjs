// Prints the figures as one line of JSON and as tables, and writes the record.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { table } from '../search/table.mjs'

const RECORD = fileURLToPath(new URL('../record/video.md', import.meta.url))
const [BEGIN, END] = ['begin', 'end'].map((word) => `<!-- written by bench/video.mjs: ${word} -->`)
const METHODS = { tabir: 'Tabir', share: 'vPDQ, 80 % of the query', any: 'vPDQ, any frame' }
const loadBefore = loadavg()[0]

/**
 * @param run `{ clips, tally, rows, costs, stills }`: the number of edited films, the counts, the rows of all registered films, the costs of costs.mjs,
 *   and the names of the edits that are stills.
 * @returns the content of the last line. `mean` excludes stills. `cpuPerMinute` has the seconds to decode and hash an unchanged film, and to search for
 *   an edit.
 */
export function summaryOf({ clips, tally, rows, costs, stills }) {
  const recall = tally.recall()
  const all = videosIn(recall, stills)
  const { right, all: answers } = tally.moments
  const { decode, hash } = costs.registered.perMinute()
  return {
    clips,
    queries: tally.queries,
    recall: Object.fromEntries([...recall].map(([id, { percent }]) => [id, tenth(percent.tabir)])),
    mean: all.length === 0 ? null : tenth(meanOf(all, 'tabir')),
    falseVideos: tally.falseVideos.tabir ?? 0,
    strangerPairs: tally.strangerPairs,
    sameCameraFalse: tally.sameCameraFalse,
    momentWithin1s: answers === 0 ? null : tenth((100 * right) / answers),
    rowsPerMinute: Math.round(rows / costs.registered.minutes),
    cpuPerMinute: { decode: hundredth(decode), hash: hundredth(hash), search: hundredth(costs.edits.perMinute().search) },
  }
}

export function report(run) {
  const { tally, costs, stills, registered, moving, checked } = run
  const recall = tally.recall()
  const names = Object.keys(METHODS)
  const rows = [...recall].map(([id, { queries, percent }]) => [id, queries, ...names.map((name) => fixed(percent[name]))])
  const all = videosIn(recall, stills)
  const means = [
    '**mean** without stills',
    all.reduce((sum, [, { queries }]) => sum + queries, 0),
    ...names.map((name) => fixed(meanOf(all, name))),
  ]
  const falses = ['**strangers found**', tally.strangerPairs, ...names.map((name) => tally.falseVideos[name] ?? 0)]
  const columns = ['edit', 'queries', ...Object.values(METHODS)]
  const lines = [...rows, ...(all.length > 0 ? [means] : []), falses]
  const recallTable = table(Object.fromEntries(columns.map((column, i) => [column, lines.map((line) => String(line[i]))])))
  const perMinute = [costs.registered, costs.asked, costs.edits].map((sum) => sum.perMinute())
  const costTable = table({
    'of a minute': ['registered, as it came', 'asked about, as it came', 'asked about, edits'],
    'decode, s': perMinute.map(({ decode }) => decode.toFixed(2)),
    'hash, s': perMinute.map(({ hash }) => hash.toFixed(2)),
    'search, s': perMinute.map(({ search }, i) => (i === 0 ? '' : search.toFixed(2))),
  })
  const { right, all: answers } = tally.moments
  const summary = summaryOf(run)
  const facts = [
    `- ${registered} films registered and ${run.clips} edited: ${costs.registered.minutes.toFixed(1)} minutes, ${summary.rowsPerMinute} rows a minute`,
    `- same camera: ${tally.sameCameraFalse} found of ${tally.sameCameraPairs} pairs`,
    `- moment: ${right} of ${answers} answers within 1 s, on ${moving} films that move`,
    `- answers checked against every pair of frames: ${checked.all}, different: ${checked.wrong}`,
  ]
  return [recallTable, facts.join('\n'), costTable].join('\n\n')
}

/** Names the films that were missed or found falsely. Names of films stay out of the record. */
export function namesOf({ tally }) {
  const missed = [...tally.missed].map(([id, names]) => `missed, ${id}: ${names.join(', ')}`)
  const falsely = tally.falsePairs.map(({ name, id = 'as it is', found }) => `found falsely: ${found}, by ${name}, ${id}`)
  return [...missed, ...falsely].join('\n')
}

/** Replaces the generated part of the record and keeps the text around it. */
export function record(run, { command }) {
  const text = existsSync(RECORD) ? readFileSync(RECORD, 'utf8') : '# Videos: which edits are found\n'
  const [before, rest = ''] = text.split(BEGIN)
  const [, after = '\n'] = rest.split(END)
  const date = new Date().toISOString().slice(0, 10)
  const machine = `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}, load ${loadBefore.toFixed(1)} before, ${loadavg()[0].toFixed(1)} after`
  const about = `${date}, commit ${commit()}, ${machine}. \`${command}\``
  const written = [BEGIN, about, report(run), `\`${JSON.stringify(summaryOf(run))}\``, END].join('\n\n')
  writeFileSync(RECORD, `${before.trimEnd()}\n\n${written}${after}`)
}

function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim()
  } catch {
    return 'unknown'
  }
}

function videosIn(recall, stills) {
  return [...recall].filter(([id]) => !stills.has(id))
}

function meanOf(edits, method) {
  return edits.reduce((sum, [, { percent }]) => sum + percent[method], 0) / edits.length
}

function fixed(percent) {
  return percent.toFixed(1)
}

function tenth(value) {
  return Number(value.toFixed(1))
}

function hundredth(value) {
  return Number(value.toFixed(2))
}
