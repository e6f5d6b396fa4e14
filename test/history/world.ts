// The environment of an episode: two API processes and their Redis, and what may be done to them. It is kept from one episode
// to the next.

import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import type { RedisTarget } from '../../src/store/redis/client.js'
import { type KeptProcess, keepProcess } from '../faults/kept-process.js'
import type { Api } from './steps.js'

export interface World {
  readonly kind: 'single' | 'sentinel'
  readonly folder: string
  readonly apis: readonly [KeptProcess, KeptProcess]
  /** Of the current master. */
  readonly redis: () => Redis
  readonly target: RedisTarget
  /** By how much [s] the clocks of the APIs are ahead. */
  readonly clock: { readonly offsetS: number; stepTo(offsetS: number): void; stepApart(api: Api, aheadS: number): void }
  readonly stopped: Set<Api>
  /** Whether the folders of snapshots and withdrawals have their own file systems. */
  readonly hasOwnDisks: boolean
  readonly single?: SingleParts
  readonly sentinel?: SentinelParts
  close(): Promise<void>
}

export interface SingleParts {
  readonly dataDir: string
  /** Delays each piece of data between an API and Redis by this much. */
  slow(api: Api, ms: number): void
  killRedis(): Promise<void>
  openRedis(): Promise<void>
}

export interface SentinelParts {
  loseReplica(): Promise<void>
  /** The master dies, its replica takes over, and the old master becomes its replica. */
  failOver(): Promise<void>
}

/** An intended event did not happen, for a reason outside of the service: nothing is known of it. */
export class Abandoned extends Error {}

export const SEAL_KEY = Buffer.alloc(32, 5)
export const SEAL_KEYS = `k1:${SEAL_KEY.toString('base64')}`
const SNAPSHOT_EVERY_S = 20
/** The shortest. Each step is followed by a check of the feed, which lets this time pass. */
export const FEED_DELAY_MINUTES = 1
const DISK_MB = { all: 1024, data: 64, withdrawals: 1 }

export const dataDirOf = (folder: string, api: Api) => join(folder, `api-${'ab'[api]}`)
export const withdrawalsOf = (folder: string, api: Api) => join(folder, `withdrawals-${'ab'[api]}`, 'log')

const clockFile = (folder: string, api: Api) => join(folder, `clock-${'ab'[api]}`)

/** One for all APIs, from which each may differ. Redis's clock is never stepped: all others may be, by the same in the other direction. */
export function clockIn(folder: string, apis: () => readonly KeptProcess[]): World['clock'] {
  const aheadS: [number, number] = [0, 0]
  let offsetS = 0
  const write = () => {
    for (const api of [0, 1] as const) writeFileSync(clockFile(folder, api), String((offsetS + aheadS[api]) * 1000))
    for (const kept of apis()) if (kept.isReady) kept.signal('SIGUSR2')
  }
  write()
  return {
    get offsetS() {
      return offsetS
    },
    stepTo(nextS) {
      offsetS = nextS
      write()
    },
    stepApart(api, nextS) {
      aheadS[api] = nextS
      write()
    },
  }
}

/** @param other the folder of another version, built: of it are API B and this one's API A. */
export function startApi(
  folder: string,
  api: Api,
  env: Readonly<Record<string, string>>,
  other: string | undefined,
): Promise<KeptProcess> {
  const dataDir = dataDirOf(folder, api)
  mkdirSync(dataDir, { recursive: true })
  const here = fileURLToPath(new URL('../../src/boot/server.js', import.meta.url))
  const preload = (file: string) => ['--import', new URL(file, import.meta.url).href]
  return keepProcess({
    name: `api-${'ab'[api]}`,
    entry: api === 0 || other === undefined ? here : join(resolve(other), 'dist/src/boot/server.js'),
    execArgv: [...preload('../faults/stepped-clock.js'), ...preload('./hurried.js')],
    env: {
      PATH: process.env['PATH'],
      TABIR_LOG_LEVEL: 'error',
      TABIR_SEAL_KEYS: SEAL_KEYS,
      TABIR_DATA_DIR: dataDir,
      TABIR_WITHDRAWALS_DIR: withdrawalsOf(folder, api),
      TABIR_SNAPSHOT_INTERVAL_S: String(SNAPSHOT_EVERY_S),
      TABIR_FEED_DELAY_MINUTES: String(FEED_DELAY_MINUTES),
      STEPPED_CLOCK: clockFile(folder, api),
      UV_THREADPOOL_SIZE: '1', // as on a small machine: a write waits for computations
      ...env,
    },
  })
}

/**
 * A folder in memory, so that a step does not wait for a shared disk, with small file systems for what may be full. Only root
 * can have them; other users get a folder.
 */
export function openFolder(): { readonly folder: string; readonly hasOwnDisks: boolean; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-history-'))
  const mounted: string[] = []
  const places = ([0, 1] as const).flatMap((api) => [
    [dataDirOf(folder, api), DISK_MB.data] as const,
    [join(withdrawalsOf(folder, api), '..'), DISK_MB.withdrawals] as const,
  ])
  const hasOwnDisks = ([[folder, DISK_MB.all], ...places] as const).every(([place, sizeMb]) => {
    mkdirSync(place, { recursive: true })
    const isMounted = mount(place, sizeMb)
    if (isMounted) mounted.push(place)
    return isMounted
  })
  return {
    folder,
    hasOwnDisks,
    remove() {
      for (const place of mounted.reverse()) execFileSync('umount', ['-l', place])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function mount(place: string, sizeMb: number): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=0700`, 'tmpfs', place], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Fills the disk of a folder, or frees it again. */
export function fillDisk(place: string): void {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${join(place, 'filler')}`, 'bs=4096'], { stdio: 'ignore' })
  } catch {
    // it ends because the disk is full
  }
}

export function freeDisk(place: string): void {
  rmSync(join(place, 'filler'), { force: true })
}

/** Runs the command line beside the service. @returns its output and its status. */
export async function tabir(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  spawn: (command: string, args: readonly string[], env: Readonly<Record<string, string>>) => ChildProcess,
): Promise<{ readonly status: number | null; readonly output: string }> {
  const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, ...args], {
    PATH: process.env['PATH'] ?? '',
    TABIR_SEAL_KEYS: SEAL_KEYS,
    ...env,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  await once(child, 'close')
  return { status: child.exitCode, output }
}
