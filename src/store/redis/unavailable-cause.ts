// Maps errors of ioredis, Node and Redis to the causes why Redis cannot be used.

import { messageOf } from '../../domain/message-of.js'
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

/** Servers before 7.0 put this before the error of a command in a script. */
const IN_SCRIPT = /^ERR Error running script \(call to \w+\): (@user_script: ?\d+: )*-?/

/** Error codes of Node for a rejected certificate. */
const CERTIFICATE_CODES = /^(CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH)/

/**
 * @param error the error of a command or connection; `undefined` when Redis answered but its disk did not confirm.
 * @param ofConnection the last connection error. It has the cause when a command failed only because there was no connection.
 */
export function unavailableErrorFor(error: unknown, ofConnection?: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error
  if (error === undefined) return new StoreUnavailableError('disk-silent', 'its disk does not answer')
  const cause = causeOf(error)
  if (cause === 'connection' && ofConnection !== undefined) return unavailableErrorFor(ofConnection)
  return new StoreUnavailableError(cause, messageOf(error))
}

/** What the operator can do, for causes that do not pass by waiting. */
const REMEDIES: Partial<Readonly<Record<UnavailableCause, string>>> = {
  credentials: 'Check user and password in REDIS_URL.',
  permission: 'The user in REDIS_URL lacks a permission: see "Redis credentials" in docs/runbook.md.',
  certificate: 'Its certificate is not accepted: NODE_EXTRA_CA_CERTS names the file of your own CA.',
}

/** @returns an error with a remedy for the operator; `undefined` for causes that may pass by waiting. */
export function errorWithRemedy({ unavailableCause, message }: StoreUnavailableError): Error | undefined {
  const remedy = REMEDIES[unavailableCause]
  return remedy === undefined ? undefined : new Error(`Redis cannot be used (${message}). ${remedy}`)
}

function causeOf(error: unknown): UnavailableCause {
  if (!(error instanceof Error)) return 'connection'
  if ('code' in error && typeof error.code === 'string' && CERTIFICATE_CODES.test(error.code)) return 'certificate'
  const message = error.message.replace(IN_SCRIPT, '')
  return BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ?? 'connection'
}

/** True when the error means that Redis cannot be reached or cannot answer now; false for bugs and other problems. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof StoreUnavailableError) return true
  if (!(error instanceof Error) || error instanceof Problem) return false
  if (causeOf(error) !== 'connection' || UNREACHABLE_MESSAGES.test(error.message)) return true
  return 'code' in error && typeof error.code === 'string' && UNREACHABLE_CODES.test(error.code)
}

/** Error codes of a lost or failed connection, of the network and of name resolution. The messages of some do not contain the code. */
const UNREACHABLE_CODES =
  /^(EPIPE|ECONNRESET|ERR_STREAM_DESTROYED|ERR_SOCKET_CLOSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENOTFOUND|EAI_AGAIN)$/
const UNREACHABLE_MESSAGES =
  /Connection is closed|writeable and enableOfflineQueue|timed out|max retries|aborted due to connection close|ECONNREFUSED|ECONNRESET|EPIPE|ENOENT/i
