// Output of a benchmark: tables, one line of JSON, or its section of the record.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'

const loadBefore = loadavg()[0]

/**
 * Prints or records a result.
 *
 * @param name of the benchmark: `bench/record/<name>.md` is its record, `bench:<name>` the command.
 * @param result all figures, including `rows`, `wrong` and `refused`
 * @param tables each with a title and lines of equal fields
 */
export function publish(name, result, tables, args) {
  const facts = {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`,
    load: `${loadBefore.toFixed(1)} before, ${loadavg()[0].toFixed(1)} after`,
    command: commandOf(name),
  }
  if (args.json) console.log(JSON.stringify({ ...result, ...facts }, rounded))
  else for (const { title, lines } of tables) console.log(`\n${title}\n\n${markdown(lines)}`)
  if (!args.json) console.log(`\n${facts.machine}, load ${facts.load}, ${facts.date}, commit ${facts.commit}`)
  if (args.record) record(name, result.rows, facts, tables)
  const { wrong, refused = 0 } = result
  if (wrong > 0) console.error(`${wrong} answers were wrong`)
  if (refused > 0) console.error(`${refused} requests were refused, so the figures do not cover all requests`)
  if (wrong > 0 || refused > 0) process.exitCode = 1
}

/** A line of a table of goals. The goal is reached if `measured` is at most `most`. */
export function goal(what, measured, most, unit) {
  return {
    goal: what,
    measured: `${digits(measured)}${unit}`,
    'at most': `${most}${unit}`,
    reached: measured <= most ? 'yes' : 'no',
  }
}

function rounded(_name, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value
}

/** A number with three significant digits, and all digits before the decimal point. */
export function digits(value) {
  if (!Number.isFinite(value)) return '–'
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)))
}

/** Replaces the part for this number of rows; parts for other numbers stay. */
function record(name, rows, { date, commit, machine, load, command }, tables) {
  const begin = `<!-- written by bench/${name}.mjs: begin -->`
  const end = `<!-- written by bench/${name}.mjs: end -->`
  const file = fileURLToPath(new URL(`../record/${name}.md`, import.meta.url))
  const text = existsSync(file) ? readFileSync(file, 'utf8') : `# ${name}\n`
  const [before, rest = ''] = text.split(begin)
  const [written, after = '\n'] = rest.split(end)

  const parts = new Map(
    written.split(/^(?=## )/m).flatMap((part) => (part.startsWith('## ') ? [[rowsOf(part), part.trim()]] : [])),
  )
  const shown = tables.map(({ title, lines }) => `**${title}**\n\n${markdown(lines)}`)
  const about = `${date}, commit ${commit}, ${machine}, load ${load}. \`${command}\``
  parts.set(rows, [`## ${rows.toLocaleString('en')} rows`, about, ...shown].join('\n\n'))
  const sorted = [...parts].sort(([a], [b]) => a - b).map(([, part]) => part)
  writeFileSync(file, `${before.trimEnd()}\n\n${begin}\n\n${sorted.join('\n\n')}\n\n${end}${after}`)
}

function rowsOf(part) {
  return Number(/^## ([\d,]+) rows/.exec(part)?.[1].replaceAll(',', ''))
}

function markdown(lines) {
  const names = [...new Set(lines.flatMap((line) => Object.keys(line)))]
  const cells = [names, ...lines.map((line) => names.map((name) => textOf(line[name])))]
  const widths = names.map((_, column) => Math.max(3, ...cells.map((line) => line[column].length)))
  const drawn = cells.map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`)
  drawn.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`)
  return drawn.join('\n')
}

function textOf(cell = '') {
  return typeof cell === 'number' ? digits(cell) : cell
}

/** The measured commit, with `+changes` if anything but records and documents was changed since. */
function commit() {
  const git = (...words) => execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const changed = git('status', '--porcelain', '--', ':(top)', ':(top,exclude)bench/record', ':(top,exclude)docs') !== ''
    return git('rev-parse', '--short', 'HEAD') + (changed ? '+changes' : '')
  } catch {
    return 'unknown'
  }
}

/** Names of folders are private: the record has placeholders. */
const FOLDERS = { '--photos': 'PHOTOS', '--hashes': 'HASHES', '--distractors': 'DISTRACTORS' }

function commandOf(name) {
  const words = process.argv.slice(2).map((word, i, all) => FOLDERS[all[i - 1]] ?? word)
  const options = words.filter((word) => word !== '--json' && word !== '--record')
  return ['npm', 'run', `bench:${name}`, ...(options.length > 0 ? ['--', ...options] : [])].join(' ')
}
