// A write that was not answered in time must not happen later: what still lies in a line that comes back is refused by Redis itself.

import type { Redis } from 'ioredis'

/**
 * A script runs within this of being sent, or not at all. Whoever waits gives up later (2.5 s for the disk, 3 s for everything): the rest is
 * for clocks that were compared over a slow line.
 */
export const RUN_TIMEOUT_MS = 2000
/** So often at most: a clock that is set, and one that runs otherwise than ours, are noticed by then. */
const COMPARE_AFTER_MS = 10_000

const TOO_LATE = 'TOOLATE it came behind its deadline'

/** @returns the script with a last argument more, which it does not see: until when it may run, by Redis's own clock, [epoch ms]. */
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
 * Deadlines for what is sent now. Counted by a clock of ours that never goes back and is never set, so it matters only how far Redis's is from it.
 *
 * @param redis the connection that is written through: another one may lead to another server.
 */
export function deadlines(redis: Redis, now: () => number) {
  let compared: { readonly atMs: number; readonly aheadMs: number } | undefined
  const compare = async () => {
    const sentMs = now()
    const [seconds, micros] = await redis.time()
    const atMs = now()
    compared = { atMs, aheadMs: Number(seconds) * 1000 + Number(micros) / 1000 - (sentMs + atMs) / 2 }
    return compared
  }
  return {
    /** Learns again what time it is there. @throws what ioredis throws. */
    async compare(): Promise<void> {
      await compare()
    },
    /** @throws what ioredis throws, when nothing is known yet. */
    async next(): Promise<number> {
      const known = compared ?? (await compare())
      if (now() - known.atMs > COMPARE_AFTER_MS) await compare()
      return Math.floor(now() + (compared ?? known).aheadMs + RUN_TIMEOUT_MS)
    },
  }
}
