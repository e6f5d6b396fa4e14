// The whole suite: a few processes at a time, each with a file or some of one folder. tap's command line could start the files itself, but
// hangs a loader onto each, and onto each process that they start, to know what was covered: half of the time of a test that
// starts many. `npm run coverage` has it so.

import { availableParallelism } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import t from 'tap'
import { apart, TOGETHER, TOGETHER_TIMEOUT_MS } from './dealt.js'

/** Of one file: what goes wrong then hangs. */
const FILE_TIMEOUT_MS = 240_000

/** Of those alone these take longest: near the end they would have the machine to themselves. */
const LONGEST = [
  'canary.test.js',
  'runbook.test.js',
  'faults/faults.test.js',
  'console/console.test.js',
  'demo.test.js',
  'store/image-reader.test.js',
  'server-start.test.js',
]

const folder = import.meta.dirname
const short = apart().filter((name) => !LONGEST.includes(name))
const count = Object.values(TOGETHER).reduce((sum, processes) => sum + processes)

t.setTimeout(FILE_TIMEOUT_MS * (LONGEST.length + short.length) + TOGETHER_TIMEOUT_MS * count)
// Two for each core: a file spends half of its time waiting for its Redis, its workers, its browser.
t.jobs = Math.max(2, Math.min(8, 2 * availableParallelism()))
for (const name of LONGEST) runAlone(name)
for (const [name, processes] of Object.entries(TOGETHER)) {
  for (let number = 1; number <= processes; number++) {
    const title = processes === 1 ? name : `${name} ${number} of ${processes}`
    run(title, TOGETHER_TIMEOUT_MS, join(folder, 'together.js'), name, String(number), String(processes))
  }
}
for (const name of short) runAlone(name)

function runAlone(name: string): void {
  run(name, FILE_TIMEOUT_MS, resolve(folder, name))
}

function run(name: string, timeout: number, ...args: string[]): void {
  t.spawn(
    'env',
    ['-u', 'NODE_OPTIONS', process.execPath, '--enable-source-maps', ...args],
    { buffered: true, timeout },
    relative('.', resolve(folder, name)).split(sep).join('/'),
  )
}
