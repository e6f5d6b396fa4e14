// The audit log, through which services record acts. Entries are chained, so that a later change shows.

import type { AuditAbout, AuditAct, AuditActor } from '../../domain/organisations/audit.js'
import { type AuditLog, noteInAudit } from '../../store/audit/audit.js'
import type { ChainedAct } from '../../store/audit/audit-entries.js'
import { AuditError, type AuditHead } from '../../store/audit/audit-marks.js'
import type { Store } from '../../store/redis/client.js'

export interface Audit {
  /** On disk when it returns, and in the chain soon after. Use `writeAudited` for acts that a script of its own writes. */
  record<A extends AuditAct>(act: A, by: AuditActor, about: AuditAbout<A>): Promise<void>
  /**
   * For frequent acts: recorded once a day for the same actor and subject, across processes. Does not wait. A crash may lose the acts of the last
   * moment.
   * @param about without `day`, which is added.
   */
  recordDaily<A extends DailyAct>(act: A, by: AuditActor, about: Omit<AuditAbout<A>, 'day'>): void
  /** Newest first. @param before only acts with a smaller number; `undefined` for the newest. @param limit at most 1,000. */
  latest(before: number | undefined, limit: number): Promise<ChainedAct[]>
  /** False once this process found that the log was changed or restored from a backup. Then nothing more is added to the chain. */
  isSound(): boolean
  /** Adds everything recorded so far to the chain, if the store is reachable. */
  close(): Promise<void>
}

type DailyAct = { [A in AuditAct]: 'day' extends keyof AuditAbout<A> ? A : never }[AuditAct]

export interface AuditParts {
  readonly store: Store
  readonly log: AuditLog
  readonly now: () => number
  readonly onError: (error: unknown) => void
  /** Called with each new end of the chain. If it is kept elsewhere, it shows whether the log was restored from a backup. */
  readonly onHead: (head: AuditHead) => void
}

const CHAIN_INTERVAL_MS = 1000
const DAY_MS = 86_400_000
const ONCE_A_DAY_S = (2 * DAY_MS) / 1000

export function createAudit({ store, log, now, onError, onHead }: AuditParts): Audit {
  let told = 0
  let hasComplained = false
  let lastWork: Promise<void> = Promise.resolve()
  // Invariant: has exactly what was recorded on #today, or is being so.
  let today = 0
  let doneToday = new Set<string>()

  const chain = async () => {
    try {
      const head = await log.chain()
      hasComplained = false
      if (head === undefined || head.number === told) return
      told = head.number
      onHead(head)
    } catch (error) {
      // A log that was tampered with stays so: report it once, not every second.
      if (!hasComplained || !(error instanceof AuditError)) onError(error)
      hasComplained = error instanceof AuditError
    }
  }
  const timer = setInterval(() => {
    lastWork = lastWork.then(chain)
  }, CHAIN_INTERVAL_MS).unref()

  return {
    record: (act, by, about) => noteInAudit(store, { act, by, about, atMs: now() }),
    recordDaily(act, by, about) {
      const atMs = now()
      const day = Math.floor(atMs / DAY_MS)
      if (day !== today) {
        today = day
        doneToday = new Set()
      }
      const name = `${act} ${by} ${Object.values(about).join(' ')}`
      const done = doneToday
      if (done.has(name)) return
      done.add(name)
      const whole = { ...about, day: new Date(day * DAY_MS).toISOString().slice(0, 10) }
      lastWork = Promise.all([lastWork, noteInAudit(store, { act, by, about: whole, atMs }, ONCE_A_DAY_S)]).then(
        () => {},
        (error: unknown) => {
          done.delete(name) // the next one tries again
          onError(error)
        },
      )
    },
    isSound: () => !hasComplained,
    latest: (before, limit) => log.latest(before, limit),
    async close() {
      clearInterval(timer)
      await lastWork
      await chain()
    },
  }
}
