// A write that timed out must not happen later. Commands still in the buffers of a connection that recovers are refused by Redis itself.

import type { Redis } from 'ioredis'

/** A connection on which a command gets no answer for this long is dead. */
export const ANSWERS_TIMEOUT_MS = 3000

/**
 * Parts of the time for an answer. A script runs within `runMs` after it was sent, or not at all (2 s); the disk confirms within `diskMs` (2.5 s). The
 * margin covers errors of comparing clocks over a slow connection.
 */
export function timeoutsWithin(answersMs: number) {
  return { runMs: Math.round((answersMs * 2) / 3), diskMs: Math.round((answersMs * 5) / 6) }
}

/** Age at which the comparison of clocks is repeated, so that a clock that was set or drifts is noticed. */
const COMPARE_AFTER_MS = 10_000

const TOO_LATE = 'TOOLATE it came behind its deadline'

/** @returns the script with one more argument at the end, which it does not see: its deadline [epoch ms] by Redis's clock. */
export function notAfter(lua: string): string {
  return `${GUARD}${lua}`
}

// On one line, so that errors name the lines of the script.
const GUARD = [
  'do local last = tonumber(table.remove(ARGV))',
  "local time = redis.call('TIME')",
  `if time[1] * 1000 + time[2] / 1000 > last then return redis.error_reply('${TOO_LATE}') end end `,
].join(' ')

export function isTooLate(error: Error): boolean {
  return error.message.startsWith(TOO_LATE)
}

/**
 * Deadlines of commands that are sent now, on Redis's clock. Computed from a monotonic clock of ours plus the measured difference.
 *
 * @param redis the connection that the commands use: another one may lead to another server.
 * @param now [ms] monotonic clock.
 * @param runMs a script runs within this time after it was sent, or not at all.
 */
export function deadlines(redis: Redis, now: () => number, runMs: number) {
  let compared: { readonly atMs: number; readonly aheadMs: number } | undefined
  const compare = async () => {
    const sentMs = now()
    const [seconds, micros] = await redis.time()
    const atMs = now()
    compared = { atMs, aheadMs: Number(seconds) * 1000 + Number(micros) / 1000 - (sentMs + atMs) / 2 }
    return compared
  }
  return {
    /** Measures Redis's clock again. @throws errors of ioredis. */
    async compare(): Promise<void> {
      await compare()
    },
    /** The deadline [epoch ms, Redis's clock] of a command sent now. @throws errors of ioredis, when it has to measure first. */
    async next(): Promise<number> {
      const known = compared ?? (await compare())
      if (now() - known.atMs > COMPARE_AFTER_MS) await compare()
      return Math.floor(now() + (compared ?? known).aheadMs + runMs)
    },
  }
}
