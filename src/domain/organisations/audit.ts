// The acts that the audit log records, and the fields of each. Ids and our own words only, never hashes or personal data.

/** Every recorded act and its required fields. A new act needs a row here and a call where it happens. */
export const AUDIT_ACTS = {
  /** The oldest entries were removed, up to this one. */
  'audit.trimmed': ['upTo'],
  /** `appeal`: id of the image or resubmission block that the appeal is about. */
  'appeal.decided': ['appeal', 'outcome'],
  'bank.created': ['bank', 'orgId'],
  'bank.ratio-changed': ['bank'],
  'bank.readers-changed': ['bank'],
  /** Recorded before the first byte is sent. */
  'signals.exported': ['bank', 'format', 'form'],
  /** `case`: a random name for this log only. It is deleted with the case. */
  'case.assisted': ['case', 'orgId'],
  'case.expired': ['case'],
  /** The submitter's own data, or the full report for an organisation acting for her. */
  'case.exported': ['case'],
  'case.handed-over': ['case'],
  'case.reading-ended': ['case'],
  /** A new PIN was issued. The old one keeps working until the new one is used. */
  'case.pin-requested': ['case'],
  'case.pin-changed': ['case'],
  'case.renewed': ['case'],
  'case.end-wished': ['case'],
  'case.wishes-stopped': ['case'],
  'case.paused': ['case'],
  'case.resumed': ['case'],
  'case.withdrawn': ['case'],
  'dispute.answered': ['signalId', 'answer'],
  'dispute.decided': ['signalId', 'outcome'],
  'dispute.reversed': ['signalId'],
  'bank.removed': ['bank'],
  'exchange.pull-asked': ['exchange'],
  /** At most once a day per key. */
  'feed.read': ['orgId', 'day'],
  /** One reader got every hash. */
  'feed.snapshot': ['orgId'],
  'key.created': ['keyId', 'orgId'],
  'key.rotated': ['keyId', 'successorId'],
  'key.restored': ['keyId'],
  'key.revoked': ['keyId'],
  'key.suspended': ['keyId', 'orgId'],
  'canary.planted': ['bank', 'signalId'],
  'block.lifted': ['block'],
  /** At most once a day per key. */
  'key.used': ['orgId', 'day'],
  /** `account`: `org:` and the organisation's id, or only `case`, because the log does not say which case. */
  'account.forgiven': ['account'],
  'seal-key.activated': ['fingerprint'],
  'seal-key.retired': ['fingerprint'],
  /** Every record was re-encrypted under it. */
  'seal-key.rotated': ['fingerprint', 'records'],
  'signal.attested': ['signalId'],
  'signal.disputed': ['signalId', 'reason'],
  'signal.held': ['signalId', 'cause'],
  'signal.released': ['signalId'],
  'signal.removed': ['bank', 'signalId'],
  'signal.verified': ['signalId'],
  /** A full, encrypted backup. Recorded before it starts. */
  'store.backed-up': ['revision'],
  'store.restored': ['revision'],
  /** Watches were added or removed. At most once a day per key. */
  'watch.changed': ['orgId', 'day'],
  'webhook.added': ['webhookId', 'orgId'],
  'webhook.changed': ['webhookId'],
  'webhook.removed': ['webhookId'],
  'webhook.secret-rotated': ['webhookId'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type AuditAct = keyof typeof AUDIT_ACTS

/** Who acted: the operator at the command line, the submitter of the case, Tabir itself, or an organisation by its key. */
export type AuditActor = 'operator' | 'submitter' | 'tabir' | `key:${string}` | `org:${string}`

export type AuditAbout<A extends AuditAct> = Readonly<Record<(typeof AUDIT_ACTS)[A][number], string>>

export type AuditEntry<A extends AuditAct = AuditAct> = {
  [B in A]: {
    readonly act: B
    readonly by: AuditActor
    readonly about: AuditAbout<B>
    readonly atMs: number
  }
}[A]

/** An act as read from the log. It may be one that only another version of this table knows. */
export interface RecordedAct {
  readonly act: string
  readonly by: string
  readonly about: Readonly<Record<string, string>>
  readonly atMs: number
}

/** An entry whose fields may not be those of its act; `auditText` checks them. */
export type UncheckedEntry = Omit<RecordedAct, 'act' | 'by'> & { readonly act: AuditAct; readonly by: AuditActor }

/**
 * @returns the entry as the exact text that the chain of digests covers. Of what a submitter does it has the day (UTC) and not the moment, which a
 *   log of another service, a phone or a router may have, too.
 * @throws {RangeError} if its fields are not those of its act, or a value may be a hash: a bug of the caller.
 */
export function auditText({ act, by, about, atMs }: UncheckedEntry): string {
  const fields: readonly string[] = AUDIT_ACTS[act]
  const isWhole = Object.keys(about).length === fields.length && fields.every((field) => Object.hasOwn(about, field))
  if (!isWhole) throw new RangeError(`an audit entry of ${act} is about ${fields.join(', ')}`)
  for (const value of [by, ...Object.values(about)]) {
    if (!WORD.test(value) || MAY_BE_A_HASH.test(value)) throw new RangeError('an audit entry has ids and words alone')
  }
  return JSON.stringify({ act, by, about, atMs: by === 'submitter' ? atMs - (atMs % DAY_MS) : atMs })
}

const DAY_MS = 86_400_000

const WORD = /^[\w.,:+~-]{1,160}$/
/** 256 bits in hex or base64. None of our ids is that long. */
const MAY_BE_A_HASH = /[0-9a-f]{64}|^[\w+-]{43}$/i
