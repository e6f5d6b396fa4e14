// The faults. Each starts, lasts and ends, and undoes its own effects.

import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { keys } from '../../src/store/redis/keys.js'
import type { Deployment } from './deployment.js'
import { hashersOf, type KeptProcess } from './kept-process.js'
import type { Line } from './line.js'

/** A random choice, determined by the seed. */
export interface Draw {
  /** One of several. */
  of<T>(all: readonly T[]): T
  /** How long a fault lasts: mostly short, sometimes the maximum. */
  durationMs(maxMs: number): number
  number(from: number, to: number): number
}

export interface Cause {
  /** Resolves when it has ended. @returns what went wrong in the fault itself, if anything. */
  readonly happen: (deployment: Deployment, draw: Draw) => Promise<string | undefined>
  /** What it requires of the machine; a suite without it reports that the fault was left out. */
  readonly needs?: 'own-disk'
}

/** The time that the supervisor allows. */
const API_STOPS_TIMEOUT_MS = 15_000
const WORKERS_STOP_TIMEOUT_MS = 35_000
const HOUR_MS = 3_600_000
/** Commands to a server that is out of memory or about to stop need a limit. */
const PAUSE_MAX_MS = 30_000

export const CAUSES = {
  'an api is killed': {
    happen: async ({ apis }, draw) => void (await draw.of(apis).kill()),
  },
  'both apis are killed': {
    happen: async ({ apis }) => void (await Promise.all(apis.map((api) => api.kill()))),
  },
  'the workers are killed': {
    happen: async ({ workers }) => void (await workers.kill()),
  },
  'a hashing child is killed': {
    async happen({ workers }, draw) {
      const children = workers.isReady ? hashersOf(workers) : []
      if (children.length > 0) kill(draw.of(children))
      return undefined
    },
  },
  'redis is killed': {
    async happen({ redis }) {
      await redis.kill()
      await redis.ensure()
      return undefined
    },
  },
  'everything is killed at once': {
    async happen({ redis, all }) {
      await Promise.all([redis.kill(), ...all.map((kept) => kept.kill())])
      await redis.ensure()
      return undefined
    },
  },
  'redis stands still': {
    async happen({ redis }, draw) {
      await redis.signal('SIGSTOP')
      await sleep(draw.durationMs(PAUSE_MAX_MS))
      await redis.signal('SIGCONT')
      return undefined
    },
  },
  'an api stands still': {
    async happen({ apis }, draw) {
      const api = draw.of(apis)
      api.signal('SIGSTOP')
      await sleep(draw.durationMs(5000))
      api.signal('SIGCONT')
      return undefined
    },
  },
  'redis has no memory': {
    async happen({ redis: { client } }, draw) {
      await client.config('SET', 'maxmemory', '1mb')
      await sleep(draw.durationMs(5000))
      await client.config('SET', 'maxmemory', '0')
      return undefined
    },
  },
  'the disk of redis is full': {
    needs: 'own-disk',
    async happen({ redis }, draw) {
      const filler = join(redis.dataDir, 'redis', 'filler')
      try {
        execFileSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'], { stdio: 'ignore' })
      } catch {
        // it should end because the disk is full
      }
      await sleep(draw.durationMs(5000))
      rmSync(filler)
      await redis.ensure()
      return undefined
    },
  },
  'lines to redis are slow': {
    async happen({ lines }, draw) {
      const slow = some(lines, draw)
      for (const line of slow) line.slow(draw.number(20, 600))
      await sleep(draw.durationMs(6000))
      for (const line of slow) line.heal()
      return undefined
    },
  },
  'lines to redis are cut': {
    happen: async ({ lines }, draw) => {
      for (const line of some(lines, draw)) line.cut()
      return undefined
    },
  },
  'lines to redis are cut within a command': {
    async happen({ lines }, draw) {
      const cut = some(lines, draw)
      for (const line of cut) line.cutAfter(draw.number(1, 3000))
      await sleep(draw.durationMs(2000))
      for (const line of cut) line.heal()
      return undefined
    },
  },
  'lines to redis are silent': {
    async happen({ lines }, draw) {
      const silent = some(lines, draw)
      for (const line of silent) line.silence()
      await sleep(draw.durationMs(8000))
      for (const line of silent) line.heal()
      return undefined
    },
  },
  'redis cannot be reached': {
    async happen({ lines }, draw) {
      const refusing = some(lines, draw)
      for (const line of refusing) line.refuse()
      await sleep(draw.durationMs(8000))
      for (const line of refusing) line.heal()
      return undefined
    },
  },
  'the stream is trimmed behind an api': {
    async happen({ apis, redis: { client } }, draw) {
      const api = draw.of(apis)
      api.signal('SIGSTOP')
      await sleep(draw.durationMs(2000))
      await client.xtrim(keys.changes, 'MAXLEN', 0)
      api.signal('SIGCONT')
      return undefined
    },
  },
  'the clock is stepped': {
    async happen({ stepClock }, draw) {
      stepClock(draw.of([-26 * HOUR_MS, -HOUR_MS, -2000, 2000, HOUR_MS, 26 * HOUR_MS]))
      await sleep(draw.durationMs(3000))
      if (draw.number(0, 1) < 0.5) stepClock(0)
      return undefined
    },
  },
  'an api is asked to stop': {
    happen: ({ apis }, draw) => stopped(draw.of(apis), API_STOPS_TIMEOUT_MS),
  },
  'the workers are asked to stop': {
    happen: ({ workers }) => stopped(workers, WORKERS_STOP_TIMEOUT_MS),
  },
} as const satisfies Record<string, Cause>

export type CauseName = keyof typeof CAUSES

async function stopped(kept: KeptProcess, timeoutMs: number): Promise<string | undefined> {
  if (!kept.isReady) return undefined
  const how = await kept.term(timeoutMs)
  return how === '0' ? undefined : `${kept.name} was asked to stop and ended with ${how}`
}

function some(lines: readonly Line[], draw: Draw): readonly Line[] {
  return draw.of([lines, [draw.of(lines)]])
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it ended meanwhile
  }
}
