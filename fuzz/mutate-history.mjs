// Puts bugs back one at a time and looks whether whole histories find them.
//
//   npm run fuzz:mutate-history -- [--only WORDS] [--seed 1] [--seconds 600]
//
// Works on a copy of what was built: only the changed modules are compiled again. `--only` chooses by what the bug is called. The exit code is 1 when one
// was not found, or when something is found without any.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import ts from 'typescript'
import { mutations } from './history-mutations.mjs'

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, seed: { type: 'string' }, seconds: { type: 'string' } },
})
const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'tabir-mutants-'))
const chosen = mutations.filter(({ why }) => why.includes(values.only))
let missed = 0
try {
  for (const name of ['dist', 'fuzz', 'package.json']) cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const mutation of chosen) {
    const restore = applied(mutation.changes)
    const { status, finding, seconds } = fuzzed(mutation)
    restore()
    if (status !== 1) missed++
    const found = finding === undefined ? `NOT FOUND, status ${status}` : `${finding.promise} (${finding.scenario})`
    console.log(`${mutation.why}: ${found}, seed ${values.seed ?? mutation.seed}, ${seconds ?? '?'} s`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${chosen.length} bugs, ${missed} not found`)
process.exitCode = missed === 0 ? 0 : 1

/** @returns what undoes it. */
function applied(changes) {
  const sources = new Map()
  for (const { file, from, to } of changes) {
    const source = sources.get(file) ?? readFileSync(join(root, file), 'utf8')
    if (source.split(from).length !== 2) throw new Error(`${file}: not there once: ${from}`)
    sources.set(
      file,
      source.replace(from, () => to),
    )
  }
  const undo = [...sources].map(([file, source]) => {
    const built = join(folder, 'dist', file.replace(/\.ts$/, '.js'))
    const original = readFileSync(built)
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true }
    writeFileSync(built, ts.transpileModule(source, { compilerOptions }).outputText)
    return () => writeFileSync(built, original)
  })
  return () => {
    for (const each of undo) each()
  }
}

function fuzzed({ only, ignore, seconds, seed }) {
  const args = ['--seconds', values.seconds ?? seconds, '--seed', values.seed ?? seed, '--shrink-seconds', '0', '--json']
  if (only !== '') args.push('--only', only)
  if (ignore !== '') args.push('--ignore', ignore)
  const run = spawnSync(process.execPath, [join(folder, 'fuzz/history.mjs'), ...args.map(String)], { encoding: 'utf8' })
  try {
    return { status: run.status, ...JSON.parse(run.stdout.trim().split('\n').at(-1)) }
  } catch {
    console.error(run.stderr)
    return { status: run.status }
  }
}
