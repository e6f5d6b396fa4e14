// What organisations watch for, in this process's memory, and equal to the store: read once, then followed.

import type { Redis } from 'ioredis'
import { dependsOnOrientation } from '../../domain/matching/evidence.js'
import type { Signal } from '../../domain/matching/signal.js'
import { type Bank, widestAskedThresholdOf } from '../../domain/organisations/bank.js'
import { type Followed, follow, ORIGIN, type Position, WATCH_STREAM } from '../../store/images/changes.js'
import type { ImageOp } from '../../store/scripts/change-ops.js'
import type { Watches } from '../../store/watch/watches.js'
import { Catalogue } from '../index/catalogue.js'
import { forEachDue, isTransient } from '../load/each-due.js'
import { paceMaker } from '../load/yielding.js'
import { allOrientations, orientationGroupsOf } from '../matching/orientations.js'

export interface WatchIndex {
  /** Begins, and goes on through every loss of the store until `close`. */
  start(): void
  /** Waits until it has what was written up to a position of the watches' stream. */
  reached(position: Position): Promise<void>
  /**
   * Everything that may be a copy of a picture: all watches with a signal within the widest distance that could be evidence, and
   * others. Gives way to others every millisecond.
   */
  near(signals: readonly Signal[], bank: Bank): Promise<{ readonly watchId: string; readonly orgId: string }[]>
  readonly size: number
  close(): Promise<void>
}

export interface WatchIndexParts {
  readonly watches: Watches
  /** A connection of its own: following blocks it. */
  readonly follower: Redis
  readonly clock: () => number
  readonly onError: (error: unknown) => void
}

/** Watches of other changes are read again. */
const ENDS_WATCHES: Readonly<Record<ImageOp, boolean>> = { image: false, trustStatus: false, tombstone: true }
const BLOCK_MS = 250
const RETRY_MS = 200
const SLICE_MS = 1
const AT_ONCE = 200
const MAX_DIGESTS = 1024

export function createWatchIndex({ watches, follower, clock, onError }: WatchIndexParts): WatchIndex {
  let catalogue = new Catalogue()
  // Invariant: the catalogue is what the store held at this position; undefined until it has been read whole.
  let position: Position | undefined
  let closed = false
  let loop: Promise<void> = Promise.resolve()
  let waiting: { readonly position: Position; readonly resolve: () => void }[] = []
  // Digests of what was applied last.
  const digests = new Map<number, string>()

  async function hydrate(): Promise<void> {
    const from = await watches.lastPosition() // first: what changes meanwhile comes again, and does no harm twice
    const fresh = new Catalogue()
    // Before the first change there is nothing to read, and to ask thousands of shards is a part of every start that is felt.
    if (from.revision > 0)
      for await (const found of watches.all())
        for (const { id, image } of found) {
          // What cannot be read now may be by a process that has its key, and keeps no other from being compared.
          if (image !== undefined) fresh.put(id, image)
          else onError(new Error('something that is watched for cannot be read, and is compared with nothing'))
        }
    const yieldIfNeeded = paceMaker(SLICE_MS, clock)
    while (fresh.tidy()) await yieldIfNeeded()
    catalogue = fresh
    digests.clear()
    advance([from])
  }

  async function apply(followed: Followed & { kind: 'changes' }): Promise<void> {
    if (followed.changes.length === 0) catalogue.tidy()
    for (const change of followed.changes) {
      if (!('imageIds' in change)) continue
      if (ENDS_WATCHES[change.op]) {
        for (const id of change.imageIds) catalogue.remove(id)
        continue
      }
      for (let at = 0; at < change.imageIds.length; at += AT_ONCE) {
        const ids = change.imageIds.slice(at, at + AT_ONCE)
        await take(ids)
      }
    }
  }

  async function take(ids: readonly string[]): Promise<void> {
    // All in one packet; one by one only when one of them cannot be read.
    const found = await watches.get(ids).catch((error: unknown) => {
      if (isTransient(error)) throw error
      return undefined
    })
    await forEachDue({
      what: 'watches to compare with',
      take: [...ids.keys()],
      async handle(i) {
        const id = ids[i] ?? ''
        const image = found === undefined ? (await watches.get([id]))[0] : found[i]
        if (image === undefined) catalogue.remove(id)
        else catalogue.put(id, image)
      },
      onError: onError,
      isNotTheEntrys: isTransient,
    })
  }

  function advance(positions: readonly Position[]): void {
    for (const each of positions) {
      position = each
      digests.set(each.revision, each.digest)
      const [oldest] = digests.size > MAX_DIGESTS ? digests.keys() : []
      if (oldest !== undefined) digests.delete(oldest)
    }
    const due = waiting.filter((waiter) => has(waiter.position))
    waiting = waiting.filter((waiter) => !due.includes(waiter))
    for (const { resolve } of due) resolve()
  }

  /** What has another digest here will be found out by following, and read again. */
  function has({ revision, digest }: Position): boolean {
    return position !== undefined && position.revision >= revision && (digests.get(revision) ?? digest) === digest
  }

  async function turn(): Promise<void> {
    try {
      if (position === undefined) await hydrate()
      const followed = await follow(follower, position ?? ORIGIN, BLOCK_MS, clock, WATCH_STREAM)
      if (followed.kind === 'gap') {
        position = undefined
        return
      }
      await apply(followed)
      advance(followed.positions)
    } catch (error) {
      if (closed) return
      onError(error)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  return {
    start() {
      loop = (async () => {
        while (!closed) await turn()
      })()
    },
    async reached(to) {
      if (has(to)) return
      await new Promise<void>((resolve) => waiting.push({ position: to, resolve }))
    },
    async near(signals, bank) {
      for (;;) {
        const asked = catalogue
        const found = await nearIn(asked, signals, bank)
        if (asked === catalogue) return found // else all was read anew meanwhile, because the old one lacks changes
      }
    },
    get size() {
      return catalogue.images
    },
    async close() {
      closed = true
      follower.disconnect()
      for (const { resolve } of waiting.splice(0)) resolve()
      await Promise.race([loop, new Promise((resolve) => setTimeout(resolve, 1000).unref())])
    },
  }

  async function nearIn(watched: Catalogue, signals: readonly Signal[], bank: Bank) {
    const yieldIfNeeded = paceMaker(SLICE_MS, clock)
    const searcher = watched.searcher()
    try {
      const ordinals = new Set<number>()
      for (const { type, view, quality, hash } of signals) {
        // What turns the watched picture into the registered one turns, the other way round, this one into that: bits are moved and
        // turned over, which changes no distance. So all ways are asked for, as far as the farther of both questions goes.
        for (const { rotated, hashes } of orientationGroupsOf({
          type,
          view,
          quality,
          hashes: allOrientations(type, hash),
        })) {
          const bits = widestAskedThresholdOf(bank, type, view, rotated && dependsOnOrientation(type))
          const search = searcher.search(type, hashes, bits)
          let step = search.next()
          for (; step.done !== true; step = search.next()) await yieldIfNeeded()
          for (const { image } of step.value) ordinals.add(image)
        }
      }
      return Array.from(ordinals).flatMap((ordinal) => {
        const found = searcher.image(ordinal)
        return found === undefined ? [] : [{ watchId: found.id, orgId: found.bank }]
      })
    } finally {
      searcher.release()
    }
  }
}
