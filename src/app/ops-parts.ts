// The operations parts: health, metrics, webhooks, and removal of expired records.

import { healthOf } from '../services/ops/health.js'
import { operationOf } from '../services/ops/operation.js'
import { createRegistryCounts } from '../services/ops/registry-counts.js'
import { createRecordKeeping } from '../services/records/record-keeping.js'
import { createWebhooks } from '../services/webhooks/webhooks.js'
import { createDeadlineStore } from '../store/cases/deadlines.js'
import { createResubmissionBlockStore } from '../store/organisations/resubmission-blocks.js'
import { parseRedisUrl } from '../store/redis/redis-url.js'
import { isToTrimToday } from '../store/upkeep/daily.js'
import { createDeliveryStore } from '../store/webhooks/deliveries.js'
import { createWebhookStore } from '../store/webhooks/webhooks.js'
import type { ExchangeParts } from './exchange-parts.js'
import type { HashingParts } from './hashing-parts.js'
import type { IndexParts } from './index-parts.js'
import type { StoreParts } from './store-parts.js'
import type { TrustParts } from './trust-parts.js'

export function createOpsParts(
  { options, lifecycle, store, keyring, apiKeys, auditLog, audit, dueTime }: StoreParts,
  { replica, withdrawals }: IndexParts,
  { contexts }: TrustParts,
  { pendingImages }: HashingParts,
  { services: { exchanges, reconcilers } }: ExchangeParts,
) {
  const { now, clock, onError } = options
  const webhooks = createWebhookStore(store, keyring)
  const deliveries = createDeliveryStore(store)
  const blocks = createResubmissionBlockStore(store)
  const records = createRecordKeeping({
    log: auditLog,
    organisations: {
      ids: async () => [...(await apiKeys.orgs()).keys()],
      removeEnded: (orgId, nowMs) => Promise.all([contexts.end(orgId, nowMs), blocks.end(orgId, nowMs)]),
    },
    isOursToday: () => isToTrimToday(store),
    dueUntilMs: () => dueTime(store),
    withdrawalsFolder: options.withdrawalsFolder,
    auditDays: options.auditKeepDays ?? 0,
    withdrawalsDays: options.withdrawalsKeepDays ?? 0,
    onError,
  })
  lifecycle.keep('records', records)
  return {
    sweepRecords: records.sweep,
    services: {
      webhooks: createWebhooks({ webhooks, deliveries, trusted: options.webhookOrigins, now }),
      registry: createRegistryCounts({ replica, now, clock }),
      health: healthOf({ replica, store, pendingImages, reconcilers, withdrawals, clock }),
      operation: operationOf({
        store,
        folders: options.folders ?? new Map(),
        replicasRequired: options.redis.url === undefined ? 0 : parseRedisUrl(options.redis.url).replicas,
        audit,
        webhooks,
        deliveries,
        exchanges,
        deadlines: createDeadlineStore(store),
        now,
      }),
    },
  }
}
