// Breaks the code in one place at a time and checks that a test notices.
//
//   npm run fuzz mutate -- --list search|details|exchange|history|looks|trust|video [--only TEXT] [--part 1/4] [--jobs 2]
//
// --only selects mutations by file or name. Works on copies of the build in the system's folder for temporary files: a mutation is one source file (or a
// few), compiled anew. Exits with 1 when a mutation survived without a reason, or was killed although the list says that none can be.
//
// Not Stryker: its parser refuses the AssemblyScript kernels, where half of the list `search` lies; it makes 1,746 mutants of the rest of packages/core/src/search,
// each to be run against minutes of tests; it has no mutations across files; and its last version (10.1) needs Node 22.

import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import * as asc from 'assemblyscript/asc'
import ts from 'typescript'
import { embedded, flagsOf } from '../kernels.mjs'
import { bundleProcesses, ENTRIES } from '../processes.mjs'
import { changesOf, lists } from './mutations/lists.mjs'

const { values } = parseArgs({
  options: {
    list: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
    part: { type: 'string', default: '1/1' },
    jobs: { type: 'string', default: '1' },
  },
})
const list = lists.get(values.list)
if (list === undefined) throw new Error(`--list is one of: ${[...lists.keys()].join(', ')}`)

const root = join(import.meta.dirname, '..')
/** Files that tests read besides the build, and sources of the kernels. */
const COPIED = [
  'dist',
  'package.json',
  'openapi.yaml',
  'bench/decoration',
  'docs/robustness',
  'examples',
  'fuzz',
  'packages', // the client imports @tabir/hash, a link into this folder
  'packages/core/src/search',
  'test/data',
]
const KERNEL = 'packages/core/src/search/kernel/engine.ts'
/** Processor time: on a busy machine a test may take much longer by the clock. */
const TEST_CPU_S = 120

const [part, parts] = values.part.split('/').map(Number)
const chosen = list.mutations
  .filter((each) => nameOf(each).includes(values.only))
  .filter((_, i, { length }) => Math.floor((i * parts) / length) === part - 1)
const queue = [...chosen]
const counts = { killed: 0, survived: 0, unexpected: 0 }
const begun = Date.now()
await Promise.all(Array.from({ length: Number(values.jobs) }, (_, i) => worker(i === 0)))
const minutes = ((Date.now() - begun) / 60_000).toFixed(1)
console.log(
  `${chosen.length} mutations, ${counts.killed} killed, ${counts.survived} survived for a reason, ${counts.unexpected} not as expected, ${minutes} minutes`,
)
process.exitCode = chosen.length > 0 && counts.unexpected === 0 ? 0 : 1

async function worker(isFirst) {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-mutants-'))
  try {
    for (const path of COPIED) cpSync(join(root, path), join(folder, path), { recursive: true })
    // Links to files, not to the folder: packages that resolve their real path would be loaded twice.
    execFileSync('cp', ['-al', join(root, 'node_modules'), join(folder, 'node_modules')])
    if (isFirst && list.runOf === undefined) await checkUnchanged(folder)
    for (let mutation = queue.shift(); mutation !== undefined; mutation = queue.shift())
      report(mutation, await tried(folder, mutation))
  } catch (error) {
    queue.length = 0
    throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Checks that all tests pass without a mutation. */
async function checkUnchanged(folder) {
  const tests = new Set(chosen.flatMap((each) => testsOf(each)))
  const failed = await killedBy(folder, [...tests].map(testRun), 'inherit')
  if (failed !== undefined) throw new Error(`fails without a mutation: ${failed}`)
}

/** @returns the test that failed; `undefined` if none did. */
async function tried(folder, mutation) {
  const restores = []
  try {
    const sources = new Map()
    for (const { file, from, to } of changesOf(mutation)) {
      const source = sources.get(file) ?? readFileSync(join(root, file), 'utf8')
      if (source.split(from).length !== 2) throw new Error(`${file}: not there once: ${from}`)
      sources.set(
        file,
        source.replace(from, () => to),
      )
    }
    for (const [file, source] of sources) {
      const built = join(
        folder,
        file.includes('/kernel/')
          ? 'dist/packages/core/src/search/engine.generated.js'
          : `dist/${file.replace(/\.ts$/, '.js')}`,
      )
      const mutant = file.includes('/kernel/') ? await kernelWith(folder, file, source) : scriptOf(source)
      if (mutant === undefined) return undefined // a mutant that does not compile proves nothing
      const original = readFileSync(built)
      restores.push(() => writeFileSync(built, original))
      writeFileSync(built, mutant)
      if (file.includes('/kernel/')) sources.set('packages/core/src/search/engine.generated.ts', mutant)
    }
    restores.push(() => {
      for (const entry of ENTRIES) cpSync(join(root, 'dist', `${entry}.js`), join(folder, 'dist', `${entry}.js`))
    })
    await bundleProcesses(root, join(folder, 'dist'), sources)
    return await killedBy(folder, list.runOf === undefined ? testsOf(mutation).map(testRun) : [list.runOf(mutation)])
  } finally {
    for (const restore of restores) restore()
  }
}

function scriptOf(source) {
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  const { outputText, diagnostics } = ts.transpileModule(source, { compilerOptions, reportDiagnostics: true })
  return diagnostics?.length === 0 ? outputText : undefined
}

async function kernelWith(folder, file, source) {
  let wasm
  const writeFile = (_, contents) => {
    wasm = contents
  }
  writeFileSync(join(folder, file), source)
  const args = [KERNEL, ...flagsOf(KERNEL), '--baseDir', folder, '-o', 'kernel.wasm']
  const { error } = await asc.main(args, { stderr: asc.createMemoryStream(), writeFile })
  cpSync(join(root, file), join(folder, file))
  return error === null && wasm !== undefined ? embedded(KERNEL, wasm) : undefined
}

/** The list's tests; those that mirror the changed file come first. */
function testsOf(mutation) {
  const tests = mutation.tests ?? list.tests
  const own = changesOf(mutation).map(({ file }) => (file.includes('/kernel/') ? 'kernel' : basename(file, '.ts')))
  return tests.toSorted((a, b) => Number(own.includes(basename(b))) - Number(own.includes(basename(a))))
}

function testRun(test) {
  return { name: test, args: [`dist/test/${test}.test.js`], isKill: (status) => status !== 0, cpuS: TEST_CPU_S }
}

async function killedBy(folder, runs, errors = 'ignore') {
  for (const { name, args, isKill, cpuS } of runs) if (isKill(await exitCode(folder, args, cpuS, errors))) return name
  return undefined
}

/** @param errors `inherit` shows why a run fails. */
function exitCode(cwd, args, cpuS, errors) {
  return new Promise((resolve, reject) => {
    const limited = ['-c', `ulimit -t ${cpuS}; exec "$0" "$@"`, process.execPath, ...args]
    const env = { ...process.env, TAP_BAIL: '1', TAP_TIMEOUT: '1200' }
    const child = spawn('/bin/sh', limited, { cwd, stdio: ['ignore', 'ignore', errors], env })
    child.once('error', reject)
    child.once('close', resolve)
  })
}

function report(mutation, by) {
  const isExpected = (by === undefined) === (mutation.survives !== undefined)
  if (!isExpected) counts.unexpected++
  else if (by === undefined) counts.survived++
  if (by !== undefined) counts.killed++
  console.log(
    `${isExpected ? ' ' : '!'} ${by === undefined ? 'SURVIVED' : 'killed  '} ${nameOf(mutation)}   (${by ?? mutation.survives ?? 'nothing'})`,
  )
}

function nameOf(mutation) {
  if (mutation.why !== undefined) return mutation.why
  const shown = (code) => code.trim().replaceAll(/\s+/g, ' ').slice(0, 70) || 'nothing'
  return `${mutation.file}: ${shown(mutation.from)} → ${shown(mutation.to)}`
}
