// Records results: bench/record/robustness.json has the figures, robustness.md a table of the groups of edits. A result replaces the former one of the
// same command.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { recallTable, summary } from './report.mjs'

const JSON_FILE = fileURLToPath(new URL('../record/robustness.json', import.meta.url))
const MD_FILE = fileURLToPath(new URL('../record/robustness.md', import.meta.url))

const INTRODUCTION = `# Robustness: which edits are found, and what is found falsely

Recall in percent for each group of edits; one section for each command. [docs/robustness.md](../../docs/robustness.md) says how it is measured, and what
counts as false. \`robustness.json\` has each edit; bench/robustness.mjs writes both with \`--record\`.
`

export function record(figures, options) {
  const { distances: _curves, images: _numbers, names: _names, falsePairs, ...kept } = figures
  const measured = {
    ...kept,
    falsePairs: falsePairs.map(({ edit, nearest }) => ({ edit, ...nearest })), // photographs have names, and they stay out
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}, sharp ${sharp.versions.sharp}`,
    command: command(options, figures.parts),
  }
  const former = existsSync(JSON_FILE) ? JSON.parse(readFileSync(JSON_FILE, 'utf8')) : []
  const records = [...former.filter((one) => one.command !== measured.command), measured]
  records.sort((a, b) => (a.command < b.command ? -1 : 1))
  writeFileSync(JSON_FILE, `[\n${records.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`)
  writeFileSync(MD_FILE, `${INTRODUCTION}\n${records.map(section).join('\n\n')}\n`)
}

function section(one) {
  const facts = [...summary(one), `${one.machine}, ${one.date}, commit ${one.commit}`]
  return `## \`${one.command}\`\n\n${facts.map((fact) => `- ${fact}`).join('\n')}\n\n${recallTable({ ...one, edits: [] })}`
}

/** The commit of the code that decides the figures; of the first part, where there are several. */
export function commit() {
  const git = (...words) => execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const parts = ['../../packages/hash/src', '../../src/search', '../../src/domain', '../../workers/media', '../variants']
    const changed = git('status', '--porcelain', '--', ...parts) !== ''
    return git('rev-parse', '--short=10', 'HEAD') + (changed ? ' + changes' : '')
  } catch {
    return 'unknown'
  }
}

/** Without the names of folders, which are private. */
function command({ stage, limit, split, variants, layouts, seed, distractors, rows, rowsPerImage }, parts) {
  const given = [
    '--photos FOLDER',
    `--stage ${stage}`,
    Number.isFinite(limit) ? `--limit ${limit}` : [],
    split === 'all' ? [] : `--split ${split}`,
    variants === undefined ? [] : `--variants ${variants.join(',')}`,
    layouts === undefined ? [] : `--layouts ${fileName(layouts)}`,
    seed === '1' ? [] : `--seed ${seed}`,
    distractors === undefined ? [] : '--distractors FOLDER',
    rows === undefined ? [] : `--rows FILE --rows-per-image ${rowsPerImage}`,
    parts.length === 0 ? [] : `--part ${parts.join(', ')}`,
  ]
  return `npm run bench robustness -- ${given.flat().join(' ')}`
}

function fileName(path) {
  return path.endsWith('bench/variants/unseen.mjs') ? 'bench/variants/unseen.mjs' : 'FILE'
}
