// The whole suite: every test file in a process of its own, a few at a time. tap's command line could start them itself, but
// hangs a loader onto each, and onto each process that they start, to know what was covered: half of the time of a test that
// starts many. `npm run coverage` has it so.

import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { relative, resolve, sep } from 'node:path'
import t from 'tap'

/** Of one file: what goes wrong then hangs. */
const FILE_TIMEOUT_MS = 240_000

const folder = import.meta.dirname
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js'))
  .sort()

t.setTimeout(FILE_TIMEOUT_MS * files.length)
// Two for each core: a file spends half of its time waiting for its Redis, its workers, its browser.
t.jobs = Math.max(2, Math.min(8, 2 * availableParallelism()))
for (const name of files) {
  const args = ['-u', 'NODE_OPTIONS', process.execPath, '--enable-source-maps', resolve(folder, name)]
  t.spawn(
    'env',
    args,
    { buffered: true, timeout: FILE_TIMEOUT_MS },
    relative('.', resolve(folder, name)).split(sep).join('/'),
  )
}
