// Which test files are run in one process.

import { readdirSync } from 'node:fs'
import { join, sep } from 'node:path'

/** What tap allows one file is too little for several on a busy machine. */
export const TOGETHER_TIMEOUT_MS = 960_000

/**
 * Over how many processes the files of a folder are dealt. Files of the page share a Chromium, and an api before it; the others the modules
 * of the service, which take longer to load and compile than many a file to run. Of a folder that is not here, each file runs alone: most
 * start processes themselves, or look at their own.
 */
export const TOGETHER: Readonly<Record<string, number>> = {
  page: 1,
  http: 8,
  services: 4,
  store: 4,
  search: 3,
  hash: 2,
  handoff: 1,
  domain: 1,
  net: 1,
  exchange: 1,
}

/** Those of such folders that look at their whole process, or say what happens before each test of it. */
const ALONE = ['store/audit.test.js', 'store/image-reader.test.js', 'store/reseal.test.js']

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
  const those = testFiles().filter((file) => file.startsWith(`${folder}/`) && isTogether(file))
  return those.filter((_, at) => at % count === number - 1).map((file) => join(import.meta.dirname, file))
}

function isTogether(file: string): boolean {
  return (file.split('/')[0] ?? '') in TOGETHER && !ALONE.includes(file)
}
