// What the audit log tells of: which acts there are, and what each is about. Ids and our own words, never hashes or persons.

/** Every act that is recorded, and what has to be said about it. A new one is a row here and a call where it is done. */
export const AUDIT_ACTS = {
  /** The oldest entries were removed, up to this one. */
  'audit.trimmed': ['upTo'],
  /** `appeal`: the id of the picture that it is about, or of the block. */
  'appeal.decided': ['appeal', 'outcome'],
  'bank.created': ['bank', 'orgId'],
  'bank.ratio-changed': ['bank'],
  'bank.readers-changed': ['bank'],
  /** Before the first byte leaves. */
  'signals.exported': ['bank', 'format', 'form'],
  /** `case`: its random name for this log, which is forgotten with it. */
  'case.assisted': ['case', 'orgId'],
  'case.expired': ['case'],
  /** Own data, or all that is known of it to whoever acts for her. */
  'case.exported': ['case'],
  'case.handed-over': ['case'],
  /** Another PIN was given out; the one before goes on opening until it is used. */
  'case.pin-asked': ['case'],
  'case.pin-changed': ['case'],
  'case.renewed': ['case'],
  'case.withdrawn': ['case'],
  'dispute.answered': ['signalId', 'answer'],
  'dispute.decided': ['signalId', 'outcome'],
  'dispute.reversed': ['signalId'],
  'bank.removed': ['bank'],
  'exchange.pull-asked': ['exchange'],
  /** Once a day for each key. */
  'feed.read': ['orgId', 'day'],
  /** Every hash there is, to one reader. */
  'feed.snapshot': ['orgId'],
  'key.created': ['keyId', 'orgId'],
  'key.rotated': ['keyId', 'successorId'],
  'key.restored': ['keyId'],
  'key.revoked': ['keyId'],
  'key.suspended': ['keyId', 'orgId'],
  'canary.planted': ['bank', 'signalId'],
  'block.lifted': ['block'],
  /** Once a day for each key. */
  'key.used': ['orgId', 'day'],
  /** `account`: `org:` and its id, or `case`: which one is not said. */
  'account.forgiven': ['account'],
  'seal-key.activated': ['fingerprint'],
  'seal-key.retired': ['fingerprint'],
  /** Everything was sealed anew under it. */
  'seal-key.rotated': ['fingerprint', 'records'],
  'signal.attested': ['signalId'],
  'signal.disputed': ['signalId', 'reason'],
  'signal.held': ['signalId', 'cause'],
  'signal.released': ['signalId'],
  'signal.removed': ['bank', 'signalId'],
  'signal.verified': ['signalId'],
  /** Before it is taken: all that there is, sealed. */
  'store.backed-up': ['revision'],
  'store.restored': ['revision'],
  /** That something was left to be watched for, or taken away: once a day for each key. */
  'watch.changed': ['orgId', 'day'],
  'webhook.added': ['webhookId', 'orgId'],
  'webhook.changed': ['webhookId'],
  'webhook.removed': ['webhookId'],
  'webhook.secret-rotated': ['webhookId'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type AuditAct = keyof typeof AUDIT_ACTS

/** Who did it: the operator at the command line, the submitter of the case, Tabir by itself, or whoever holds a key. */
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

/** An act as it stands in the log; also one that only another version of this table knows. */
export interface RecordedAct {
  readonly act: string
  readonly by: string
  readonly about: Readonly<Record<string, string>>
  readonly atMs: number
}

/** An entry whose act and fields need not fit yet. */
export type UncheckedEntry = Omit<RecordedAct, 'act' | 'by'> & { readonly act: AuditAct; readonly by: AuditActor }

/**
 * An entry as text, exactly as it is chained.
 * @throws {RangeError} when it is not about what its act is about, or holds what may be a hash: a caller's bug.
 */
export function auditText({ act, by, about, atMs }: UncheckedEntry): string {
  const fields: readonly string[] = AUDIT_ACTS[act]
  const isWhole = Object.keys(about).length === fields.length && fields.every((field) => Object.hasOwn(about, field))
  if (!isWhole) throw new RangeError(`an audit entry of ${act} is about ${fields.join(', ')}`)
  for (const value of [by, ...Object.values(about)]) {
    if (!WORD.test(value) || MAY_BE_A_HASH.test(value)) throw new RangeError('an audit entry has ids and words alone')
  }
  return JSON.stringify({ act, by, about, atMs })
}

const WORD = /^[\w.,:+~-]{1,160}$/
/** 256 bits in hex or in base64: no id of ours is that long. */
const MAY_BE_A_HASH = /[0-9a-f]{64}|^[\w+-]{43}$/i
