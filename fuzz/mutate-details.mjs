// Breaks what finds pictures by their details in one place at a time and looks whether a test says so.
//
//   node build.mjs && node fuzz/mutate-details.mjs [--only verify] [--part 1/4] [--jobs 2]
//
// Works on copies of what was built, in the system's folder for temporary files: one module is made anew from its broken source. The exit code
// is 1 when a fault survived that has no reason to (fuzz/details-mutations.mjs), or died that is said to be none.
//
// On a machine that is busy with other things the tests of the whole, which wait for workers, fail of themselves, and a fault seems killed by them.

import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import ts from 'typescript'
import { mutations } from './details-mutations.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    part: { type: 'string', default: '1/1' },
    jobs: { type: 'string', default: '2' },
  },
})

/** What tests read beside `dist`. */
const COPIED = ['dist', 'package.json', 'openapi.yaml', 'bench/decoration', 'test/data']
const TEST_MS = 300_000

// Quick ones first; of a module, those that are named after it first of all.
const TESTS = [
  'hash/details/vote hash/details/verify hash/details/details hash/details/features hash/details/written hash/details/select hash/details/rows',
  'services/veil services/common-rows hash/details-kernel services/detail-finder client/details http/details',
].flatMap((names) => names.split(' '))

const begun = Date.now()
const [part, parts] = values.part.split('/').map(Number)
const queue = mutations
  .filter(({ file }) => file.includes(values.only))
  .filter((_, i, { length }) => Math.floor((i * parts) / length) === part - 1)
const results = []
await Promise.all(Array.from({ length: Number(values.jobs) }, worker))
report()

async function worker() {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-mutants-'))
  try {
    for (const path of COPIED) cpSync(join(root, path), join(folder, path), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    for (let mutation = queue.shift(); mutation !== undefined; mutation = queue.shift()) {
      const failed = await tried(folder, mutation)
      results.push({ ...mutation, failed })
      const isExpected = (failed === undefined) === (mutation.survives !== undefined)
      const line = `${basename(mutation.file)}: ${shown(mutation.from)} → ${shown(mutation.to)}`
      console.log(
        `${isExpected ? ' ' : '!'} ${failed === undefined ? 'SURVIVED' : 'killed  '} ${line}   (${failed ?? 'nothing'})`,
      )
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @returns the test that failed. */
async function tried(folder, { file, from, to }) {
  const source = readFileSync(join(root, file), 'utf8')
  if (source.split(from).length !== 2) throw new Error(`${file}: not there once: ${from}`)
  const built = join(folder, 'dist', file.replace(/\.ts$/, '.js'))
  const original = readFileSync(built)
  const { outputText } = ts.transpileModule(
    source.replace(from, () => to),
    {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext, verbatimModuleSyntax: true },
    },
  )
  writeFileSync(built, outputText)
  try {
    const own = basename(file, '.ts')
    const order = [...TESTS.filter((name) => basename(name) === own), ...TESTS.filter((name) => basename(name) !== own)]
    for (const name of order) {
      const code = await exitCode('node', [join('dist/test', `${name}.test.js`)], folder)
      if (code !== 0) return code === undefined ? `${name}, endlessly` : name
    }
    return undefined
  } finally {
    writeFileSync(built, original)
  }
}

/** `undefined` when it did not come to an end in time. */
function exitCode(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: 'ignore', env: { ...process.env, TAP_BAIL: '1', TAP_TIMEOUT: '240' } })
    const timer = setTimeout(() => child.kill('SIGKILL'), TEST_MS)
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve(code ?? undefined)
    })
  })
}

function report() {
  const killed = results.filter(({ failed }) => failed !== undefined)
  const explained = results.filter(({ failed, survives }) => failed === undefined && survives !== undefined)
  const unexpected = results.filter(({ failed, survives }) => (failed === undefined) !== (survives !== undefined))
  for (const { file, from, to } of unexpected) console.log(`not as expected: ${file}\n  - ${from}\n  + ${to}`)
  for (const { file, from, survives } of explained) console.log(`survived: ${basename(file)}: ${shown(from)}: ${survives}`)
  const minutes = ((Date.now() - begun) / 60_000).toFixed(1)
  console.log(
    `${results.length} faults, ${killed.length} killed, ${explained.length} survived for a reason, ${minutes} minutes`,
  )
  if (unexpected.length > 0) process.exitCode = 1
}

function shown(code) {
  return code.trim().replaceAll(/\s+/g, ' ').slice(0, 70) || 'nothing'
}
