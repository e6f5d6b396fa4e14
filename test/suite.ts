// A suite: a few processes at a time, each with one file or several of one folder. `npm test` runs it as `suite.js`, `npm run
// test:e2e` as `suite.js e2e`, `npm run test:long` as `suite.js long`. tap's command line could start the files itself, but adds
// a loader for coverage to each, and to each process that they start: half of the time of a test that starts many. `npm run
// coverage` uses it.

import { availableParallelism } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import t from 'tap'
import { apart, suiteNamed, TOGETHER_TIMEOUT_MS, together } from './dealt.js'

/** For one file: a longer one hangs, however slow the machine is. */
const FILE_TIMEOUT_MS = 900_000

/** Of the long files that run alone, the longest starts first: near the end it would have the machine to itself. */
const FIRST = 'runbook.test.js'

/** For every process of a suite, but none that a test starts. */
const NODE_OPTIONS = [
  '--enable-source-maps',
  '--max-semi-space-size=32', // collecting young garbage takes a seventh of the time otherwise
  '--import',
  new URL('./helpers/without-domains.js', import.meta.url).href,
]

const suite = suiteNamed(process.argv[2])
const folder = import.meta.dirname
const alone = apart(suite)
const folders = together(suite)
const processes = folders.reduce((sum, [, count]) => sum + count, 0)

t.setTimeout(FILE_TIMEOUT_MS * alone.length + TOGETHER_TIMEOUT_MS * processes)
// Several for each core: they wait for their Redis, workers or browser. Outside of `npm test` each starts processes of its own.
t.jobs = Math.min(8, (suite === 'test' ? 3 : 2) * availableParallelism())
if (alone.includes(FIRST)) runAlone(FIRST)
for (const [name, count] of folders) {
  for (let number = 1; number <= count; number++) {
    const title = count === 1 ? name : `${name} ${number} of ${count}`
    run(title, TOGETHER_TIMEOUT_MS, join(folder, 'together.js'), suite, name, String(number), String(count))
  }
}
for (const name of alone) if (name !== FIRST) runAlone(name)

function runAlone(name: string): void {
  run(name, FILE_TIMEOUT_MS, resolve(folder, name))
}

function run(name: string, timeout: number, ...args: string[]): void {
  t.spawn(
    'env',
    ['-u', 'NODE_OPTIONS', process.execPath, ...NODE_OPTIONS, ...args],
    { buffered: true, timeout },
    relative('.', resolve(folder, name)).split(sep).join('/'),
  )
}
