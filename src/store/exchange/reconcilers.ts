// The position of each reconciler, and which contents of the other system our images correspond to. Only ids, never hashes.

import { z } from 'zod'
import {
  RECONCILE_FAILURES,
  RECONCILE_STATES,
  type ReconcileCursor,
  type ReconcileFailure,
  type ReconcileProgress,
} from '../../domain/organisations/reconciler.js'
import type { Store } from '../redis/client.js'
import { idBuffer, keys } from '../redis/keys.js'
import { saveExchange } from '../scripts/organisations/exchanges.js'

const StateJson = z.object({
  identity: z.string(),
  place: z.object({
    revision: z.int(),
    digest: z.string().default(''), // of an older version: everything is compared again
    checkedTo: z.int(),
    holes: z.array(z.object({ from: z.int(), to: z.int(), sinceMs: z.int() })),
    allFrom: z.int().optional(),
    allAtMs: z.int().optional(),
  }),
  progress: z.object({
    state: z.enum(RECONCILE_STATES),
    failure: z.enum(RECONCILE_FAILURES).optional(),
    startedAtMs: z.int(),
    updatedAtMs: z.int(),
    caughtUpAtMs: z.int().optional(),
    checked: z.int(),
    removed: z.int(),
  }),
})

const FoundJson = z.object({
  banks: z.array(z.string()),
  failure: z.enum(RECONCILE_FAILURES).optional(),
  startedAtMs: z.int(),
  updatedAtMs: z.int(),
})

/** The banks that the last run found, and why it failed if it did. */
export interface FoundBanks {
  readonly banks: readonly string[]
  readonly failure: ReconcileFailure | undefined
  readonly startedAtMs: number
  readonly updatedAtMs: number
}

export interface ReconcilerState {
  /** Keyed digest of the bank that this position belongs to. */
  readonly identity: string
  readonly place: ReconcileCursor
  readonly progress: ReconcileProgress
}

/** An image and its content id in the other system; `undefined` when the content no longer exists. */
export type Became = readonly [imageId: string, contentId: number | undefined]

/** `name` of a bank is the names of reconciler and bank with a colon between; `reconciler` is the reconciler's own. */
export interface Reconcilers {
  found(reconciler: string): Promise<FoundBanks | undefined>
  saveFound(reconciler: string, found: FoundBanks): Promise<void>
  get(name: string): Promise<ReconcilerState | undefined>
  /** Durable when it returns. */
  save(name: string, state: ReconcilerState, became: readonly Became[]): Promise<void>
  /** The content ids of images, in their order. */
  contentsOf(name: string, imageIds: readonly string[]): Promise<(number | undefined)[]>
  /** How many images have a content in the other system. */
  known(name: string): Promise<number>
  /** Deletes the position and the content ids, when the bank was replaced or removed. */
  forget(name: string): Promise<void>
}

export function createReconcilerStore(store: Store): Reconcilers {
  return {
    async found(reconciler) {
      const json = await store.ask((redis) => redis.get(keys.reconcilerBanks(reconciler)))
      if (json === null) return undefined
      const { failure, ...found } = FoundJson.parse(JSON.parse(json))
      return { ...found, failure }
    },
    async saveFound(reconciler, found) {
      await store.ask((redis) => redis.set(keys.reconcilerBanks(reconciler), JSON.stringify(found)))
    },
    async get(name) {
      const json = await store.ask((redis) => redis.get(keys.reconciler(name)))
      if (json === null) return undefined
      const { identity, place, progress } = StateJson.parse(JSON.parse(json))
      return {
        identity,
        place: { ...place, allFrom: place.allFrom, allAtMs: place.allAtMs },
        progress: { ...progress, failure: progress.failure, caughtUpAtMs: progress.caughtUpAtMs },
      }
    },
    async save(name, state, became) {
      const args = became.flatMap(([imageId, contentId]) => [
        idBuffer(imageId),
        contentId === undefined ? '' : String(contentId),
      ])
      await store.write(
        saveExchange,
        [keys.reconciler(name), keys.reconcilerContents(name)],
        [JSON.stringify(state), ...args],
      )
    },
    async contentsOf(name, imageIds) {
      if (imageIds.length === 0) return []
      const found = await store.ask((redis) => redis.hmget(keys.reconcilerContents(name), ...imageIds.map(idBuffer)))
      return found.map((text) => (text === null ? undefined : Number(text)))
    },
    known: (name) => store.ask((redis) => redis.hlen(keys.reconcilerContents(name))),
    async forget(name) {
      await store.ask((redis) => redis.del(keys.reconciler(name), keys.reconcilerContents(name)))
    },
  }
}
