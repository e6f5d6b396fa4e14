// The parts for those who run Tabir: health, figures, webhooks, and records that are removed when their time is over.

import { healthOf } from '../services/ops/health.js'
import { operationOf } from '../services/ops/operation.js'
import { registryCounts } from '../services/ops/registry-counts.js'
import { recordKeepingOver } from '../services/records/record-keeping.js'
import { webhooksFrom } from '../services/webhooks/webhooks.js'
import { clocksIn } from '../store/cases/clocks.js'
import { parseRedisUrl } from '../store/redis/redis-url.js'
import { isToTrimToday } from '../store/upkeep/daily.js'
import { deliveriesIn } from '../store/webhooks/deliveries.js'
import { webhooksIn } from '../store/webhooks/webhooks.js'
import type { ExchangeParts } from './exchange-parts.js'
import type { HashingParts } from './hashing-parts.js'
import type { IndexParts } from './index-parts.js'
import type { StoreParts } from './store-parts.js'

export function createOpsParts(
  { options, lifecycle, store, keyring, auditLog, audit, dueTime }: StoreParts,
  { replica, withdrawals }: IndexParts,
  { desk }: HashingParts,
  { services: { exchanges, reconcilers } }: ExchangeParts,
) {
  const { now, clock, onTrouble } = options
  const webhooks = webhooksIn(store, keyring)
  const deliveries = deliveriesIn(store)
  const records = recordKeepingOver({
    log: auditLog,
    isOursToday: () => isToTrimToday(store),
    dueUntilMs: () => dueTime(store),
    withdrawalsFolder: options.withdrawalsFolder,
    auditDays: options.auditKeepDays ?? 0,
    withdrawalsDays: options.withdrawalsKeepDays ?? 0,
    onTrouble,
  })
  lifecycle.keep('records', records)
  return {
    sweepRecords: records.sweep,
    services: {
      webhooks: webhooksFrom({ webhooks, deliveries, trusted: options.webhookOrigins, now }),
      registry: registryCounts({ replica, now, clock }),
      health: healthOf({ replica, store, desk, reconcilers, withdrawals }),
      operation: operationOf({
        store,
        folders: options.folders ?? new Map(),
        replicasRequired: options.redis.url === undefined ? 0 : parseRedisUrl(options.redis.url).replicas,
        audit,
        webhooks,
        deliveries,
        exchanges,
        clocks: clocksIn(store),
        now,
      }),
    },
  }
}
