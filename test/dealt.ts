// Which test files are run in one process.

import { readdirSync } from 'node:fs'
import { join, sep } from 'node:path'

/** What tap allows one file is too little for several on a busy machine. */
export const TOGETHER_TIMEOUT_MS = 960_000

/** Files beside all folders. */
const TOP = 'top'

/**
 * Over how many processes the files of a folder are dealt, in the order in which they are started. Files of the page share a Chromium, and an
 * api before it; the others the modules of the service, which take longer to load and compile than many a file to run. Of a folder that is not
 * here, each file runs alone.
 */
export const TOGETHER: Readonly<Record<string, number>> = {
  page: 1,
  http: 8,
  services: 4,
  search: 3,
  cli: 3,
  store: 4,
  hash: 2,
  [TOP]: 1,
  workers: 1,
  handoff: 1,
  client: 1,
  domain: 1,
  net: 1,
  exchange: 1,
  web: 1,
}

/** Those of such folders that look at their whole process, say what happens before each test of it, or take long by themselves. */
const ALONE = [
  'canary.test.js',
  'demo.test.js',
  'process.test.js',
  'runbook.test.js',
  'server-start.test.js',
  'supervisor.test.js',
  'tracing.test.js',
  'store/audit.test.js',
  'store/image-reader.test.js',
  'store/reseal.test.js',
  'workers/cage.test.js',
  'workers/sandbox.test.js',
  'workers/starved.test.js',
]

function testFiles(): string[] {
  return readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter((name) => name.endsWith('.test.js'))
    .sort()
}

/** Of all files, those that run by themselves. */
export function apart(): string[] {
  return testFiles().filter((file) => !isTogether(file))
}

/** Paths of the files of a folder that are run in the one process with this number, from 1. */
export function dealt(folder: string, number: number, count: number): string[] {
  const those = testFiles().filter((file) => folderOf(file) === folder && isTogether(file))
  return those.filter((_, at) => at % count === number - 1).map((file) => join(import.meta.dirname, file))
}

function isTogether(file: string): boolean {
  return folderOf(file) in TOGETHER && !ALONE.includes(file)
}

function folderOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : TOP
}
