// The MACs of the audit log. Each entry's MAC covers the previous one; two marks name the last entry and the last trimmed one.

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'

/** The last entry of the chain. */
export interface AuditHead {
  /** From 1. */
  readonly number: number
  /** [32 bytes] */
  readonly mac: Buffer
}

export const AUDIT_FAULTS = {
  missing: 'an entry is missing',
  changed: 'an entry was changed, or was not written by this service',
  'act-missing': 'acts were noted that are not in the log: they were taken out before they were chained',
  'set-back':
    'the log is older than this process knows it: Redis went back to an older state, by a failover or a restore, or somebody removed entries. Note both ends and restart all processes',
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

/** Stands before the first entry. */
export const FIRST: AuditHead = { number: 0, mac: Buffer.alloc(32) }
/** The key of each mark, and the fault when its MAC is wrong. */
const MARKS = {
  head: { key: keys.auditHead, fault: 'head-changed' },
  cut: { key: keys.auditCut, fault: 'cut-changed' },
} as const
type Mark = keyof typeof MARKS

/** number, MAC, and the MAC of both */
const MARK_BYTES = 8 + 32 + 32

export interface AuditMarks {
  /** The MAC of the entry after `before`. */
  macOf(before: AuditHead, text: Buffer): Buffer
  /** The bytes of a mark. */
  markOf(kind: Mark, head: AuditHead): Buffer
  /** @returns a mark's bytes and the entry that it names; '' and `undefined` when there is none. @throws {AuditError} when its MAC is wrong. */
  read(kind: Mark): Promise<{ readonly mark: Buffer | ''; readonly head: AuditHead | undefined }>
}

/** @param secret key of the MACs, used for nothing else. Without it nobody can add or replace an entry. */
export function createAuditMarks(store: Store, secret: Buffer): AuditMarks {
  const markOf: AuditMarks['markOf'] = (kind, { number, mac }) => {
    const head = Buffer.concat([numberBytes(number), mac])
    return Buffer.concat([head, createHmac('sha256', secret).update(kind).update(head).digest()])
  }
  return {
    markOf,
    macOf: (before, text) =>
      createHmac('sha256', secret)
        .update('entry')
        .update(before.mac)
        .update(numberBytes(before.number + 1))
        .update(text)
        .digest(),
    async read(kind) {
      const { key, fault } = MARKS[kind]
      const mark = await store.ask((redis) => redis.getBuffer(key))
      if (mark === null) return { mark: '', head: undefined }
      if (mark.length !== MARK_BYTES) throw new AuditError(AUDIT_FAULTS[fault])
      const head = { number: Number(mark.readBigUInt64BE()), mac: Buffer.from(mark.subarray(8, 40)) }
      if (!timingSafeEqual(markOf(kind, head), mark)) throw new AuditError(AUDIT_FAULTS[fault])
      return { mark, head }
    },
  }
}

/** The text that operators write down: `<number>:<MAC in base64url>`. */
export function headText({ number, mac }: AuditHead): string {
  return `${number}:${mac.toString('base64url')}`
}

export function parseHead(text: string): AuditHead | undefined {
  const [, number, mac] = /^([1-9]\d{0,14}):([\w-]{43})$/.exec(text) ?? []
  return number === undefined || mac === undefined
    ? undefined
    : { number: Number(number), mac: Buffer.from(mac, 'base64url') }
}

function numberBytes(number: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(number))
  return bytes
}
