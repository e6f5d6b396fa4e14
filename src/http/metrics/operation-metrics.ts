// Of the metrics, those that warn an operator before something fails.

import type { OperationReport } from '../../services/ops/operation.js'
import type { Gauges } from './gauges.js'

/** A TLS certificate that this process serves. */
export interface CertificateFacts {
  readonly expiresAtMs: number
  /** Whether there are newer files that cannot be used. */
  readonly isRefused: boolean
}

type Certificates = ReadonlyMap<string, CertificateFacts>

/** @returns a function that sets the gauges. */
export function operationMetrics(gauges: Gauges): (report: OperationReport, certificates: Certificates) => void {
  const free = gauges.by('folder', 'tabir_disk_free_bytes', 'Free space on the disk of a folder.')
  const size = gauges.by('folder', 'tabir_disk_size_bytes', 'Size of the disk of a folder.')
  const used = gauges.one('tabir_redis_memory_used_bytes', 'Memory that Redis uses.')
  const limit = gauges.one('tabir_redis_memory_limit_bytes', 'maxmemory of Redis; absent if it is not set.')
  const replicas = gauges.one('tabir_redis_replicas', 'Connected replicas of Redis that replicate.')
  const required = gauges.one('tabir_redis_replicas_required', 'Number of replicas below which Redis refuses writes.')
  const silent = gauges.one(
    'tabir_redis_replica_lag_seconds',
    'Time since the last acknowledgement of the replica that was silent longest.',
  )
  const behind = gauges.one('tabir_redis_replica_lag_bytes', 'Bytes that the slowest replica has not acknowledged.')
  const backup = gauges.one(
    'tabir_backup_timestamp_seconds',
    'Point in time of the last backup made by tabir backup; 0 when none is known.',
  )
  const sound = gauges.one(
    'tabir_audit_sound',
    '0 after a check found that the audit log was changed, cut short or rolled back; otherwise 1.',
  )
  const checked = gauges.one(
    'tabir_audit_checked_timestamp_seconds',
    'Time of the last check of the whole audit log; 0 if it was never checked.',
  )
  const failing = gauges.one('tabir_webhooks_failing', 'Webhooks whose last delivery failed, at most 100.')
  const failingFor = gauges.one(
    'tabir_webhook_failing_seconds',
    'How long the webhook that has failed longest has been failing.',
  )
  const missed = gauges.one('tabir_webhooks_missed_events', 'Webhooks with events that could not wait, at most 100.')
  const pulled = gauges.by('exchange', 'tabir_exchange_behind_seconds', 'Time since the feed was last read to its end.')
  const interval = gauges.by('exchange', 'tabir_exchange_interval_seconds', 'Configured interval between pulls of the feed.')
  const overdue = gauges.one('tabir_deadlines_overdue', 'Legal deadlines that passed without an action by the platform.')
  const overdueToday = gauges.one(
    'tabir_deadlines_overdue_today',
    'Overdue legal deadlines that passed in the last 24 hours.',
  )
  const expires = gauges.by(
    'certificate',
    'tabir_certificate_expires_timestamp_seconds',
    'Expiry of the certificate in use.',
  )
  const refused = gauges.by(
    'certificate',
    'tabir_certificate_rejected',
    '1 while newer certificate files exist that cannot be used.',
  )

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
    missed(report.webhooks?.missed)
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
