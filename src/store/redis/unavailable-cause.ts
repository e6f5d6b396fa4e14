// What ioredis, Node or Redis says when Redis cannot be used, as one of our causes.

import { Problem } from '../../domain/problem.js'
import { StoreUnavailableError, type UnavailableCause } from '../../domain/store-unavailable.js'

const BY_MESSAGE: readonly (readonly [RegExp, UnavailableCause])[] = [
  [/^(WRONGPASS|NOAUTH)\b|invalid password|without any password configured/, 'credentials'],
  [/^NOPERM\b|^ERR ACL failure in script/, 'permission'],
  [/^OOM\b/, 'out-of-memory'],
  [/^MISCONF\b/, 'disk'],
  [/appendonly is disabled/, 'log-off'],
  [/^(LOADING|BUSY)\b/, 'busy'],
  [/^(READONLY|MASTERDOWN|CLUSTERDOWN|MOVED|NOREPLICAS|UNBLOCKED)\b|replica instances/, 'not-master'],
]

/** What Node's TLS says about a certificate that it does not accept. */
const CERTIFICATE_CODES = /^(CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH)/

/**
 * @param error what a command or a connection failed with; `undefined` when Redis answered, and its disk did not.
 * @param ofConnection what last kept a connection from being made: a command that cannot be sent says only that there is none.
 */
export function unavailableErrorFor(error: unknown, ofConnection?: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error
  if (error === undefined) return new StoreUnavailableError('disk-silent', 'its disk does not answer')
  const cause = causeOf(error)
  if (cause === 'connection' && ofConnection !== undefined) return unavailableErrorFor(ofConnection)
  return new StoreUnavailableError(cause, error instanceof Error ? error.message : String(error))
}

/** What does not pass by waiting, and what to do about it. */
const REMEDIES: Partial<Readonly<Record<UnavailableCause, string>>> = {
  credentials: 'Check user and password in REDIS_URL.',
  permission: 'The user in REDIS_URL lacks a permission: see "Redis credentials" in docs/runbook.md.',
  certificate: 'Its certificate is not accepted: NODE_EXTRA_CA_CERTS names the file of your own CA.',
}

/** @returns the error for an operator, where waiting does not help. */
export function refusalIn({ unavailableCause, message }: StoreUnavailableError): Error | undefined {
  const remedy = REMEDIES[unavailableCause]
  return remedy === undefined ? undefined : new Error(`Redis cannot be used (${message}). ${remedy}`)
}

function causeOf(error: unknown): UnavailableCause {
  if (!(error instanceof Error)) return 'connection'
  if ('code' in error && typeof error.code === 'string' && CERTIFICATE_CODES.test(error.code)) return 'certificate'
  return BY_MESSAGE.find(([pattern]) => pattern.test(error.message))?.[1] ?? 'connection'
}

/** Does it say that Redis cannot be reached or cannot answer now, and not that something here is wrong? */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof StoreUnavailableError) return true
  if (!(error instanceof Error) || error instanceof Problem) return false
  return causeOf(error) !== 'connection' || AWAY.test(error.message) || ('code' in error && AWAY_CODES.has(error.code))
}

// What a socket says that the other side closed while it was written to: the message of some names no code.
const AWAY_CODES = new Set<unknown>([
  'EPIPE',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_SOCKET_CLOSED',
  // On the way to another host, whose name may not be known yet.
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
])

const AWAY =
  /Connection is closed|writeable and enableOfflineQueue|timed out|max retries|aborted due to connection close|ECONNREFUSED|ECONNRESET|EPIPE|ENOENT/i
