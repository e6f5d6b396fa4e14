// Why Redis could not be used, in one stable word for logs, metrics and the operator.

/** In the order of the table in the runbook. */
export const AWAY_CAUSES = [
  /** The password or user is wrong, or none was given. */
  'credentials',
  /** The user's ACL forbids a command or a key. */
  'permission',
  /** The certificate of Redis is not trusted, expired, or of another name. */
  'certificate',
  /** Redis has reached its maxmemory. */
  'out-of-memory',
  /** Redis cannot write its own files: its disk is full or broken. */
  'disk',
  /** The append-only file was switched off. */
  'log-off',
  /** The disk, or that of a replica, did not confirm a write in time. */
  'disk-silent',
  /** Redis reads its data, or runs a long command. */
  'busy',
  /** It is a replica, or a node of a Cluster. */
  'not-master',
  /** It cannot be reached, or the connection broke or fell silent. */
  'connection',
] as const
export type UnavailableCause = (typeof AWAY_CAUSES)[number]

/** What kept Redis from being used. Its message is that of the library or of Redis: for an operator, never for a caller. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
  readonly unavailableCause: UnavailableCause

  constructor(unavailableCause: UnavailableCause, message: string) {
    super(message)
    this.unavailableCause = unavailableCause
  }
}
