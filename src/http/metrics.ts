// What Prometheus may know: counts and times by route pattern, sizes of the index. No label that a caller can choose.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { CONFINES } from '../domain/confines.js'
import { Problem } from '../domain/problem.js'
import { AWAY_CAUSES } from '../domain/store-away.js'
import { SHORTAGES, type Shortage } from '../services/admission.js'
import type { Health } from '../services/health.js'
import type { RequestFacts } from './plugins/request-log.js'

export interface Metrics {
  observe(facts: RequestFacts): void
  shed(shortage: Shortage): void
  /** In Prometheus's text format. */
  text(): Promise<string>
}

const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]

export function makeMetrics(health: Health): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const duration = new Histogram({
    name: 'tabir_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS_S,
    registers: [registry],
  })
  const minors = new Counter({
    name: 'tabir_minors_turned_away_total',
    help: 'Requests that declared a person under 18. Nothing else is kept of them.',
    registers: [registry],
  })
  const shed = new Counter({
    name: 'tabir_shed_total',
    help: 'Requests of programs that were told to come again: the event loop had no turn for them, or no worker was free for pictures.',
    labelNames: ['shortage'],
    registers: [registry],
  })
  for (const shortage of SHORTAGES) shed.inc({ shortage }, 0)
  const ready = new Gauge({ name: 'tabir_ready', help: '1 when matches can be answered.', registers: [registry] })
  const revision = new Gauge({
    name: 'tabir_index_revision',
    help: 'Last change that the index has.',
    registers: [registry],
  })
  const images = new Gauge({ name: 'tabir_index_images', help: 'Registered images.', registers: [registry] })
  const heardAgo = new Gauge({
    name: 'tabir_index_heard_seconds',
    help: 'Time since the store was last known to hold nothing newer than the index.',
    registers: [registry],
  })
  const perType = (name: string, help: string) => new Gauge({ name, help, labelNames: ['type'], registers: [registry] })
  const rows = perType('tabir_index_rows', 'Rows that a search can find.')
  const heldRows = perType('tabir_index_held_rows', 'Rows in memory, those of removed images among them.')
  const parts = perType('tabir_index_parts', 'Parts that a search goes through.')
  const bytes = perType('tabir_index_bytes', 'Memory reserved for the rows and their tables.')
  const bytesPerRow = perType('tabir_index_bytes_per_row', 'The same for each row.')
  const probes = perType('tabir_index_plan_probes', "Keys that a needle is looked for under, at the type's threshold.")
  const candidates = perType(
    'tabir_index_plan_candidates',
    "Rows that a needle is expected to meet, at the type's threshold.",
  )
  const durable = new Gauge({
    name: 'tabir_store_durable',
    help: '1 when the store says that what is answered is on disk.',
    registers: [registry],
  })
  const storeAway = new Counter({
    name: 'tabir_store_away_total',
    help: 'Commands that Redis could not be used for, by why.',
    labelNames: ['cause'],
    registers: [registry],
  })
  const notNoted = new Gauge({
    name: 'tabir_withdrawals_not_noted',
    help: '1 while a withdrawal cannot be noted on disk: a restore would bring it back.',
    registers: [registry],
  })
  const pictures = new Gauge({
    name: 'tabir_pictures_waiting',
    help: 'Pictures at this process that wait for a worker or are being hashed.',
    registers: [registry],
  })
  const pictureAge = new Gauge({
    name: 'tabir_picture_oldest_seconds',
    help: 'How long the one that has waited longest has waited.',
    registers: [registry],
  })
  const workers = new Gauge({
    name: 'tabir_workers',
    help: 'Worker processes of the whole deployment: alive, or silent for 15 s to 10 min. Absent while the store is away.',
    labelNames: ['state'],
    registers: [registry],
  })

  const lacking = new Gauge({
    name: 'tabir_workers_lacking',
    help: 'Living worker processes whose decoding children lack a layer of their cage. Absent while the store is away.',
    labelNames: ['layer'],
    registers: [registry],
  })

  const messengers = new Gauge({
    name: 'tabir_messengers',
    help: 'Messenger processes of the whole deployment: alive, or silent for 15 s to 10 min. Absent while the store is away.',
    labelNames: ['state'],
    registers: [registry],
  })
  const outboxAge = new Gauge({
    name: 'tabir_webhook_outbox_oldest_seconds',
    help: 'How long the oldest event waits to be made into messages; 0 when none does.',
    registers: [registry],
  })
  const eventsWaiting = new Gauge({
    name: 'tabir_webhook_events_waiting',
    help: 'Events that cannot be made into messages yet, because a messenger lacks a seal key or a record does not open.',
    registers: [registry],
  })
  const reconcilers = new Gauge({
    name: 'tabir_reconciler_behind_seconds',
    help: 'Since everything that was withdrawn by then was taken out of the HMAs that pull from here; 0 without any.',
    registers: [registry],
  })

  return {
    observe({ method, route, status, ms, code }) {
      duration.observe({ method, route, status }, ms / 1000)
      if (code === 'minor-declared') minors.inc()
    },
    shed: (shortage) => shed.inc({ shortage }),
    async text() {
      const report = health.report()
      ready.set(report instanceof Problem ? 0 : 1)
      if (!(report instanceof Problem)) {
        revision.set(report.revision)
        images.set(report.images)
        durable.set(report.durability === 'fsync' ? 1 : 0)
        const index = health.index()
        heardAgo.set(index.heardAgoMs / 1000)
        for (const { type, parts: all, ...status } of index.indexes) {
          rows.set({ type }, status.liveRows)
          heldRows.set({ type }, status.rows)
          parts.set({ type }, all.length)
          bytes.set({ type }, status.bytes)
          bytesPerRow.set({ type }, status.rows === 0 ? 0 : status.bytes / status.rows)
          probes.set({ type }, sum(all.map((part) => part.probes)))
          candidates.set({ type }, sum(all.map((part) => part.candidates)))
        }
      }
      storeAway.reset()
      for (const cause of AWAY_CAUSES) storeAway.inc({ cause }, health.storeAway().get(cause) ?? 0)
      notNoted.set(health.withdrawals() === 'behind' ? 1 : 0)
      const { waiting, oldestMs } = health.pictures()
      pictures.set(waiting)
      pictureAge.set(oldestMs / 1000)
      workers.reset()
      const count = await health.workers().catch(() => undefined)
      if (count !== undefined) for (const state of ['alive', 'silent'] as const) workers.set({ state }, count[state])
      messengers.reset()
      const sending = await health.messengers().catch(() => undefined)
      if (sending !== undefined) {
        for (const state of ['alive', 'silent'] as const) messengers.set({ state }, sending[state])
        outboxAge.set(sending.outboxMs / 1000)
        eventsWaiting.set(sending.waiting)
      }
      const behindMs = await health.reconcilersBehindMs(Date.now()).catch(() => undefined)
      if (behindMs !== undefined) reconcilers.set(behindMs / 1000)
      lacking.reset()
      const layers = await health.lacking().catch(() => undefined)
      if (layers !== undefined) for (const layer of CONFINES) lacking.set({ layer }, layers[layer])
      return registry.metrics()
    },
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
