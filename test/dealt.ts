// Which test files belong to which suite, and which of them run in one process.

import { readdirSync } from 'node:fs'
import { join, sep } from 'node:path'
import { GROUPS } from './dealt-groups.js'

/** For the files of one process together. */
export const TOGETHER_TIMEOUT_MS = 1_800_000

/** Files outside of folders. */
const TOP = 'top'

/**
 * How many processes the files of a folder are dealt to, in the order of their start. Files of the page share a Chromium and
 * an api; the others the modules of the service, which take longer to load and compile than many files take to run. Files of
 * other folders run alone.
 */
export const TOGETHER: Readonly<Record<string, number>> = {
  page: 3, // they wait most of the time
  pictures: 2,
  long: 4,
  http: 4,
  services: 2,
  search: 1,
  cli: 2,
  store: 2,
  hash: 2,
  [TOP]: 1,
  workers: 2,
  handoff: 1,
  small: 1,
}

/** Folders that share the process `small`: starting one takes longer than their files do. */
const SMALL = ['client', 'domain', 'net', 'exchange', 'web', 'console', 'faults', 'feed', 'files', 'fuzz', 'history']

/** Files of such folders that inspect their whole process, print before each test, or take long by themselves. */
const ALONE = [
  'canary.test.js',
  'pictures.test.js', // decodes files that a process with the list of allowed decoders refuses
  'process.test.js',
  'services/common-rows.test.js', // draws SVG, which such a process refuses too
  'store/audit.test.js',
  'store/re-encryption.test.js',
  'workers/sandbox-command.test.js',
  'workers/sandbox-deaths.test.js',
  'workers/media/warm-up.test.js', // counts what the process compiles
  'workers/sandbox.test.js',
  'workers/starved.test.js',
]

/**
 * `npm run test:e2e`: tests that drive a browser, or start or kill whole programs. Together they take longer than half of all
 * others, so `npm test` leaves them out. The longest come first.
 */
const END_TO_END = [
  'page/',
  'workers/',
  ...Object.values(GROUPS).flat(),
  'bench/',
  'runbook.test.js',
  'store/image-reader.test.js',
  'faults/faults.test.js',
  'http/store-unavailable.test.js',
  'http/video-uploads.test.js',
  'video-canary.test.js',
  'canary.test.js',
  'pictures.test.js',
  'services/common-rows.test.js',
  'store/re-encryption.test.js',
  'whole-store.test.js',
  'services/reconcilers.test.js',
  'services/snapshot.test.js',
  'cli/restore-left.test.js',
  'fuzz/fuzz.test.js',
  'console/sign-in.test.js',
  'console/sorted-table.test.js',
  'console/console.test.js',
  'console/add-files.test.js',
  'console/banks.test.js',
  'server-start.test.js',
  'certificates.test.js',
  'services/bank-erasing.test.js',
  'cli/import.test.js',
  'cli/exchange.test.js',
  'attack/attacks.test.js',
  'demo.test.js',
  'examples.test.js',
  'packages.test.js',
  'http/decoding-flood.test.js',
  'cli/backup-killed.test.js',
  'services/snapshot-killed.test.js',
  'services/case-killed.test.js',
  'faults/lost-changes.test.js',
  'supervisor.test.js',
  'tracing.test.js',
]

export type Suite = 'test' | 'e2e'

/** Files of this suite that run alone, the longest first. */
export function apart(suite: Suite): string[] {
  const files = filesOf(suite).filter((file) => !isTogether(file, suite))
  return suite === 'e2e' ? files.sort((a, b) => END_TO_END.indexOf(a) - END_TO_END.indexOf(b)) : files
}

/** The folders of this suite whose files run together, and over how many processes. */
export function together(suite: Suite): [string, number][] {
  return Object.entries(TOGETHER).filter(([folder]) => dealt(suite, folder, 1, 1).length > 0)
}

/** Paths of the files of a folder that run in the process with this number, from 1. */
export function dealt(suite: Suite, folder: string, number: number, count: number): string[] {
  const those = filesOf(suite).filter((file) => folderOf(file) === folder && isTogether(file, suite))
  return those.filter((_, at) => at % count === number - 1).map((file) => join(import.meta.dirname, file))
}

function filesOf(suite: Suite): string[] {
  return readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter((name) => name.endsWith('.test.js') && isEndToEnd(name) === (suite === 'e2e'))
    .sort()
}

function isEndToEnd(file: string): boolean {
  return END_TO_END.some((name) => file === name || (name.endsWith('/') && file.startsWith(name)))
}

/** End-to-end files share a process only in folders that belong to that suite as a whole. */
function isTogether(file: string, suite: Suite): boolean {
  const folder = folderOf(file)
  if (groupOf(file) !== undefined) return true
  return folder in TOGETHER && !ALONE.includes(file) && (suite === 'test' || END_TO_END.includes(`${folder}/`))
}

function folderOf(file: string): string {
  const folder = file.includes('/') ? (file.split('/')[0] ?? '') : TOP
  return groupOf(file) ?? (SMALL.includes(folder) ? 'small' : folder)
}

function groupOf(file: string): string | undefined {
  return Object.keys(GROUPS).find((name) => GROUPS[name]?.includes(file))
}
