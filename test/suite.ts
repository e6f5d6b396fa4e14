// The whole suite: every test file in a process of its own, a few at a time. tap's command line could start them itself, but
// hangs a loader onto each, and onto each process that they start, to know what was covered: half of the time of a test that
// starts many. `npm run coverage` has it so.

import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { relative, resolve, sep } from 'node:path'
import t from 'tap'

/** Of one file: what goes wrong then hangs. */
const FILE_TIMEOUT_MS = 240_000
/** Folders whose files run in one process: they share a Chromium, and an api before it. */
const TOGETHER = ['page']

const folder = import.meta.dirname
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js'))
  .sort()

t.setTimeout(FILE_TIMEOUT_MS * files.length)
// Two for each core: a file spends half of its time waiting for its Redis, its workers, its browser.
t.jobs = Math.max(2, Math.min(8, 2 * availableParallelism()))
const apart = files.filter((name) => !TOGETHER.includes(name.split(sep)[0] ?? ''))
for (const name of TOGETHER) run(name, FILE_TIMEOUT_MS * 2, resolve(folder, 'together.js'), name)
for (const name of apart) run(name, FILE_TIMEOUT_MS, resolve(folder, name))

function run(name: string, timeout: number, ...args: string[]): void {
  t.spawn(
    'env',
    ['-u', 'NODE_OPTIONS', process.execPath, '--enable-source-maps', ...args],
    { buffered: true, timeout },
    relative('.', resolve(folder, name)).split(sep).join('/'),
  )
}
