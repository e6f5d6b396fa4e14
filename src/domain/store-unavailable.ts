// Why Redis cannot be used, as stable codes for logs, metrics and operators.

/** In the order of the table in the runbook. */
export const UNAVAILABLE_CAUSES = [
  /** User or password is wrong or missing. */
  'credentials',
  /** The user's ACL forbids a command or a key. */
  'permission',
  /** The TLS certificate of Redis is untrusted, expired or for another name. */
  'certificate',
  /** Redis has reached its maxmemory. */
  'out-of-memory',
  /** Redis cannot write its own files: its disk is full or broken. */
  'disk',
  /** The append-only file is switched off. */
  'log-off',
  /** Redis or a replica did not confirm a write to disk in time. */
  'disk-silent',
  /** Redis is loading its data or running a long command. */
  'busy',
  /** It is a replica or a Cluster node. */
  'not-master',
  /** Redis cannot be reached, or the connection broke or stopped answering. */
  'connection',
] as const
export type UnavailableCause = (typeof UNAVAILABLE_CAUSES)[number]

/** Redis could not be used. The message comes from the client library or from Redis: show it to operators only, never to callers. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
  readonly unavailableCause: UnavailableCause

  constructor(unavailableCause: UnavailableCause, message: string) {
    super(message)
    this.unavailableCause = unavailableCause
  }
}
