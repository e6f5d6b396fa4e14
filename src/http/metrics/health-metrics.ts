// Of the metrics, those that say whether the service answers, and what it holds.

import { ISOLATION_LAYERS } from '../../domain/isolation-layers.js'
import { Problem } from '../../domain/problem.js'
import type { Health, IndexReport } from '../../services/ops/health.js'
import type { Gauges } from './gauges.js'

/** Values read from the store; `undefined` while it is unavailable. */
export interface StoreFacts {
  readonly workers: Awaited<ReturnType<Health['workers']>> | undefined
  readonly messengers: Awaited<ReturnType<Health['messengers']>> | undefined
  readonly behindMs: number | undefined
  readonly lacking: Awaited<ReturnType<Health['lacking']>> | undefined
}

/** @returns a function that sets the gauges. While the index is not ready, its gauges are absent. */
export function healthMetrics(gauges: Gauges): (health: Health, facts: StoreFacts) => void {
  const ready = gauges.one('tabir_ready', '1 when this process can answer matches.')
  const durable = gauges.one('tabir_store_durable', '1 when Redis confirms that acknowledged writes are on disk.')
  const setIndex = indexMetrics(gauges)
  const notNoted = gauges.one(
    'tabir_withdrawals_not_noted',
    '1 while a withdrawal is missing from the withdrawal log on disk: restoring a backup would undo it.',
  )
  const pictures = gauges.one(
    'tabir_pictures_waiting',
    'Pictures in this process that wait for a worker or are being hashed.',
  )
  const pictureAge = gauges.one('tabir_picture_oldest_seconds', 'Age of the picture that has waited longest.')
  const workers = gauges.by(
    'state',
    'tabir_workers',
    'Worker processes of the whole deployment: alive, or silent for 15 s to 10 min. Absent while the store is unavailable.',
  )
  const lacking = gauges.by(
    'layer',
    'tabir_workers_missing_isolation',
    'Worker processes that are alive and whose decoding children lack a layer of the sandbox. Absent while the store is unavailable.',
  )
  const messengers = gauges.by(
    'state',
    'tabir_messengers',
    'Messenger processes of the whole deployment: alive, or silent for 15 s to 10 min. Absent while the store is unavailable.',
  )
  const outboxAge = gauges.one(
    'tabir_webhook_outbox_oldest_seconds',
    'Age of the oldest event that no messenger has turned into deliveries; 0 without any.',
  )
  const eventsWaiting = gauges.one(
    'tabir_webhook_events_waiting',
    'Events that cannot be turned into deliveries, because a messenger lacks a seal key or a record cannot be decrypted.',
  )
  const reconcilers = gauges.one(
    'tabir_reconciler_behind_seconds',
    'Age of the last complete reconciliation of the HMA that is furthest behind; 0 without HMAs.',
  )

  return (health, facts) => {
    const report = health.report()
    const isReady = !(report instanceof Problem)
    ready(isReady)
    durable(isReady ? report.durability === 'fsync' : undefined)
    setIndex(isReady ? health.index() : undefined)
    notNoted(health.withdrawals() === 'behind')
    const { waiting, oldestMs } = health.pictures()
    pictures(waiting)
    pictureAge(oldestMs / 1000)
    workers(facts.workers && byState(facts.workers))
    lacking(facts.lacking && ISOLATION_LAYERS.map((layer) => [layer, facts.lacking?.[layer] ?? 0]))
    messengers(facts.messengers && byState(facts.messengers))
    outboxAge(facts.messengers && facts.messengers.outboxMs / 1000)
    eventsWaiting(facts.messengers?.waiting)
    reconcilers(facts.behindMs === undefined ? undefined : facts.behindMs / 1000)
  }
}

function indexMetrics(gauges: Gauges): (index: IndexReport | undefined) => void {
  const revision = gauges.one('tabir_index_revision', 'Revision of the last change applied to the index.')
  const images = gauges.one('tabir_index_images', 'Registered images.')
  const staleness = gauges.one(
    'tabir_index_staleness_seconds',
    'Time since the index was last known to hold every change in the store.',
  )
  const perType = (name: string, help: string, value: (of: IndexReport['indexes'][number]) => number) => {
    const set = gauges.by('type', name, help)
    return (index: IndexReport | undefined) => set(index?.indexes.map((each) => [each.type, value(each)]))
  }
  const all = [
    perType('tabir_index_rows', 'Rows that a search can find.', ({ liveRows }) => liveRows),
    perType('tabir_index_held_rows', 'Rows in memory, those of removed images among them.', ({ rows }) => rows),
    perType('tabir_index_parts', 'Parts that a search goes through.', ({ parts }) => parts.length),
    perType('tabir_index_bytes', 'Memory reserved for the rows and their tables.', ({ bytes }) => bytes),
    perType('tabir_index_bytes_per_row', 'The same for each row.', ({ bytes, rows }) => (rows === 0 ? 0 : bytes / rows)),
    perType('tabir_index_plan_probes', "Keys that a needle is looked for under, at the type's threshold.", ({ parts }) =>
      sum(parts.map((part) => part.probes)),
    ),
    perType('tabir_index_plan_candidates', "Rows that a needle is expected to meet, at the type's threshold.", ({ parts }) =>
      sum(parts.map((part) => part.candidates)),
    ),
  ]
  return (index) => {
    revision(index?.revision)
    images(index?.images)
    staleness(index && index.stalenessMs / 1000)
    for (const set of all) set(index)
  }
}

function byState({ alive, silent }: { readonly alive: number; readonly silent: number }): [string, number][] {
  return [
    ['alive', alive],
    ['silent', silent],
  ]
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
