// Retention of the audit log, the log of withdrawals and what is kept for each organisation: older entries are removed.

import { rm } from 'node:fs/promises'
import type { AuditLog } from '../../store/audit/audit.js'
import { oldLogsIn } from '../../store/upkeep/withdrawal-records.js'
import { forEachDue } from '../load/each-due.js'

/** The shortest retention that can be set: recent acts cannot be removed. */
export const MIN_AUDIT_DAYS = 90
/** The log has one file a month, so shorter retention is not possible. */
export const MIN_WITHDRAWALS_DAYS = 35

export interface RecordKeeping {
  /** Removes entries beyond their retention. Idempotent; sweeps of several processes may overlap. */
  sweep(): Promise<void>
  close(): Promise<void>
}

export interface RecordKeepingParts {
  readonly log: Pick<AuditLog, 'list' | 'trim'>
  /** [days] 0 for ever. */
  readonly auditDays: number
  /** The folder of this process's log; undefined where none is kept. */
  readonly withdrawalsFolder: string | undefined
  /** [days] 0 for ever. */
  readonly withdrawalsDays: number
  /** Whether this process may trim today. Trimming reads the whole log, so one process does it, once a day. */
  readonly isOursToday: () => Promise<boolean>
  /** What ends for an organisation after a fixed time. A key that other entries keep alive does not expire by itself. */
  readonly organisations: {
    ids(): Promise<readonly string[]>
    removeEnded(orgId: string, nowMs: number): Promise<unknown>
  }
  /** [epoch ms] The time on which two clocks agree, because removal is final. `undefined`: nothing may be removed. */
  readonly dueUntilMs: () => Promise<number | undefined>
  readonly onError: (error: unknown) => void
}

const SWEEP_INTERVAL_MS = 3_600_000
const DAY_MS = 86_400_000

export function createRecordKeeping(parts: RecordKeepingParts): RecordKeeping {
  const { log, auditDays, withdrawalsFolder, withdrawalsDays, organisations, isOursToday, dueUntilMs, onError } = parts
  let last: Promise<void> = Promise.resolve()
  const timer = setInterval(() => void sweep().catch(onError), SWEEP_INTERVAL_MS).unref()

  function sweep(): Promise<void> {
    const next = last.then(removeOld)
    last = next.catch(() => {})
    return next
  }

  async function removeOld(): Promise<void> {
    const nowMs = await dueUntilMs()
    if (nowMs === undefined) return
    await Promise.all([trimAudit(nowMs), removeLogs(nowMs), removeOfOrganisations(nowMs)])
  }

  async function trimAudit(nowMs: number): Promise<void> {
    if (auditDays === 0) return
    const beforeMs = nowMs - auditDays * DAY_MS
    const [oldest] = await log.list(0, 1)
    if (oldest === undefined || oldest.atMs >= beforeMs || !(await isOursToday())) return
    await log.trim(beforeMs, 'tabir', nowMs)
  }

  async function removeLogs(nowMs: number): Promise<void> {
    if (withdrawalsFolder === undefined || withdrawalsDays === 0) return
    await forEachDue({
      what: 'old files of withdrawals',
      take: await oldLogsIn(withdrawalsFolder, nowMs - withdrawalsDays * DAY_MS),
      handle: (path) => rm(path, { force: true }),
      onError,
    })
  }

  async function removeOfOrganisations(nowMs: number): Promise<void> {
    await forEachDue({
      what: 'organisations with ended entries',
      take: await organisations.ids(),
      handle: (orgId) => organisations.removeEnded(orgId, nowMs),
      onError,
    })
  }

  return {
    sweep,
    async close() {
      clearInterval(timer)
      await last
    },
  }
}
