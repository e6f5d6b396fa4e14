// Breaks what speaks with other systems in one place at a time and looks whether a test says so.
//
//   node build.mjs && node fuzz/mutate-exchange.mjs [--only hma] [--part 1/4]
//
// Works on a copy of what was built, so that nothing is compiled again: a fault is one place of the JavaScript. The exit code is 1 when a fault survived, or
// when the tests fail without one.

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { faults } from './exchange-mutations.mjs'

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, part: { type: 'string', default: '1/1' } },
})
const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'tabir-mutants-'))
for (const name of ['dist', 'test/data', 'package.json', 'examples', 'openapi.yaml'])
  cpSync(join(root, name), join(folder, name), { recursive: true })
// Links to the files, not to the folder: some packages look at where they really lie.
execFileSync('cp', ['-al', join(root, 'node_modules'), join(folder, 'node_modules')])

const [part, parts] = values.part.split('/').map(Number)
const chosen = faults.filter(({ file }) => file.includes(values.only)).filter((_, i) => i % parts === part - 1)
let killed = 0
let unexpected = 0
try {
  const failing = [...new Set(chosen.flatMap(({ tests }) => tests))].filter((test) => fails(test))
  if (failing.length > 0) throw new Error(`fails as it is: ${failing.join(', ')}`)
  for (const { file, from, to, tests, survives } of chosen) {
    const path = join(folder, 'dist/src', file)
    const original = readFileSync(path, 'utf8')
    if (original.split(from).length !== 2) throw new Error(`${file}: not there once: ${from}`)
    writeFileSync(
      path,
      original.replace(from, () => to),
    )
    const by = tests.find((test) => fails(test))
    writeFileSync(path, original)
    if (by !== undefined) killed++
    const isExpected = (by === undefined) === (survives !== undefined)
    if (!isExpected) unexpected++
    console.log(
      `${isExpected ? ' ' : '!'} ${by === undefined ? 'SURVIVED' : 'killed  '} ${file}: ${shown(from)} → ${shown(to)}   (${by ?? survives ?? 'nothing'})`,
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${chosen.length} faults, ${killed} killed, ${unexpected} not as expected`)
process.exitCode = unexpected === 0 ? 0 : 1

function fails(test) {
  const env = { ...process.env, TAP_BAIL: '1', TAP_TIMEOUT: '240' }
  const { status } = spawnSync(process.execPath, [join(folder, 'dist/test', `${test}.test.js`)], { env, timeout: 260_000 })
  return status !== 0
}

function shown(code) {
  return code.trim().replaceAll(/\s+/g, ' ').slice(0, 70) || 'nothing'
}
