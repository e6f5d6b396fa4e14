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
  cli: 2,
  pages: 2,
  pictures: 1,
  tries: 2,
  volume: 4,
  http: 4,
  services: 2,
  search: 1,
  store: 2,
  hash: 2,
  [TOP]: 1,
  workers: 2,
  handoff: 1,
  small: 1,
}

/** Folders that share the process `small`: starting one takes longer than their files do. */
const SMALL = [
  'bench',
  'client',
  'domain',
  'net',
  'exchange',
  'web',
  'console',
  'faults',
  'feed',
  'files',
  'fuzz',
  'history',
]

/** Files of such folders that inspect their whole process, print before each test, or take long by themselves. */
const ALONE = [
  'pictures.test.js', // decodes files that a process with the list of allowed decoders refuses
  'process.test.js',
  'services/common-rows.test.js', // draws SVG, which such a process refuses too
  'store/audit.test.js',
  'workers/sandbox-command.test.js',
  'workers/sandbox-deaths.test.js',
  'workers/media/warm-up.test.js', // counts what the process compiles
  'workers/sandbox.test.js',
  'workers/starved.test.js',
]

/**
 * `npm run test:e2e`: tests that drive a browser, or start or kill whole programs. `npm test` leaves them out. The longest come
 * first.
 */
const END_TO_END = [
  'page/',
  'cli/',
  'workers/',
  'bench/',
  'http/store-unavailable.test.js',
  'video-canary.test.js',
  'canary.test.js',
  'pictures.test.js',
  'services/common-rows.test.js',
  'whole-store.test.js',
  'services/reconcilers.test.js',
  'cli/exchange.test.js',
  'console/console.test.js',
  'services/case-killed.test.js',
  'faults/lost-changes.test.js',
  'supervisor.test.js',
  'tracing.test.js',
]

/**
 * `npm run test:long`: what takes longest. The hosted workflow runs it for each change beside the other suites; `.ci/run` leaves
 * it out unless it is named. No list of `fuzz/mutations` relies on one of these
 * (`test/fuzz/mutations.test.ts`).
 */
const LONG = [
  'runbook.test.js',
  'http/video-uploads.test.js',
  'faults/faults.test.js',
  'server-start.test.js',
  'attack/attacks.test.js',
  'packages.test.js',
  'cli/import.test.js',
  'examples.test.js',
  'store/image-reader.test.js',
  'services/snapshot.test.js',
  'cli/restore-left.test.js',
  'bench/robustness.test.js',
  'services/snapshot-killed.test.js',
  'services/bank-erasing.test.js',
  'bench/lookalikes.test.js',
  'fuzz/fuzz.test.js',
  'demo.test.js',
  'certificates.test.js',
  'http/decoding-flood.test.js',
  'console/sign-in.test.js',
  'cli/backup-killed.test.js',
  'store/re-encryption.test.js',
  'workers/media/warm-up.test.js',
]

const SUITES = ['test', 'e2e', 'long'] as const
export type Suite = (typeof SUITES)[number]

/** @returns the suite with this name; without one, that of `npm test`. */
export function suiteNamed(name = 'test'): Suite {
  const suite = SUITES.find((each) => each === name)
  if (suite === undefined) throw new Error(`there is no suite ${name}`)
  return suite
}

/** Files of this suite that run alone, those that take longest first. */
export function apart(suite: Suite): string[] {
  const order = suite === 'long' ? LONG : END_TO_END
  const files = filesOf(suite).filter((file) => !isTogether(file))
  return files.sort((a, b) => order.indexOf(a) - order.indexOf(b))
}

/** The folders of this suite whose files run together, and over how many processes. */
export function together(suite: Suite): [string, number][] {
  return Object.entries(TOGETHER).filter(([folder]) => dealt(suite, folder, 1, 1).length > 0)
}

/** Paths of the files of a folder that run in the process with this number, from 1. */
export function dealt(suite: Suite, folder: string, number: number, count: number): string[] {
  const those = filesOf(suite).filter((file) => folderOf(file) === folder && isTogether(file))
  return those.filter((_, at) => at % count === number - 1).map((file) => join(import.meta.dirname, file))
}

/** The suite of a test file, for example `http/match.test.js`. */
export function suiteOf(file: string): Suite {
  const group = groupOf(file)
  if (group !== undefined) return GROUPS[group]?.suite ?? 'test'
  if (LONG.includes(file)) return 'long'
  return END_TO_END.some((name) => file === name || isWithin(name, file)) ? 'e2e' : 'test'
}

function filesOf(suite: Suite): string[] {
  return readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter((name) => name.endsWith('.test.js') && suiteOf(name) === suite)
    .sort()
}

/** Files that a list names one by one run alone. */
function isTogether(file: string): boolean {
  if (groupOf(file) !== undefined) return true
  return folderOf(file) in TOGETHER && ![ALONE, END_TO_END, LONG].some((list) => list.includes(file))
}

function isWithin(folder: string, file: string): boolean {
  return folder.endsWith('/') && file.startsWith(folder)
}

function folderOf(file: string): string {
  const folder = file.includes('/') ? (file.split('/')[0] ?? '') : TOP
  return groupOf(file) ?? (SMALL.includes(folder) ? 'small' : folder)
}

function groupOf(file: string): string | undefined {
  return Object.keys(GROUPS).find((name) => GROUPS[name]?.files.includes(file))
}
