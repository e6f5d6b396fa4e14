// Verifies the audit log from its beginning, or from where it was trimmed, to its last entry.

import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { pageOfStream } from '../redis/paging.js'
import { auditState } from '../scripts/audit.js'
import { actNumberOf, fieldsOf } from './audit-entries.js'
import { AuditError, type AuditFault, type AuditHead, type AuditMarks, FIRST } from './audit-marks.js'

export type AuditVerdict =
  | { readonly isSound: true; readonly head: AuditHead | undefined }
  /** `number`: the entry at which the fault was found. */
  | { readonly isSound: false; readonly number: number; readonly why: AuditFault }

const AT_ONCE = 256

/** @param noted an entry that was written down elsewhere and must be in the log. @throws {Problem} store-unavailable */
export async function verifyAudit(store: Store, marks: AuditMarks, noted: AuditHead | undefined): Promise<AuditVerdict> {
  const mark = await soundMark(marks, 'head')
  const cut = await soundMark(marks, 'cut')
  if (cut === undefined) return unsound(1, 'cut-changed')
  let before = cut.head ?? FIRST
  if (noted !== undefined && noted.number < before.number) return unsound(noted.number, 'head-trimmed')
  let act = cut.head === undefined ? 0 : undefined
  let hasNoted = noted === undefined || (noted.number === before.number && noted.mac.equals(before.mac))
  for (;;) {
    const entries = await pageOfStream(store, keys.audit, `${before.number}-0`, AT_ONCE)
    for (const entry of entries) {
      const { number, text, mac } = fieldsOf(entry)
      if (number !== before.number + 1) return unsound(before.number + 1, 'missing')
      if (!mac.equals(marks.macOf(before, text))) return unsound(number, 'changed')
      const next = actNumberOf(text)
      if (next === undefined || next !== (act ?? next - 1) + 1) return unsound(number, 'act-missing')
      act = next
      before = { number, mac }
      hasNoted ||= noted?.number === number && noted.mac.equals(mac)
      // The marked entry is the last one of this verification. Another process may have added more meanwhile.
      if (number === mark?.head?.number) return await verdictAt(mark.head)
    }
    if (entries.length < AT_ONCE) break
  }
  if (mark === undefined || (mark.head === undefined && before.number > 0)) return unsound(before.number, 'head-changed')
  return await verdictAt(mark.head)

  async function verdictAt(head: AuditHead | undefined): Promise<AuditVerdict> {
    if ((head?.number ?? 0) > before.number) return unsound(before.number + 1, 'cut-short')
    if (head !== undefined && !head.mac.equals(before.mac)) return unsound(head.number, 'head-changed')
    if (!(await actsIn(store)).isWhole) return unsound(before.number + 1, 'act-missing')
    return hasNoted ? { isSound: true, head } : unsound(noted?.number ?? 0, 'head-noted')
  }
}

/** `noted`: how many acts were ever recorded. `isWhole`: true when each is in the log or still unchained. */
export async function actsIn(store: Store): Promise<{ readonly noted: number; readonly isWhole: boolean }> {
  const reply = await store.ask((redis) =>
    redis.callBuffer('EVAL', auditState.lua, auditState.numberOfKeys, keys.auditDue, keys.audit, keys.auditCut),
  )
  const [count, last, first, end, waiting] = Array.isArray(reply) ? reply : []
  const noted = Number(String(count))
  const [from = 1, to = 0] = [first, end].map(actNumberOf)
  const isTrimmed = String(last) === 'trimmed'
  const chained = isTrimmed ? (waiting === 0 ? noted : from - 1) : (actNumberOf(last) ?? 0)
  const areAllWaiting = from === chained + 1 && to === chained + Number(waiting) && noted === to
  return { noted, isWhole: waiting === 0 ? noted === chained : areAllWaiting }
}

/** @returns `undefined` for a mark whose MAC is wrong. */
async function soundMark(marks: AuditMarks, kind: 'head' | 'cut') {
  return await marks.read(kind).catch((error: unknown) => {
    if (error instanceof AuditError) return undefined
    throw error
  })
}

function unsound(number: number, why: AuditFault): AuditVerdict {
  return { isSound: false, number, why }
}
