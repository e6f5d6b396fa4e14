// Follows registrations and compares them with watches. One process at a time does this, and continues where the previous one stopped.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { follow, type Loss, lastPosition, type Position, positionBefore } from '../../store/images/changes.js'
import type { Store } from '../../store/redis/client.js'
import { type ImageOp, imageIdsOf } from '../../store/scripts/change-ops.js'
import type { Replica } from '../index/replica.js'
import { type ComparingParts, compareAll, type NotCompared } from './comparing.js'
import { type SweepingParts, sweepWatches } from './sweeping.js'

export interface WatchingParts extends ComparingParts, SweepingParts {
  readonly replica: Pick<Replica, 'reached' | 'catalogue'>
  /** A connection of its own: following blocks it. */
  readonly follower: Redis
  /** [ms] never goes back. */
  readonly clock: () => number
  readonly pause: (ms: number) => Promise<unknown>
}

export interface Watching {
  /** Compares until `close`, and tries again whenever the store is lost. */
  start(): void
  /** As `sweepWatches`. */
  sweep(): Promise<void>
  /** Stops. Waits at most a second for a running comparison. */
  close(): Promise<void>
}

/** Changes after which an image may match a watch that it did not match before. */
const MAY_MATCH_ANEW: Readonly<Record<ImageOp, boolean>> = { image: true, trustStatus: true, tombstone: false }
const BLOCK_MS = 250
const RETRY_MS = 500
/** Validity of the lock. After a crash, another process takes over when it ends, so that organisations are still notified within five seconds. */
const HOLD_MS = 3000
/** Wait for more registrations, because a comparison takes four round trips, for one picture as for twenty. */
const GATHERED_FOR_MS = 100
/** Number of changes that are compared again after a failover. Far fewer are lost, because the cursor is written every few changes. */
const COMPARED_AGAIN = 10_000
const SWEEP_INTERVAL_MS = 60_000

export function createWatchEvaluator(parts: WatchingParts): Watching {
  const { follower, pause, onError } = parts
  const step = createStep(parts)
  let closed = false
  let loop: Promise<void> = Promise.resolve()
  return {
    start() {
      loop = (async () => {
        while (!closed) {
          await step().catch(async (error: unknown) => {
            if (closed) return
            onError(error)
            await pause(RETRY_MS)
          })
        }
      })()
    },
    sweep: () => sweepWatches(parts),
    async close() {
      closed = true
      follower.disconnect()
      await Promise.race([loop, sleep(1000, undefined, { ref: false })])
    },
  }
}

/** One step of the loop: takes or renews the lock, sweeps if due, compares pictures registered after the cursor, and advances the cursor. */
function createStep(parts: WatchingParts): () => Promise<void> {
  const { store, watches, index, follower, replica, clock, pause, onError } = parts
  const token = randomUUID()
  let sweptAtMs = Number.NEGATIVE_INFINITY
  // Pictures that could not be compared. Later pictures do not wait for them.
  const notCompared: NotCompared = new Map()
  /** Renews the lock on a timer: a video may have 10,000 hashes, each to be compared with a million watches. */
  const compare = async (ids: readonly string[]) => {
    const timer = setInterval(() => watches.hold(token, HOLD_MS).catch(onError), HOLD_MS / 3)
    await compareAll(parts, ids, notCompared).finally(() => clearInterval(timer))
  }

  return async () => {
    const [holds, from] = await Promise.all([watches.hold(token, HOLD_MS), watches.cursor()]) // in this order: the cursor is read under the lock
    if (!holds) {
      await pause(RETRY_MS)
      return
    }
    if (clock() - sweptAtMs >= SWEEP_INTERVAL_MS) {
      sweptAtMs = clock()
      await sweepWatches(parts)
      // Failed pictures are tried again a few times, a minute apart.
      if (notCompared.size > 0 && index.size > 0) await compare([...notCompared.keys()])
    }
    // Nothing was ever compared: start at the end of the stream.
    if (from === undefined) return await watches.advance(token, await lastPosition(store))
    const followed = await follow(follower, from, BLOCK_MS, clock)
    if (followed.kind === 'gap') {
      const [again, why] = await againFrom(store, from, followed.loss)
      onError(new Error(`watching: ${why}`))
      return await watches.advance(token, again)
    }
    const last = followed.positions.at(-1)
    if (last === undefined) return
    const ids = imageIdsOf(followed.changes, MAY_MATCH_ANEW)
    if (ids.length > 0) {
      // The index must hold every watch older than the picture, and the replica must hold the picture.
      await index.reached(await watches.lastPosition())
      if (index.size > 0) {
        await replica.reached(last)
        await compare([...new Set(ids)])
      }
    }
    await watches.advance(token, last)
    if (followed.caughtUpAtMs !== undefined) await pause(GATHERED_FOR_MS)
  }
}

/** The position to continue from after a gap, and the reason for the log. A picture that is compared twice is notified only once. */
async function againFrom(store: Store, { revision }: Position, loss: Loss): Promise<[Position, string]> {
  const isLost = loss === 'history-diverged'
  return [
    await positionBefore(store, isLost ? revision - COMPARED_AGAIN : 0),
    isLost
      ? 'the store lost changes, so the last ones are compared with watches again'
      : 'changes were trimmed before they were compared with watches',
  ]
}
