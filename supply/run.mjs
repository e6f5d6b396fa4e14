// Runs one of the programs of a folder: a benchmark or a search for faults. Without a name it lists them.
//
//   npm run bench [NAME] [-- ARGUMENT…]
//   npm run fuzz [NAME] [-- ARGUMENT…]

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder = '', name = '', ...args] = process.argv.slice(2)
const root = join(import.meta.dirname, '..', folder)
const sources = new Map(
  readdirSync(root)
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => [file.slice(0, -4), readFileSync(join(root, file), 'utf8')])
    .filter(([, source]) => !/^export /m.test(source)), // a module of others
)

if (sources.has(name)) {
  // Garbage of measured code must not be collected while it is measured.
  const options = folder === 'bench' && name === 'search-worst' ? ['--max-semi-space-size=256'] : []
  const { status } = spawnSync(process.execPath, [...options, join(root, `${name}.mjs`), ...args], { stdio: 'inherit' })
  process.exitCode = status ?? 1
} else {
  console.log(`npm run ${folder} NAME [-- ARGUMENT…], where NAME is one of these:\n`)
  for (const [each, source] of sources) console.log(`${each.padEnd(18)} ${source.split('\n')[0]?.replace(/^\/\/ /, '')}`)
  if (name !== '') process.exitCode = 2
}
