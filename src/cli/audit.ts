// tabir audit verify | list | trim

import { parseArgs } from 'node:util'
import { messageOf } from '../domain/message-of.js'
import { MIN_AUDIT_DAYS } from '../services/records/record-keeping.js'
import { type AuditLog, createAuditLog } from '../store/audit/audit.js'
import { noteAuditCheck } from '../store/audit/audit-check.js'
import { AUDIT_FAULTS, headText, parseHead } from '../store/audit/audit-marks.js'
import type { Store } from '../store/redis/client.js'
import { failed, printJson } from './output.js'
import { withSealedStore } from './sealed-store.js'

const USAGE = `tabir audit verify [--head HEAD]
  tabir audit list [--after NUMBER] [--limit LINES]
  tabir audit trim --older-than DAYS`
const DAY_MS = 86_400_000
const MAX_LISTED = 100_000
const AT_ONCE = 1000

/** @returns the exit status: 0; 1 for a log that is not sound or cannot be read; 2 for wrong arguments */
export async function audit(args: readonly string[]): Promise<number> {
  const work = workFor(args)
  if (work === undefined) return failed(USAGE, 2)
  try {
    return await withSealedStore(async ({ store, secrets }) => {
      const log = createAuditLog(store, secrets.audit)
      // Commands that ran without an api left entries that are not chained yet. An unsound log takes none; verify then says why.
      await log.chain().catch(() => {})
      return work(log, store)
    })
  } catch (error) {
    return failed(messageOf(error), 1)
  }
}

function workFor([verb, ...rest]: readonly string[]): ((log: AuditLog, store: Store) => Promise<number>) | undefined {
  try {
    if (verb === 'verify') {
      const { values } = parseArgs({ args: rest, options: { head: { type: 'string' } } })
      const head = values.head === undefined ? undefined : parseHead(values.head)
      return values.head !== undefined && head === undefined ? undefined : (log, store) => verify(log, store, head)
    }
    if (verb === 'trim') {
      const { values } = parseArgs({ args: rest, options: { 'older-than': { type: 'string' } } })
      const days = wholeNumber(values['older-than'] ?? '')
      return days === undefined || days < MIN_AUDIT_DAYS ? undefined : (log) => trim(log, days)
    }
    if (verb !== 'list') return undefined
    const { values } = parseArgs({ args: rest, options: { after: { type: 'string' }, limit: { type: 'string' } } })
    const after = wholeNumber(values.after ?? '0')
    const limit = wholeNumber(values.limit ?? String(MAX_LISTED))
    return after === undefined || limit === undefined ? undefined : (log) => list(log, after, limit)
  } catch {
    return undefined
  }
}

async function verify(log: AuditLog, store: Store, noted: ReturnType<typeof parseHead>): Promise<number> {
  const verdict = await log.verify(noted)
  // A head that was copied wrongly must not be recorded as a log that was replaced.
  if (verdict.isSound || noted === undefined) await noteAuditCheck(store, { isSound: verdict.isSound, atMs: Date.now() })
  if (!verdict.isSound) return failed(`Not sound, at entry ${verdict.number}: ${AUDIT_FAULTS[verdict.why]}.`, 1)
  const { head } = verdict
  printJson({ sound: true, entries: head?.number ?? 0, head: head === undefined ? null : headText(head) })
  return 0
}

async function trim(log: AuditLog, days: number): Promise<number> {
  const nowMs = Date.now()
  const removed = await log.trim(nowMs - days * DAY_MS, 'operator', nowMs)
  await log.chain() // includes the entry about this trim
  printJson({ removed })
  return 0
}

async function list(log: AuditLog, after: number, limit: number): Promise<number> {
  let last = after
  for (let left = limit; left > 0; ) {
    const acts = await log.list(last, Math.min(left, AT_ONCE))
    for (const { number, atMs, act, by, about } of acts)
      printJson({ number, at: new Date(atMs).toISOString(), act, by, about })
    if (acts.length === 0) break
    last = acts.at(-1)?.number ?? last
    left -= acts.length
  }
  return 0
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
