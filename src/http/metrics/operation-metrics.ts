// Of the metrics, those that warn an operator before something fails.

import type { OperationReport } from '../../services/ops/operation.js'
import type { Gauges } from './gauges.js'

/** Of one that is served by this process. */
export interface CertificateFacts {
  readonly expiresAtMs: number
  /** Are there newer files that cannot be used? */
  readonly isRefused: boolean
}

type Certificates = ReadonlyMap<string, CertificateFacts>

/** @returns what sets them. */
export function operationMetrics(gauges: Gauges): (report: OperationReport, certificates: Certificates) => void {
  const free = gauges.by('folder', 'tabir_disk_free_bytes', 'Room on the disk of a folder.')
  const size = gauges.by('folder', 'tabir_disk_size_bytes', 'Size of the disk of a folder.')
  const used = gauges.one('tabir_redis_memory_used_bytes', 'Memory that Redis uses.')
  const limit = gauges.one('tabir_redis_memory_limit_bytes', 'Its maxmemory; absent without one.')
  const replicas = gauges.one('tabir_redis_replicas', 'Replicas of Redis that are connected and follow.')
  const required = gauges.one('tabir_redis_replicas_required', 'Replicas without which writes are refused.')
  const silent = gauges.one('tabir_redis_replica_lag_seconds', 'Since the most silent replica last said how far it is.')
  const behind = gauges.one('tabir_redis_replica_lag_bytes', 'What the slowest replica has not confirmed.')
  const backup = gauges.one(
    'tabir_backup_timestamp_seconds',
    'The moment that the last backup holds, of those made by tabir backup; 0 when none is known.',
  )
  const sound = gauges.one('tabir_audit_sound', '1 unless the audit log was found to be changed, cut short or set back.')
  const checked = gauges.one(
    'tabir_audit_checked_timestamp_seconds',
    'When the whole audit log was last read; 0 when it never was.',
  )
  const failing = gauges.one('tabir_webhooks_failing', 'Webhooks whose last message failed; 100 are counted at most.')
  const failingFor = gauges.one('tabir_webhook_failing_seconds', 'For how long the one fails that fails longest.')
  const pulled = gauges.by('exchange', 'tabir_exchange_behind_seconds', 'Since a feed was last read to its end.')
  const interval = gauges.by('exchange', 'tabir_exchange_interval_seconds', 'How often a feed is to be read.')
  const overdue = gauges.one('tabir_deadlines_overdue', 'Legal deadlines that platforms let pass, and that still run.')
  const overdueToday = gauges.one('tabir_deadlines_overdue_today', 'Those of them that passed in the last 24 hours.')
  const expires = gauges.by(
    'certificate',
    'tabir_certificate_expires_timestamp_seconds',
    'When the certificate that is served expires.',
  )
  const refused = gauges.by('certificate', 'tabir_certificate_rejected', '1 while newer files of it cannot be used.')

  return (report, certificates) => {
    free([...report.disks].map(([name, room]) => [name, room.freeBytes]))
    size([...report.disks].map(([name, room]) => [name, room.sizeBytes]))
    const { redis } = report
    used(redis?.usedBytes)
    limit(redis?.maxBytes)
    replicas(redis?.replicas.length)
    required(report.replicasRequired)
    silent(most(redis?.replicas.map(({ silentS }) => silentS)))
    behind(most(redis?.replicas.map(({ behindBytes }) => behindBytes)))
    backup(seconds(report.backupMs))
    sound(report.audit?.isSound)
    checked(seconds(report.audit?.checkedAtMs))
    failing(report.webhooks?.failing)
    failingFor(seconds(report.webhooks?.longestMs))
    pulled(report.exchanges?.map(({ name, behindMs }) => [name, behindMs / 1000]))
    interval(report.exchanges?.map(({ name, intervalS }) => [name, intervalS]))
    overdue(report.deadlines?.overdue)
    overdueToday(report.deadlines?.overdueToday)
    expires([...certificates].map(([name, { expiresAtMs }]) => [name, expiresAtMs / 1000]))
    refused([...certificates].map(([name, { isRefused }]) => [name, Number(isRefused)]))
  }
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}

function most(numbers: readonly number[] | undefined): number | undefined {
  return numbers === undefined || numbers.length === 0 ? undefined : Math.max(...numbers)
}
