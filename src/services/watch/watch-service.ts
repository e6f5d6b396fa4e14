// An organisation's management of its watches. No other organisation can see that they exist.

import { randomBytes } from 'node:crypto'
import { parseUuid, uuidV7 } from '../../../packages/core/src/ids.js'
import type { RegisteredVideo, Signal } from '../../../packages/core/src/matching/signal.js'
import type { Caller } from '../../domain/organisations/access.js'
import { watchedUntilMs } from '../../domain/organisations/watch.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { Problem } from '../../domain/problem.js'
import type { WatchEntry, Watches, WatchPage } from '../../store/watch/watches.js'
import { laterTime, type StoreTime } from '../load/due-time.js'
import type { Audit } from '../records/audit.js'

export type WatchView = WatchEntry

export interface NewWatch {
  readonly reference: string | undefined
  readonly signals: readonly Signal[]
  /** Only of a video. */
  readonly video?: RegisteredVideo
}

export interface WatchService {
  /**
   * Adds watches, all or none. What is registered after it returns is compared with them.
   * @param days duration of the watches. @returns the new watches, in the order of `watches`. @throws {Problem} watches-full
   */
  add(caller: Caller, watches: readonly NewWatch[], days: number): Promise<WatchView[]>
  /** A page of watches that have not ended, sorted by expiry, soonest first. @param after cursor of the previous page. */
  list(caller: Caller, after: PageCursor | undefined, limit: number): Promise<WatchPage>
  /** Removes a watch. Its hashes are erased when this returns. @throws {Problem} watch-unknown */
  remove(caller: Caller, watchId: string): Promise<void>
}

export interface WatchServiceParts {
  readonly watches: Watches
  readonly audit: Pick<Audit, 'recordDaily'>
  readonly maxPerOrg: number
  readonly storeTime: StoreTime
  readonly now: () => number
}

export function createWatchService({ watches, audit, maxPerOrg, storeTime, now }: WatchServiceParts): WatchService {
  return {
    async add({ orgId, keyId }, given, days) {
      if (given.length === 0) return []
      const nowMs = now()
      const untilMs = watchedUntilMs(await laterTime(storeTime, nowMs), days)
      const made = given.map(({ reference, signals, video }) => ({
        id: uuidV7(nowMs, randomBytes(10)),
        image: {
          bank: orgId,
          tier: 'self-reported' as const,
          category: undefined,
          ref: reference,
          createdAtMs: nowMs,
          signals,
          ...(video && { video }),
        },
      }))
      if ((await watches.put(orgId, made, untilMs, maxPerOrg)) === undefined) throw new Problem('watches-full')
      audit.recordDaily('watch.changed', `key:${keyId}`, { orgId })
      return made.map(({ id, image }) => ({ watchId: id, reference: image.ref, untilMs }))
    },
    async list({ orgId }, after, limit) {
      return await watches.list(orgId, after, limit, now())
    },
    async remove({ orgId, keyId }, watchId) {
      const isThere = parseUuid(watchId) !== undefined && (await watches.erase(orgId, [watchId]))
      if (!isThere) throw new Problem('watch-unknown')
      audit.recordDaily('watch.changed', `key:${keyId}`, { orgId })
    },
  }
}
