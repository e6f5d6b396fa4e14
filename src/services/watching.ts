// Compares what is registered with what organisations watch for, and tells them. One process at a time, from where the last one stopped.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { isVisibleTo } from '../domain/bank.js'
import { Problem } from '../domain/problem.js'
import { MOST_FOUND_PER_ORG } from '../domain/watch.js'
import { follow, type Loss, lastPosition, type Position, positionBefore } from '../store/changes.js'
import type { Images } from '../store/images.js'
import type { Store } from '../store/store.js'
import type { Watches } from '../store/watches.js'
import type { MatchIds } from './match-ids.js'
import type { Matcher } from './matcher.js'
import type { Replica } from './replica.js'
import { turned } from './turns.js'
import type { WatchIndex } from './watch-index.js'

export interface WatchingParts {
  readonly store: Store
  readonly watches: Watches
  readonly index: WatchIndex
  readonly images: Pick<Images, 'get'>
  readonly replica: Pick<Replica, 'reached' | 'catalogue'>
  readonly matcher: Pick<Matcher, 'match'>
  readonly matchIds: Pick<MatchIds, 'idFor'>
  /** A connection of its own: following blocks it. */
  readonly follower: Redis
  readonly now: () => number
  readonly clock: () => number
  /** Lets so long pass. */
  readonly pause: (ms: number) => Promise<unknown>
  readonly onTrouble: (error: unknown) => void
}

export interface Watching {
  /** Begins, and goes on through every loss of the store until `close`. */
  start(): void
  /** Erases what has ended by now, and what belongs to organisations that have no key any more. */
  sweep(): Promise<void>
  close(): Promise<void>
}

const BLOCK_MS = 250
const RETRY_MS = 500
/** Another process goes on after so long when this one dies: soon enough for an event within five seconds. */
const HOLD_MS = 3000
/** What is registered meanwhile is compared together: each turn asks the store four times, for one picture as for twenty. */
const GATHERED_FOR_MS = 100
const IMAGES_AT_ONCE = 50
/** Changes before the last one compared: far more than a failover loses, since who compares writes down every few of them. */
const COMPARED_AGAIN = 10_000
const SWEEP_EVERY_MS = 60_000
const ERASED_AT_ONCE = 500

export function watchingOver(parts: WatchingParts): Watching {
  const { store, watches, index, follower, replica, now, clock, pause, onTrouble } = parts
  const token = randomUUID()
  let closed = false
  let loop: Promise<void> = Promise.resolve()
  let sweptAtMs = Number.NEGATIVE_INFINITY

  async function turn(): Promise<void> {
    const [holds, from] = await Promise.all([watches.hold(token, HOLD_MS), watches.cursor()]) // asked in this order
    if (!holds) {
      await pause(RETRY_MS)
      return
    }
    if (clock() - sweptAtMs >= SWEEP_EVERY_MS) {
      sweptAtMs = clock()
      await sweep()
    }
    // Before anything was ever compared there was nothing to compare with.
    if (from === undefined) return await watches.advance(token, await lastPosition(store))
    const followed = await follow(follower, from, BLOCK_MS, clock)
    if (followed.kind === 'gap') {
      const [again, why] = await againFrom(from, followed.loss)
      onTrouble(new Error(`watching: ${why}`))
      return await watches.advance(token, again)
    }
    const last = followed.positions.at(-1)
    if (last === undefined) return
    const ids = followed.changes.flatMap((change) =>
      change.op === 'image' || change.op === 'standing' ? change.imageIds : [],
    )
    if (ids.length > 0) {
      // What was left before a picture was registered is compared with it, and the picture is asked for where it can be found.
      await index.reached(await watches.lastPosition())
      if (index.size > 0) {
        await replica.reached(last)
        await compareAll(parts, [...new Set(ids)], () => watches.hold(token, HOLD_MS))
      }
    }
    await watches.advance(token, last)
    if (followed.caughtUpAtMs !== undefined) await pause(GATHERED_FOR_MS)
  }

  /** What is compared twice is told once. */
  async function againFrom({ revision }: Position, loss: Loss): Promise<[Position, string]> {
    const isLost = loss === 'history-diverged'
    return [
      await positionBefore(store, isLost ? revision - COMPARED_AGAIN : 0),
      isLost
        ? 'the store lost changes, so the last ones are compared with watches again'
        : 'changes were trimmed before they were compared with watches',
    ]
  }

  async function sweep(): Promise<void> {
    for (;;) {
      const due = await watches.due(now(), ERASED_AT_ONCE)
      for (const [orgId, ids] of byOrg(due)) await watches.erase(orgId, ids)
      if (due.length < ERASED_AT_ONCE) break
    }
    const withKey = new Set<string>()
    for (const { orgId, expiresAtMs } of replica.catalogue.apiKeys.values()) {
      if (expiresAtMs === undefined || expiresAtMs > now()) withKey.add(orgId)
    }
    for (const orgId of await watches.orgs()) {
      if (withKey.has(orgId)) continue
      for (let ids = await watches.ofOrg(orgId, ERASED_AT_ONCE); ids.length > 0; ) {
        await watches.erase(orgId, ids)
        ids = await watches.ofOrg(orgId, ERASED_AT_ONCE)
      }
    }
  }

  return {
    start() {
      loop = (async () => {
        while (!closed) {
          await turn().catch(async (error: unknown) => {
            if (closed) return
            onTrouble(error)
            await pause(RETRY_MS)
          })
        }
      })()
    },
    sweep,
    async close() {
      closed = true
      follower.disconnect()
      await Promise.race([loop, sleep(1000, undefined, { ref: false })])
    },
  }
}

async function compareAll(parts: WatchingParts, ids: readonly string[], stay: () => Promise<unknown>): Promise<void> {
  for (let at = 0; at < ids.length; at += IMAGES_AT_ONCE) {
    const some = ids.slice(at, at + IMAGES_AT_ONCE)
    const found = await parts.images.get(some)
    for (const [i, image] of found.entries()) {
      const imageId = some[i]
      const bank = image === undefined ? undefined : parts.replica.catalogue.banks.get(image.bank)
      if (image === undefined || imageId === undefined || bank?.purpose !== 'match') continue
      const near = await parts.index.near(image.signals, bank)
      for (const [orgId, watchIds] of byOrg(near)) {
        if (!isVisibleTo(bank, orgId)) continue
        for (const watchId of watchIds.slice(0, MOST_FOUND_PER_ORG))
          await compare(parts, { watchId, orgId, imageId }, bank.name)
      }
    }
    await stay()
  }
}

/**
 * Asks about a watched picture as its organisation would ask: so evidence, thresholds, vetoes and grades are those of a match, and
 * so is what follows from one.
 */
async function compare(
  { watches, matcher, matchIds, now }: WatchingParts,
  { watchId, orgId, imageId }: { readonly watchId: string; readonly orgId: string; readonly imageId: string },
  bank: string,
): Promise<void> {
  const [watched] = await watches.get([watchId])
  if (watched === undefined) return
  const asked = watched.signals.map(({ hash, ...signal }) => ({
    ...signal,
    hashes: turned(signal.type, signal.view, hash),
  }))
  const [matches = []] = await matcher.match([asked], { orgId, banks: [bank], thresholdBits: undefined }).catch((error) => {
    if (error instanceof Problem && error.code === 'bank-unknown') return [] // it may know of the bank no longer, since a moment ago
    throw error
  })
  const matchId = matchIds.idFor(orgId, imageId)
  const match = matches.find((one) => one.matchId === matchId)
  if (match === undefined) return
  await watches.found({ watchId, imageId, orgId, grade: match.grade, atMs: now() })
}

function byOrg(all: readonly { readonly orgId: string; readonly watchId: string }[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { orgId, watchId } of all) {
    const ids = found.get(orgId) ?? []
    ids.push(watchId)
    found.set(orgId, ids)
  }
  return found
}
