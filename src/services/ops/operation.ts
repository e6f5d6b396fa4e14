// What an operator has to watch beside health: full disks, old backups, failing webhooks and feeds, missed deadlines.

import { lastAuditCheck } from '../../store/audit/audit-check.js'
import type { DeadlineStore } from '../../store/cases/deadlines.js'
import { type DiskRoom, diskRoom } from '../../store/embedded/disk-room.js'
import type { Store } from '../../store/redis/client.js'
import { type RedisLoad, redisLoad } from '../../store/redis/redis-load.js'
import { lastBackupMs } from '../../store/upkeep/backups.js'
import type { Deliveries } from '../../store/webhooks/deliveries.js'
import type { Webhooks } from '../../store/webhooks/webhooks.js'
import type { Exchanges } from '../interop/exchanges.js'
import type { Audit } from '../records/audit.js'

/** A field is `undefined` when it cannot be read now. */
export interface OperationReport {
  readonly disks: ReadonlyMap<string, DiskRoom>
  readonly redis: RedisLoad | undefined
  /** Writes are refused with fewer replicas than this. */
  readonly replicasRequired: number
  /** [epoch ms]; 0 when no backup is known. */
  readonly backupMs: number | undefined
  readonly audit: { readonly isSound: boolean; readonly checkedAtMs: number } | undefined
  /** `missed`: with events that could not wait and are not told yet. */
  readonly webhooks: { readonly failing: number; readonly longestMs: number; readonly missed: number } | undefined
  readonly exchanges: readonly { readonly name: string; readonly behindMs: number; readonly intervalS: number }[] | undefined
  /** Missed deadlines of platforms that are still open: all, and those missed in the last day. */
  readonly deadlines: { readonly overdue: number; readonly overdueToday: number } | undefined
}

export interface OperationParts {
  readonly store: Store
  /** Folders by purpose. */
  readonly folders: ReadonlyMap<string, string>
  readonly replicasRequired: number
  readonly audit: Pick<Audit, 'isSound'>
  readonly webhooks: Pick<Webhooks, 'get'>
  readonly deliveries: Pick<Deliveries, 'failing' | 'missing'>
  readonly exchanges: Pick<Exchanges, 'list'>
  readonly deadlines: Pick<DeadlineStore, 'countDue'>
  readonly now: () => number
}

const DAY_MS = 86_400_000

export function operationOf(parts: OperationParts): () => Promise<OperationReport> {
  const { store, folders, replicasRequired, audit, exchanges, deadlines, now } = parts
  const startedAtMs = now()
  const orUndefined = <T>(found: Promise<T>) => found.catch(() => undefined)
  return async () => {
    const [disks, redis, backupMs, check, webhooks, pulls, overdue, overdueToday] = await Promise.all([
      Promise.all([...folders].map(async ([name, folder]) => [name, await diskRoom(folder)] as const)),
      orUndefined(redisLoad(store)),
      orUndefined(lastBackupMs(store).then((atMs) => atMs ?? 0)),
      orUndefined(lastAuditCheck(store).then((last) => last ?? { isSound: true, atMs: 0 })),
      orUndefined(failingWebhooks(parts)),
      orUndefined(exchanges.list()),
      orUndefined(deadlines.countDue(0, now())),
      orUndefined(deadlines.countDue(now() - DAY_MS, now())),
    ])
    return {
      disks: new Map(disks.flatMap(([name, room]) => (room === undefined ? [] : [[name, room]]))),
      redis,
      replicasRequired,
      backupMs,
      audit: check && { isSound: check.isSound && audit.isSound(), checkedAtMs: check.atMs },
      webhooks,
      exchanges: pulls?.map(({ name, intervalS, progress }) => ({
        name,
        intervalS,
        behindMs: Math.max(0, now() - (progress?.caughtUpAtMs ?? progress?.startedAtMs ?? startedAtMs)),
      })),
      deadlines: overdue === undefined || overdueToday === undefined ? undefined : { overdue, overdueToday },
    }
  }
}

async function failingWebhooks({ webhooks, deliveries, now }: OperationParts) {
  const [failing, missing] = await Promise.all([deliveries.failing(), deliveries.missing()])
  const sinceMs = (await enabledAmong(webhooks, failing)).map(({ failingSinceMs }) => failingSinceMs)
  return {
    failing: sinceMs.length,
    longestMs: Math.max(0, ...sinceMs.map((atMs) => now() - atMs)),
    missed: (await enabledAmong(webhooks, missing)).length,
  }
}

/** Omits disabled webhooks, to which nothing is sent. */
async function enabledAmong<T extends { readonly webhookId: string }>(
  webhooks: OperationParts['webhooks'],
  found: readonly T[],
): Promise<T[]> {
  const enabled = await Promise.all(
    found.map(({ webhookId }) =>
      webhooks.get(webhookId).then(
        (webhook) => webhook?.isEnabled === true,
        () => true, // unreadable: count it
      ),
    ),
  )
  return found.filter((_, i) => enabled[i])
}
