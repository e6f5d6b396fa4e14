// Test files that are run in one process, one after the other, as `node together.js FOLDER`: those before a browser start it once, and the
// api behind it once. Each can be run by itself too.

import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const folder = resolve(import.meta.dirname, process.argv[2] ?? '')
for (const name of readdirSync(folder).sort())
  if (name.endsWith('.test.js')) await import(pathToFileURL(join(folder, name)).href)
