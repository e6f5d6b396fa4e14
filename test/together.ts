// Test files of one folder that are run in one process, one after the other, as `node together.js SUITE FOLDER NUMBER COUNT`: each by itself would
// load the same modules, have them compiled, and start a Chromium of its own where it needs one. Each can be run by itself too.

import { pathToFileURL } from 'node:url'
import t from 'tap'
import { dealt, TOGETHER_TIMEOUT_MS } from './dealt.js'

t.setTimeout(TOGETHER_TIMEOUT_MS)
const [, , suite, folder = '', number = '', count = ''] = process.argv
const loading = (async () => {
  for (const path of dealt(suite === 'e2e' ? 'e2e' : 'test', folder, Number(number), Number(count)))
    await import(pathToFileURL(path).href)
})()
// Else tap takes the tests of the first files for all there are, if they end while a later one is still starting what it needs.
t.waitOn(loading, () => {})
await loading
