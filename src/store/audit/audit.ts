// The audit log: appended to, never changed, each entry bound to the one before. Decision 0035 says against whom.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import {
  type AuditAct,
  type AuditActor,
  type AuditEntry,
  auditText,
  type RecordedAct,
  type UncheckedEntry,
} from '../../domain/organisations/audit.js'
import type { Store } from '../redis/client.js'
import type { Arg } from '../redis/durable-writer.js'
import { keys } from '../redis/keys.js'
import { lastPageOfStream, pageOfStream, type StreamEntry } from '../redis/paging.js'
import { audited, auditState, chainAudit, noteAudit, trimAudit } from '../scripts/audit.js'
import type { Script } from '../scripts/script.js'
import { actsByStore, createActs } from './audit-acts.js'

/** The last entry of the chain. */
export interface AuditHead {
  /** From 1. */
  readonly number: number
  /** [32 bytes] */
  readonly mac: Buffer
}

export interface ChainedAct extends RecordedAct {
  readonly number: number
}

export type AuditVerdict =
  | { readonly isSound: true; readonly head: AuditHead | undefined }
  /** `number`: the entry at which it shows. */
  | { readonly isSound: false; readonly number: number; readonly why: AuditFault }

export const AUDIT_FAULTS = {
  missing: 'an entry is missing',
  changed: 'an entry was changed, or was not written by this service',
  'act-missing': 'acts were noted that are not in the log: they were taken out before they were chained',
  'cut-short': 'entries at the end are missing',
  'head-changed': 'the mark of the last entry is missing, was changed, or was not written by this service',
  'cut-changed': 'the mark of where it was trimmed was changed, or was not written by this service',
  'head-trimmed': 'the entry that was noted was trimmed since: note a later one',
  'head-noted': 'the entry that was noted is not in this log: it was set back, or replaced',
} as const
export type AuditFault = keyof typeof AUDIT_FAULTS

export class AuditError extends Error {
  override readonly name = 'AuditError'
}

export interface AuditLog {
  /**
   * Puts what waits into the chain, in the order in which it was noted. @returns the last entry.
   * @throws {AuditError} when the log ends before an entry that this process has seen, or its mark does not verify: nothing is
   *   written then, and what waits goes on waiting; or when acts were taken out of what waited: what was left is in the chain.
   */
  chain(): Promise<AuditHead | undefined>
  /** The oldest first, from after this number, at most `limit`. */
  list(afterNumber: number, limit: number): Promise<ChainedAct[]>
  /** The newest first, those before this number if there is one, at most `limit`. */
  latest(beforeNumber: number | undefined, limit: number): Promise<ChainedAct[]>
  /**
   * Removes what is older, for good, and marks where: what stays verifies from there. Recorded, in the same step.
   * @returns how many entries were removed. @throws {AuditError} when the log is not sound: then all of it may be needed.
   */
  trim(beforeMs: number, by: AuditActor, nowMs: number): Promise<number>
  /** Reads all of it. @param noted an entry that somebody noted elsewhere: it has to be there. Cost: about 10 µs an entry. */
  verify(noted?: AuditHead): Promise<AuditVerdict>
}

/** Writes an entry in the same step as what it tells of: see `audited`. */
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

/** Notes what was done elsewhere. Durable when it returns. @param onceInS [seconds] in which the same entry is noted once; 0: always. */
export async function noteInAudit(store: Store, entry: UncheckedEntry, onceInS = 0): Promise<void> {
  const { act, by, about } = entry
  const once = createHash('sha256')
    .update(JSON.stringify([act, by, about]))
    .digest('base64url')
  const number = await store.write(noteAudit, [keys.auditDue, keys.auditOnce(once)], [auditText(entry), onceInS])
  if (number !== null) actsByStore.get(store)?.noted(Number(number))
}

const Entry = z.object({ act: z.string(), by: z.string(), about: z.record(z.string(), z.string()), atMs: z.number() })
const AT_ONCE = 256
/** Which mark is where, and what is wrong when it is not ours. */
const MARKS = {
  head: { key: keys.auditHead, fault: 'head-changed' },
  cut: { key: keys.auditCut, fault: 'cut-changed' },
} as const
type Mark = keyof typeof MARKS
const FIRST: AuditHead = { number: 0, mac: Buffer.alloc(32) }

/** @param secret the deployment's, for this alone: without it nobody adds an entry, or puts one in another's place. */
export function auditLogIn(store: Store, secret: Buffer): AuditLog {
  let seen = FIRST
  const acts = createActs()
  actsByStore.set(store, acts)
  const macOf = (before: AuditHead, text: Buffer) =>
    createHmac('sha256', secret)
      .update('entry')
      .update(before.mac)
      .update(numberBytes(before.number + 1))
      .update(text)
      .digest()
  const markOf = (kind: Mark, { number, mac }: AuditHead) => {
    const head = Buffer.concat([numberBytes(number), mac])
    return Buffer.concat([head, createHmac('sha256', secret).update(kind).update(head).digest()])
  }

  const readMark = async (
    kind: Mark = 'head',
  ): Promise<{ readonly mark: Buffer | ''; readonly head: AuditHead | undefined }> => {
    const { key, fault } = MARKS[kind]
    const mark = await store.ask((redis) => redis.getBuffer(key))
    if (mark === null) return { mark: '', head: undefined }
    if (mark.length !== MARK_BYTES) throw new AuditError(AUDIT_FAULTS[fault])
    const head = { number: Number(mark.readBigUInt64BE()), mac: Buffer.from(mark.subarray(8, 40)) }
    if (!timingSafeEqual(markOf(kind, head), mark)) throw new AuditError(AUDIT_FAULTS[fault])
    return { mark, head }
  }
  const stateNow = async () => {
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
  const requireNoneSetBack = async () => {
    const { noted } = await stateNow()
    if (!acts.isAsNoted(noted)) throw new AuditError(AUDIT_FAULTS['act-missing'])
  }
  const lastBefore = async (beforeMs: number, from: AuditHead): Promise<AuditHead> => {
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

  const log: AuditLog = {
    async chain() {
      await requireNoneSetBack()
      let hasGap = false
      for (;;) {
        const { mark, head } = await readMark()
        if ((head?.number ?? 0) < seen.number) throw new AuditError(AUDIT_FAULTS['cut-short'])
        if (head?.number === seen.number && !head.mac.equals(seen.mac)) throw new AuditError(AUDIT_FAULTS['head-noted'])
        seen = head ?? FIRST
        const state = await stateNow()
        hasGap ||= !state.isWhole
        const due = await store.ask((redis) => redis.lrangeBuffer(keys.auditDue, 0, AT_ONCE - 1))
        if (due.length === 0) {
          if (hasGap) throw new AuditError(AUDIT_FAULTS['act-missing'])
          return head
        }
        let last = seen
        const args: Arg[] = []
        for (const text of due) {
          last = { number: last.number + 1, mac: macOf(last, text) }
          args.push(text, last.mac)
        }
        // Whoever was faster has moved the head: then it is read again.
        const first = seen.number + 1
        await store.write(
          chainAudit,
          [keys.auditDue, keys.audit, keys.auditHead],
          [mark, markOf('head', last), first, ...args],
        )
      }
    },

    async list(afterNumber, limit) {
      return (await pageOfStream(store, keys.audit, `${afterNumber}-0`, limit)).map(shownOf)
    },

    async latest(beforeNumber, limit) {
      const beforeId = beforeNumber === undefined ? undefined : `${beforeNumber}-0`
      return (await lastPageOfStream(store, keys.audit, beforeId, limit)).map(shownOf)
    },

    async trim(beforeMs, by, nowMs) {
      const verdict = await log.verify()
      if (!verdict.isSound) throw new AuditError(AUDIT_FAULTS[verdict.why])
      const { mark, head: before = FIRST } = await readMark('cut')
      const cut = await lastBefore(beforeMs, before)
      if (cut.number === before.number) return 0
      const entry = { act: 'audit.trimmed', by, about: { upTo: String(cut.number) }, atMs: nowMs } as const
      const args = [mark, markOf('cut', cut), cut.number + 1]
      return Number((await writeAudited(store, entry, trimAudit, [keys.audit, keys.auditCut], args)) ?? 0)
    },

    async verify(noted) {
      const mark = await readMark().catch((error: unknown) => {
        if (error instanceof AuditError) return undefined
        throw error
      })
      const cut = await readMark('cut').catch((error: unknown) => {
        if (error instanceof AuditError) return undefined
        throw error
      })
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
          if (!mac.equals(macOf(before, text))) return unsound(number, 'changed')
          const next = actNumberOf(text)
          if (next === undefined || next !== (act ?? next - 1) + 1) return unsound(number, 'act-missing')
          act = next
          before = { number, mac }
          hasNoted ||= noted?.number === number && noted.mac.equals(mac)
          // What another process added meanwhile is for the next time.
          if (number === mark?.head?.number) return await judged(mark.head)
        }
        if (entries.length < AT_ONCE) break
      }
      if (mark === undefined || (mark.head === undefined && before.number > 0)) return unsound(before.number, 'head-changed')
      return await judged(mark.head)

      async function judged(head: AuditHead | undefined): Promise<AuditVerdict> {
        if ((head?.number ?? 0) > before.number) return unsound(before.number + 1, 'cut-short')
        if (head !== undefined && !head.mac.equals(before.mac)) return unsound(head.number, 'head-changed')
        if (!(await stateNow()).isWhole) return unsound(before.number + 1, 'act-missing')
        return hasNoted ? { isSound: true, head } : unsound(noted?.number ?? 0, 'head-noted')
      }
    },
  }
  return log
}

/** An entry as people note it: `<number>:<MAC in base64url>`. */
export function headText({ number, mac }: AuditHead): string {
  return `${number}:${mac.toString('base64url')}`
}

export function parseHead(text: string): AuditHead | undefined {
  const [, number, mac] = /^([1-9]\d{0,14}):([\w-]{43})$/.exec(text) ?? []
  return number === undefined || mac === undefined
    ? undefined
    : { number: Number(number), mac: Buffer.from(mac, 'base64url') }
}

/** number, MAC, and the MAC of both */
const MARK_BYTES = 8 + 32 + 32

function unsound(number: number, why: AuditFault): AuditVerdict {
  return { isSound: false, number, why }
}

function numberBytes(number: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(number))
  return bytes
}

/** One that cannot be read hides none of the others: `verify` says what is wrong with it. */
function shownOf(entry: StreamEntry): ChainedAct {
  try {
    return actOf(entry)
  } catch {
    return { number: fieldsOf(entry).number, act: 'unreadable', by: 'unknown', about: {}, atMs: 0 }
  }
}

function actOf(entry: StreamEntry): ChainedAct {
  const { number, text } = fieldsOf(entry)
  return { number, ...Entry.parse(JSON.parse(text.subarray(text.indexOf(' ') + 1).toString('utf8'))) }
}

/** The number of an act, which stands before its text. */
function actNumberOf(text: unknown): number | undefined {
  const [, digits] = Buffer.isBuffer(text) ? (/^([1-9]\d{0,14}) /.exec(text.toString('latin1', 0, 16)) ?? []) : []
  return digits === undefined ? undefined : Number(digits)
}

/** What is missing or malformed is empty: then its MAC is not right. */
function fieldsOf([id, fields]: StreamEntry) {
  const field = (name: string) => fields.find((_, i) => i % 2 === 1 && fields[i - 1]?.toString('latin1') === name)
  const none = Buffer.alloc(0)
  return { number: Number.parseInt(id.toString('latin1'), 10), text: field('entry') ?? none, mac: field('mac') ?? none }
}
