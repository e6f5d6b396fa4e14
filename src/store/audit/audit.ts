// The audit log: append-only, each entry bound to the previous one by a MAC. Decision 0035 names the attackers.

import { createHash } from 'node:crypto'
import {
  type AuditAct,
  type AuditActor,
  type AuditEntry,
  auditText,
  type UncheckedEntry,
} from '../../domain/organisations/audit.js'
import type { Store } from '../redis/client.js'
import type { Arg } from '../redis/durable-writer.js'
import { keys } from '../redis/keys.js'
import { lastPageOfStream, pageOfStream } from '../redis/paging.js'
import { audited, chainAudit, noteAudit, trimAudit } from '../scripts/audit.js'
import type { Script } from '../scripts/script.js'
import { actsByStore, createActs } from './audit-acts.js'
import { actOf, type ChainedAct, fieldsOf, shownOf } from './audit-entries.js'
import { AUDIT_FAULTS, AuditError, type AuditHead, type AuditMarks, createAuditMarks, FIRST } from './audit-marks.js'
import { type AuditVerdict, actsIn, verifyAudit } from './audit-verify.js'

export interface AuditLog {
  /**
   * Chains the recorded acts in order. @returns the last entry of the log.
   * @throws {AuditError} when the log has lost an entry or act that this process knows, or the mark does not verify: then nothing is chained. Also
   *   when other unchained acts were removed: then the remaining acts have been chained.
   */
  chain(): Promise<AuditHead | undefined>
  /** Entries after a number, oldest first, at most `limit`. */
  list(afterNumber: number, limit: number): Promise<ChainedAct[]>
  /** Entries before a number, or the last ones, newest first, at most `limit`. */
  latest(beforeNumber: number | undefined, limit: number): Promise<ChainedAct[]>
  /**
   * Removes entries older than `beforeMs` and marks where, so that the rest still verifies. Recorded in the log in the same step.
   * @returns how many entries were removed. @throws {AuditError} when the log does not verify: then all of it may be needed as evidence.
   */
  trim(beforeMs: number, by: AuditActor, nowMs: number): Promise<number>
  /** Verifies the whole log. @param noted an entry that was written down elsewhere and must be in it. Cost: about 10 µs an entry. */
  verify(noted?: AuditHead): Promise<AuditVerdict>
}

/** Runs a script and records an audit entry in the same step: see `audited`. @returns the script's own reply. */
export async function writeAudited<A extends AuditAct>(
  store: Store,
  entry: AuditEntry<A>,
  script: Script,
  scriptKeys: readonly string[],
  args: readonly Arg[],
  auditedIf?: string,
): Promise<unknown> {
  const reply = await store.write(audited(script, auditedIf), [...scriptKeys, keys.auditDue], [...args, auditText(entry)])
  const [act, own = null]: unknown[] = Array.isArray(reply) ? reply : []
  actsByStore.get(store)?.noted(Number(act))
  return own
}

/** Records an act that happened elsewhere. Durable when it returns. @param onceInS [seconds] skip an equal entry within this time; 0: never. */
export async function noteInAudit(store: Store, entry: UncheckedEntry, onceInS = 0): Promise<void> {
  const { act, by, about } = entry
  const once = createHash('sha256')
    .update(JSON.stringify([act, by, about]))
    .digest('base64url')
  const number = await store.write(noteAudit, [keys.auditDue, keys.auditOnce(once)], [auditText(entry), onceInS])
  if (number !== null) actsByStore.get(store)?.noted(Number(number))
}

const AT_ONCE = 256

/** @param secret key of the MACs, used for nothing else. Without it nobody can add or replace an entry. */
export function createAuditLog(store: Store, secret: Buffer): AuditLog {
  const marks = createAuditMarks(store, secret)
  const verify: AuditLog['verify'] = (noted) => verifyAudit(store, marks, noted)
  return {
    chain: chainIn(store, marks),
    async list(afterNumber, limit) {
      return (await pageOfStream(store, keys.audit, `${afterNumber}-0`, limit)).map(shownOf)
    },
    async latest(beforeNumber, limit) {
      const beforeId = beforeNumber === undefined ? undefined : `${beforeNumber}-0`
      return (await lastPageOfStream(store, keys.audit, beforeId, limit)).map(shownOf)
    },
    async trim(beforeMs, by, nowMs) {
      const verdict = await verify()
      if (!verdict.isSound) throw new AuditError(AUDIT_FAULTS[verdict.why])
      const { mark, head: before = FIRST } = await marks.read('cut')
      const cut = await lastBefore(store, beforeMs, before)
      if (cut.number === before.number) return 0
      const entry = { act: 'audit.trimmed', by, about: { upTo: String(cut.number) }, atMs: nowMs } as const
      const args = [mark, marks.markOf('cut', cut), cut.number + 1]
      return Number((await writeAudited(store, entry, trimAudit, [keys.audit, keys.auditCut], args)) ?? 0)
    },
    verify,
  }
}

/** Makes `chain`. It remembers the last entry that this process saw and the numbers of its own acts: neither may go back. */
function chainIn(store: Store, marks: AuditMarks): AuditLog['chain'] {
  let seen = FIRST
  const acts = createActs()
  actsByStore.set(store, acts)
  return async () => {
    const atLeast = acts.highest // now: the reply to an act may precede the reply to this question, which is on another connection
    if (!acts.isAsNoted((await actsIn(store)).noted, atLeast)) throw new AuditError(AUDIT_FAULTS['set-back'])
    let hasGap = false
    for (;;) {
      const { mark, head } = await marks.read('head')
      if ((head?.number ?? 0) < seen.number) throw new AuditError(AUDIT_FAULTS['set-back'])
      if (head?.number === seen.number && !head.mac.equals(seen.mac)) throw new AuditError(AUDIT_FAULTS['head-noted'])
      seen = head ?? FIRST
      const state = await actsIn(store)
      hasGap ||= !state.isWhole
      const due = await store.ask((redis) => redis.lrangeBuffer(keys.auditDue, 0, AT_ONCE - 1))
      if (due.length === 0) {
        if (hasGap) throw new AuditError(AUDIT_FAULTS['act-missing'])
        return head
      }
      let last = seen
      const args: Arg[] = []
      for (const text of due) {
        last = { number: last.number + 1, mac: marks.macOf(last, text) }
        args.push(text, last.mac)
      }
      // If another process was faster, the head has moved and nothing is written. The loop reads the head again.
      const first = seen.number + 1
      await store.write(
        chainAudit,
        [keys.auditDue, keys.audit, keys.auditHead],
        [mark, marks.markOf('head', last), first, ...args],
      )
    }
  }
}

/** The last entry that is older than `beforeMs`; `from` when there is none. */
async function lastBefore(store: Store, beforeMs: number, from: AuditHead): Promise<AuditHead> {
  let last = from
  for (;;) {
    const entries = await pageOfStream(store, keys.audit, `${last.number}-0`, AT_ONCE)
    for (const entry of entries) {
      if (actOf(entry).atMs >= beforeMs) return last
      const { number, mac } = fieldsOf(entry)
      last = { number, mac }
    }
    if (entries.length === 0) return last
  }
}
