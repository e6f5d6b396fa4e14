// Compares what is registered with what organisations watch for, and tells them. One process at a time, from where the last one stopped.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { RegisteredImage } from '../../domain/matching/signal.js'
import { isVisibleTo } from '../../domain/organisations/bank.js'
import { MOST_COMPARED_PER_ORG } from '../../domain/organisations/watch.js'
import { Problem } from '../../domain/problem.js'
import { follow, type Loss, lastPosition, type Position, positionBefore } from '../../store/images/changes.js'
import type { Images } from '../../store/images/images.js'
import { exactNameOf } from '../../store/organisations/exact-name.js'
import type { Store } from '../../store/redis/client.js'
import { type ImageOp, imageIdsOf } from '../../store/scripts/change-ops.js'
import type { DueWatch, Watches } from '../../store/watch/watches.js'
import type { Replica } from '../index/replica.js'
import type { DueTime } from '../load/due-time.js'
import { forEachDue, isTransient } from '../load/each-due.js'
import type { MatchIds } from '../matching/match-ids.js'
import type { Matcher } from '../matching/matcher.js'
import { turned } from '../matching/orientations.js'
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
  /** Until when watches have ended. */
  readonly dueTime: DueTime
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

/** Changes after which an image may match a watch that it did not match before. */
const MAY_MATCH_ANEW: Readonly<Record<ImageOp, boolean>> = { image: true, standing: true, tombstone: false }
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
/** So often a picture is compared that fails; the operator is told each time. */
const MAX_TRIES = 10
/** Pictures that failed and are tried again. */
const MAX_ASIDE = 10_000

export function watchingOver(parts: WatchingParts): Watching {
  const { store, watches, index, follower, replica, dueTime, clock, pause, onTrouble } = parts
  const token = randomUUID()
  let closed = false
  let loop: Promise<void> = Promise.resolve()
  let sweptAtMs = Number.NEGATIVE_INFINITY
  // What could not be compared, and how often that was tried: it must not keep what was registered later waiting.
  const notCompared: NotCompared = new Map()

  async function turn(): Promise<void> {
    const [holds, from] = await Promise.all([watches.hold(token, HOLD_MS), watches.cursor()]) // asked in this order
    if (!holds) {
      await pause(RETRY_MS)
      return
    }
    if (clock() - sweptAtMs >= SWEEP_EVERY_MS) {
      sweptAtMs = clock()
      await sweep()
      await compareAgain()
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
    const ids = imageIdsOf(followed.changes, MAY_MATCH_ANEW)
    if (ids.length > 0) {
      // What was left before a picture was registered is compared with it, and the picture is asked for where it can be found.
      await index.reached(await watches.lastPosition())
      if (index.size > 0) {
        await replica.reached(last)
        await compareAll(parts, [...new Set(ids)], notCompared, () => watches.hold(token, HOLD_MS))
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

  /** What failed is tried again a few times, a minute apart. */
  async function compareAgain(): Promise<void> {
    const ids = [...notCompared.keys()]
    if (ids.length > 0 && index.size > 0) {
      await compareAll(parts, ids, notCompared, () => watches.hold(token, HOLD_MS))
    }
  }

  async function sweep(): Promise<void> {
    const untilMs = await dueTime(store)
    if (untilMs === undefined) return
    await forEachDue<DueWatch>({
      what: 'watches that ended',
      take: (after) => watches.due(untilMs, after?.place, ERASED_AT_ONCE),
      async handle(due) {
        const isErased = due.watch !== undefined && (await watches.erase(due.watch.orgId, [due.watch.watchId]))
        if (!isErased) await watches.discard(due)
        if (due.watch === undefined) throw new Error('what ended is no watch, and was removed')
      },
      atOnce: ERASED_AT_ONCE,
      onError: onTrouble,
    })
    const withKey = new Set<string>()
    for (const { orgId, expiresAtMs } of replica.catalogue.apiKeys.values()) {
      if (expiresAtMs === undefined || expiresAtMs > untilMs) withKey.add(orgId)
    }
    const withoutKey = (await watches.orgs()).filter((orgId) => !withKey.has(orgId))
    await forEachDue<string>({
      what: 'organisations whose watches are to be erased',
      take: withoutKey,
      handle: eraseAllOf,
      onError: onTrouble,
    })
  }

  async function eraseAllOf(orgId: string): Promise<void> {
    await forEachDue<DueWatch>({
      what: 'watches of an organisation without a key',
      take: (after) => watches.ofOrg(orgId, after?.place, ERASED_AT_ONCE),
      async handle({ watch }) {
        if (watch === undefined) throw new Error('what an organisation watches for has no id')
        await watches.erase(orgId, [watch.watchId])
      },
      atOnce: ERASED_AT_ONCE,
      onError: onTrouble,
    })
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

/** Image ids, and how often they were tried. */
type NotCompared = Map<string, number>

/** @param notCompared gets those that fail, and loses those that do not, or failed too often. */
async function compareAll(
  parts: WatchingParts,
  ids: readonly string[],
  notCompared: NotCompared,
  stay: () => Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < ids.length; at += IMAGES_AT_ONCE) {
    const some = ids.slice(at, at + IMAGES_AT_ONCE)
    // All in one packet; one by one only when one of them cannot be read.
    const found = await parts.images.get(some).catch((error: unknown) => {
      if (isTransient(error)) throw error
      return undefined
    })
    await forEachDue({
      what: 'pictures to compare with watches',
      take: [...some.keys()],
      async handle(i) {
        const imageId = some[i] ?? ''
        try {
          const image = found === undefined ? (await parts.images.get([imageId]))[0] : found[i]
          if (image !== undefined) await compareOne(parts, imageId, image)
          notCompared.delete(imageId)
        } catch (error) {
          if (!isTransient(error)) setAside(notCompared, imageId)
          throw error
        }
      },
      onError: parts.onTrouble,
      isNotTheEntrys: isTransient,
    })
    await stay()
  }
}

function setAside(notCompared: NotCompared, imageId: string): void {
  const tries = (notCompared.get(imageId) ?? 0) + 1
  notCompared.delete(imageId)
  if (tries < MAX_TRIES && notCompared.size < MAX_ASIDE) notCompared.set(imageId, tries)
}

async function compareOne(parts: WatchingParts, imageId: string, image: RegisteredImage): Promise<void> {
  const bank = parts.replica.catalogue.banks.get(image.bank)
  if (bank?.purpose !== 'match') return
  const near = await parts.index.near(image.signals, bank)
  const all = [...byOrg(near)].flatMap(([orgId, watchIds]) =>
    isVisibleTo(bank, orgId) ? [{ orgId, watchIds: watchIds.sort().slice(0, MOST_COMPARED_PER_ORG) }] : [],
  )
  const { failed } = await forEachDue({
    what: 'organisations whose watches to compare with a picture',
    take: all,
    // Watches near one picture are within twice the radius of each other. To tell of each would tell on which side of the radius it lies, so one is told.
    async handle({ orgId, watchIds }) {
      let isTold = false
      const ofOrg = await forEachDue({
        what: 'watches to compare with a picture',
        take: watchIds,
        async handle(watchId) {
          if (!isTold) isTold = await compare(parts, { watchId, orgId, imageId }, exactNameOf(bank))
        },
        onError: parts.onTrouble,
        isNotTheEntrys: isTransient,
      })
      if (ofOrg.failed > 0 && !isTold) throw new Error('a picture could not be compared with all watches of an organisation')
    },
    onError: parts.onTrouble,
    isNotTheEntrys: isTransient,
  })
  if (failed > 0) throw new Error('a picture could not be compared with all watches')
}

/**
 * Asks about a watched picture as its organisation would ask: so evidence, thresholds, vetoes and grades are those of a match, and
 * so is what follows from one; and it counts as a query there (probing.ts). @returns whether it matched.
 */
async function compare(
  { watches, matcher, matchIds, now }: WatchingParts,
  { watchId, orgId, imageId }: { readonly watchId: string; readonly orgId: string; readonly imageId: string },
  bank: string,
): Promise<boolean> {
  const [watched] = await watches.get([watchId])
  if (watched === undefined) return false
  const asked = watched.signals.map(({ hash, ...signal }) => ({
    ...signal,
    hashes: turned(signal.type, signal.view, hash),
  }))
  // Whatever else is near to what is watched for, this picture is what it is compared with.
  const about = { orgId, banks: [bank], thresholdBits: undefined, imageId }
  const [matches = []] = await matcher.match([asked], about).catch((error) => {
    // It may know of the bank no longer, since a moment ago; or may not ask any more.
    if (error instanceof Problem && ['bank-unknown', 'key-suspended'].includes(error.code)) return []
    throw error
  })
  const matchId = matchIds.idFor(orgId, imageId)
  const match = matches.find((one) => one.matchId === matchId)
  if (match === undefined || match.grade === 'review') return false
  await watches.found({ watchId, imageId, orgId, grade: match.grade, atMs: now() })
  return true
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
