// Test files of one folder that run in one process, one after the other, as `node together.js SUITE FOLDER NUMBER COUNT`:
// alone, each would load and compile the same modules, and start its own Chromium where it needs one. Each can be run alone
// too.

import { pathToFileURL } from 'node:url'
import t from 'tap'
import { dealt, suiteNamed, TOGETHER_TIMEOUT_MS } from './dealt.js'

t.setTimeout(TOGETHER_TIMEOUT_MS)
const [, , suite, folder = '', number = '', count = ''] = process.argv
const loading = (async () => {
  for (const path of dealt(suiteNamed(suite), folder, Number(number), Number(count))) await import(pathToFileURL(path).href)
})()
// Otherwise tap takes the tests of the first files for all, if they end while a later file is still preparing.
t.waitOn(loading, () => {})
await loading
