// Breaks the search engine in one place at a time and looks whether a test says so.
//
//   node fuzz/mutate-search.mjs [--only head] [--table wrong|slower] [--part 1/4] [--jobs 2] [--journal FILE]
//
// Works on copies in the system's folder for temporary files, never on the working tree. The exit code is 1 when a fault
// survived that has no reason to (fuzz/search-mutations.mjs), or died that is said to be none.
//
// With a journal, a line for each fault, what was broken off goes on where it was. What survived is tried again, because a test may have
// been written since; so is what lies in a file that has changed.

import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as asc from 'assemblyscript/asc'
import ts from 'typescript'
import { embedded, flagsOf } from '../kernels.mjs'
import { wrong } from './search-mutations.mjs'
import { slower } from './search-slowdowns.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    table: { type: 'string', default: '' },
    part: { type: 'string', default: '1/1' },
    jobs: { type: 'string', default: '2' },
    journal: { type: 'string' },
  },
})

/** What the copies need: the engine, what it imports, its tests and the build. */
const COPIED = [
  'src/search',
  'packages/hash/src/hash256.ts',
  'test/search',
  'test/data',
  'kernels.mjs',
  'package.json',
  'tsconfig.json',
]
/** The whole build makes the page as well, of which the copies have nothing. */
const BUILD = `
import { spawnSync } from 'node:child_process'
import { buildKernels } from './kernels.mjs'
buildKernels(import.meta.dirname)
const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.'])
process.exit(status ?? 1)
`
const KERNEL = 'src/search/kernel/engine.ts'
const EMBEDDED = 'dist/src/search/engine.generated.js'
/** Of the processor: beside other work a test may take very long by the clock. */
const TEST_S = 120
const TAP_S = 7200

// Quick ones first, then by what they cost, and what is not named here last; of a file its own first of all.
const TESTS = [
  'engine linear plan part row-block image-ledger head parts compaction kernel segment segment-pauses together wide dump signal-index',
  'signal-index-life exactness signal-index.model',
].flatMap((names) => names.split(' '))

const begun = Date.now()
const [part, parts] = values.part.split('/').map(Number)
const chosen = Object.entries({ wrong, slower })
  .flatMap(([table, mutations]) => mutations.map((mutation) => ({ table, ...mutation })))
  .filter(({ table, file }) => table.includes(values.table) && file.includes(values.only))
  // Kernels last: each takes longer, because it is compiled.
  .toSorted((a, b) => Number(a.file.includes('/kernel/')) - Number(b.file.includes('/kernel/')))
  .filter((_, i, { length }) => Math.floor((i * parts) / length) === part - 1)
const journal = readJournal()
const results = chosen.flatMap((mutation) => {
  const by = journal.get(nameOf(mutation))
  return by === undefined ? [] : [{ ...mutation, isKilled: true, by }]
})
const queue = chosen.filter((mutation) => !journal.has(nameOf(mutation)))
console.log(`${queue.length} faults, and ${results.length} that were killed before`)
await Promise.all(Array.from({ length: Number(values.jobs) }, worker))
report()

async function worker() {
  const folder = await copied()
  try {
    for (let mutation = queue.shift(); mutation !== undefined; mutation = queue.shift()) {
      const outcome = await tried(folder, mutation)
      results.push({ ...mutation, ...outcome })
      if (outcome.isKilled) note(nameOf(mutation), outcome.by)
      const { file, from, to, survives } = mutation
      const isExpected = outcome.isKilled === (survives === undefined)
      const line = `${basename(file)}: ${shown(from)} → ${shown(to)}`
      console.log(`${isExpected ? ' ' : '!'} ${outcome.isKilled ? 'killed  ' : 'SURVIVED'} ${line}   (${outcome.by})`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Which faults were killed by what, and that the engine as it is was not. */
function readJournal() {
  if (values.journal === undefined || !existsSync(values.journal)) return new Map()
  const lines = readFileSync(values.journal, 'utf8').trim().split('\n')
  return new Map(lines.map((line) => JSON.parse(line)).map(({ name, by }) => [name, by]))
}

function note(name, by) {
  journal.set(name, by)
  if (values.journal !== undefined) appendFileSync(values.journal, `${JSON.stringify({ name, by })}\n`)
}

/** Tells a fault from all others, and from itself in another state of its file. */
function nameOf({ table, file, from, to }) {
  const source = readFileSync(join(root, file))
  return createHash('sha256')
    .update(JSON.stringify([table, file, from, to]))
    .update(source)
    .digest('hex')
}

/** A copy of the working tree, as far as needed, that builds and passes. */
async function copied() {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-mutants-'))
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z', ...COPIED], {
    cwd: root,
  })
  const deleted = execFileSync('git', ['ls-files', '--deleted', '-z'], { cwd: root }).toString().split('\0')
  const whole = createHash('sha256')
  for (const path of list.toString().split('\0')) {
    if (path === '' || deleted.includes(path)) continue
    whole.update(path).update(readFileSync(join(root, path)))
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(root, path), join(folder, path))
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const config = JSON.parse(readFileSync(join(folder, 'tsconfig.json'), 'utf8'))
  // Types are not checked: a fault is to be found by a test.
  const compilerOptions = { ...config.compilerOptions, noCheck: true }
  const include = ['src/search/**/*.ts', 'test/search/**/*.ts']
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...config, compilerOptions, include }))
  writeFileSync(join(folder, 'build.mjs'), BUILD)
  if (!(await builds(folder))) throw new Error('the engine does not build')
  const name = whole.digest('hex')
  if (journal.has(name)) return folder
  const failed = await firstFailed(folder, TESTS)
  if (failed !== undefined) throw new Error(`the engine as it is fails ${failed}`)
  note(name, 'nothing')
  return folder
}

async function tried(folder, { file, from, to }) {
  const path = join(folder, file)
  const original = readFileSync(path, 'utf8')
  if (original.split(from).length !== 2) throw new Error(`${file}: not there once: ${from}`)
  const isKernel = file.includes('/kernel/')
  const compiled = join(folder, isKernel ? EMBEDDED : `dist/${file.replace(/ts$/, 'js')}`)
  const sound = readFileSync(compiled)
  writeFileSync(
    path,
    original.replace(from, () => to),
  )
  try {
    const faulty = await (isKernel ? kernelOf(folder) : scriptOf(path))
    // What does not even parse proves nothing.
    if (faulty === undefined) return { isKilled: false, by: 'the compiler, which refuses it' }
    writeFileSync(compiled, faulty)
    const name = basename(file, '.ts')
    const own = ['wide', 'shape'].includes(name) ? 'wide' : isKernel ? 'kernel' : name
    const order = [...TESTS.filter((name) => name === own), ...TESTS.filter((name) => name !== own)]
    const failed = await firstFailed(folder, order)
    return { isKilled: failed !== undefined, by: failed ?? 'nothing' }
  } finally {
    writeFileSync(path, original)
    writeFileSync(compiled, sound)
  }
}

// A fault changes one file, which is compiled here: the whole build takes as long as the tests that kill it.

async function kernelOf(folder) {
  let wasm
  const { error } = await asc.main([KERNEL, ...flagsOf(KERNEL), '--baseDir', folder, '-o', 'kernel.wasm'], {
    stderr: asc.createMemoryStream(),
    writeFile: (_, contents) => {
      wasm = contents
    },
  })
  return error === null && wasm !== undefined ? embedded(KERNEL, wasm) : undefined
}

function scriptOf(path) {
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext }
  const source = readFileSync(path, 'utf8')
  const { outputText, diagnostics } = ts.transpileModule(source, { compilerOptions, reportDiagnostics: true })
  return diagnostics?.length === 0 ? outputText : undefined
}

async function builds(folder) {
  return (await exitCode('build.mjs', folder)) === 0
}

async function firstFailed(folder, names) {
  const there = readdirSync(join(folder, 'dist/test/search'))
  const unnamed = there.filter((file) => file.endsWith('.test.js')).map((file) => basename(file, '.test.js'))
  for (const name of new Set([...names, ...unnamed])) {
    const file = `${name}.test.js`
    if (!there.includes(file)) throw new Error(`no ${file}`)
    const code = await exitCode(join('dist/test/search', file), folder)
    if (code !== 0) return code === undefined ? `${name}, endlessly` : name
  }
  return undefined
}

/** `undefined` when it did not come to an end in time. */
function exitCode(program, cwd) {
  return new Promise((resolve, reject) => {
    const limited = ['-c', `ulimit -t ${TEST_S}; exec "$0" "$@"`, process.execPath, program]
    const env = { ...process.env, TAP_BAIL: '1', TAP_TIMEOUT: String(TAP_S) }
    const child = spawn('/bin/sh', limited, { cwd, stdio: 'ignore', env })
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? undefined))
  })
}

function report() {
  const killed = results.filter(({ isKilled }) => isKilled)
  const explained = results.filter(({ isKilled, survives }) => !isKilled && survives !== undefined)
  const unexpected = results.filter(({ isKilled, survives }) => isKilled !== (survives === undefined))
  for (const { file, from, to, isKilled } of unexpected) {
    console.log(
      `${isKilled ? 'killed, but said to be none' : 'survived, without a reason'}: ${file}\n  - ${from}\n  + ${to}`,
    )
  }
  for (const { file, from, survives } of explained) console.log(`survived: ${basename(file)}: ${shown(from)}: ${survives}`)
  const minutes = ((Date.now() - begun) / 60_000).toFixed(1)
  console.log(
    `${results.length} faults, ${killed.length} killed, ${explained.length} survived for a reason, ${minutes} minutes`,
  )
  for (const by of new Set(killed.map((each) => each.by))) {
    console.log(`  ${by}: ${killed.filter((each) => each.by === by).length}`)
  }
  if (unexpected.length > 0) process.exitCode = 1
}

function shown(code) {
  return code.trim().replaceAll(/\s+/g, ' ').slice(0, 70) || 'nothing'
}
