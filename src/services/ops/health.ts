// Health of this process: whether it can answer, and what it has loaded.

import { setTimeout } from 'node:timers/promises'
import { DETAIL_BITS, ROW_TYPES, type RowType, SIGNAL_TYPES } from '../../../packages/core/src/matching/signal-types.js'
import type { PartStatus } from '../../../packages/core/src/search/part-status.js'
import type { IsolationLayer } from '../../domain/isolation-layers.js'
import { Problem } from '../../domain/problem.js'
import type { UnavailableCause } from '../../domain/store-unavailable.js'
import type { PendingImages } from '../../handoff/pending-images.js'
import { lastRevision } from '../../store/images/changes.js'
import type { Store } from '../../store/redis/client.js'
import type { Durability } from '../../store/redis/durable-writer.js'
import { countAlive, countLacking, type ProcessCount } from '../../store/redis/heartbeats.js'
import { outboxAgeMs } from '../../store/webhooks/outbox.js'
import { createWaitingEventStore } from '../../store/webhooks/waiting-events.js'
import type { Catalogue } from '../index/catalogue.js'
import type { Replica } from '../index/replica.js'
import type { Reconcilers } from '../interop/reconcilers.js'
import { reused } from '../load/reused.js'

export interface HealthReport {
  readonly revision: number
  readonly images: number
  /** Rows that a search can find, by signal type. */
  readonly rows: Record<string, number>
  readonly durability: Durability
  readonly withdrawals: WithdrawalNoting
}

/** Whether withdrawals are recorded on disk for restores. `behind`: some are not, and a restore would undo them. `off`: none are recorded. */
export const WITHDRAWAL_NOTING = ['noted', 'behind', 'off'] as const
export type WithdrawalNoting = (typeof WITHDRAWAL_NOTING)[number]

/** `unavailable`: no worker takes pictures and videos. Hashes are still matched. */
export const HASHING_STATES = ['available', 'unavailable'] as const
export type HashingState = (typeof HASHING_STATES)[number]

/** How long it is reused whether workers are alive, and how long a probe waits for it. */
const WORKERS_KNOWN_MS = 1000

export interface IndexStatus {
  readonly type: RowType
  /** Includes rows of removed images until these are compacted away. */
  readonly rows: number
  readonly liveRows: number
  readonly bytes: number
  /** The threshold of `parts`: that of the type itself. */
  readonly thresholdBits: number
  readonly parts: PartStatus[]
}

export interface IndexReport {
  readonly revision: number
  /** Time since the store last had nothing newer. */
  readonly stalenessMs: number
  readonly images: number
  /** Memory of the images, without their rows in the indexes. */
  readonly imageBytes: number
  readonly indexes: IndexStatus[]
}

export interface Health {
  /** @returns the report, or the problem that keeps this process from answering. */
  report(): HealthReport | Problem
  /** Whether any worker takes pictures. `undefined` if the store does not say so within a second: a probe must not wait for it. */
  hashing(): Promise<HashingState | undefined>
  /** @see Replica.waitUntilFresh */
  waitUntilFresh(): Promise<void> | undefined
  /** What the index consists of. @throws {Problem} index-loading, store-unavailable */
  index(): IndexReport
  /** How many changes the store has that the index does not. @throws {Problem} store-unavailable */
  behind(): Promise<number>
  /** Pictures of this process that wait for a worker or are being hashed. */
  pictures(): { readonly waiting: number; readonly oldestMs: number }
  /** [ms] How long one more picture would wait for a worker, behind `coming` others. */
  pictureWaitMs(coming: number): number
  /** @see Store.unavailableCounts */
  storeUnavailable(): ReadonlyMap<UnavailableCause, number>
  /** Of this process, even when it is not ready. */
  withdrawals(): WithdrawalNoting
  /** Of the whole deployment. @throws {Problem} store-unavailable */
  workers(): Promise<ProcessCount>
  /**
   * Age of the last complete run for the HMA that is furthest behind; before the first, age of the run under way. 0 without HMAs. @throws {Problem}
   * store-unavailable
   */
  reconcilersBehindMs(nowMs: number): Promise<number>
  /**
   * The messengers of the deployment. `outboxMs`: age of the oldest event that is not yet a delivery; 0 without one. `waiting`: events that wait
   * because a record that they need cannot be read. @throws {Problem} store-unavailable
   */
  messengers(): Promise<ProcessCount & { readonly outboxMs: number; readonly waiting: number }>
  /** Number of workers that lack each layer of the sandbox. @throws {Problem} store-unavailable */
  lacking(): Promise<Readonly<Record<IsolationLayer, number>>>
}

export interface HealthParts {
  readonly replica: Replica
  readonly store: Store
  readonly pendingImages: PendingImages
  readonly reconcilers: Pick<Reconcilers, 'list'>
  /** Undefined if withdrawals are not recorded. */
  readonly withdrawals: { readonly isBehind: boolean } | undefined
  readonly clock: () => number
}

export function healthOf({ replica, store, pendingImages, reconcilers, withdrawals, clock }: HealthParts): Health {
  const noting = () => (withdrawals === undefined ? 'off' : withdrawals.isBehind ? 'behind' : 'noted')
  const areWorkersAlive = reused(async () => (await countAlive(store, 'workers')).alive > 0, WORKERS_KNOWN_MS, clock)
  return {
    report() {
      try {
        const { catalogue } = replica
        return {
          revision: replica.revision ?? 0,
          images: catalogue.images,
          rows: Object.fromEntries(ROW_TYPES.map((type) => [type, catalogue.index(type).liveRows])),
          durability: store.durability,
          withdrawals: noting(),
        }
      } catch (error) {
        if (error instanceof Problem) return error
        throw error
      }
    },
    async hashing() {
      const asked = areWorkersAlive().catch(() => undefined)
      const areAlive = await Promise.race([asked, setTimeout(WORKERS_KNOWN_MS, undefined, { ref: false })])
      return areAlive === undefined ? undefined : areAlive ? 'available' : 'unavailable'
    },
    waitUntilFresh: () => replica.waitUntilFresh(),
    storeUnavailable: () => store.unavailableCounts,
    index() {
      const { catalogue } = replica
      return {
        revision: replica.revision ?? 0,
        stalenessMs: Math.round(replica.stalenessMs),
        images: catalogue.images,
        imageBytes: catalogue.imageBytes,
        indexes: ROW_TYPES.map((type) => statusOf(catalogue, type)),
      }
    },
    async behind() {
      return Math.max(0, (await lastRevision(store)) - (replica.revision ?? 0))
    },
    pictures: () => ({ waiting: pendingImages.size, oldestMs: pendingImages.oldestMs }),
    pictureWaitMs: (coming) => pendingImages.expectedMs(coming),
    withdrawals: noting,
    workers: () => countAlive(store, 'workers'),
    messengers: async () => ({
      ...(await countAlive(store, 'messengers')),
      outboxMs: await outboxAgeMs(store),
      waiting: await createWaitingEventStore(store).count(),
    }),
    async reconcilersBehindMs(nowMs) {
      const since = (await reconcilers.list()).map(
        ({ progress }) => progress?.caughtUpAtMs ?? progress?.startedAtMs ?? nowMs,
      )
      return Math.max(0, ...since.map((atMs) => nowMs - atMs))
    },
    lacking: () => countLacking(store),
  }
}

function statusOf(catalogue: Catalogue, type: RowType): IndexStatus {
  const thresholdBits = type === 'detail' ? DETAIL_BITS : SIGNAL_TYPES[type].thresholdBits
  const index = catalogue.index(type)
  const { rows, liveRows, bytes } = index
  return { type, rows, liveRows, bytes, thresholdBits, parts: index.status(thresholdBits) }
}
