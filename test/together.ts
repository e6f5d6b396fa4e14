// Test files that are run in one process, one after the other, as `node together.js FOLDER`: those before a browser start it once, and the
// api behind it once. Each can be run by itself too.

import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'

/** What tap allows one file is too little for all of them on a busy machine. */
const TIMEOUT_MS = 480_000

t.setTimeout(TIMEOUT_MS)
const folder = resolve(import.meta.dirname, process.argv[2] ?? '')
for (const name of readdirSync(folder).sort())
  if (name.endsWith('.test.js')) await import(pathToFileURL(join(folder, name)).href)
