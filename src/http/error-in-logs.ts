// An error as it is logged: what failed and where. Omits the fields that libraries add, because these contain what was sent (ioredis: the arguments
// of the command; Node: the raw packet), possibly a hash.

import { plainText } from '../domain/plain-text.js'

export interface LoggedError {
  readonly [field: string]: unknown
  readonly type: string
  readonly message: string
  readonly stack: string
  readonly code?: string
  /** Name of the error that caused this one. Its message is omitted: it may quote the caller. */
  readonly cause?: string
}

/** Returns only the fields of `LoggedError`. Never throws. */
export function errorInLogs(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: 'thrown, and not an error', stack: '' }
  const { name, message, stack = '', cause } = error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return {
    type: name,
    message: withoutArguments(message),
    stack: withoutArguments(stack),
    ...(code !== undefined && { code }),
    ...(cause instanceof Error && { cause: cause.name }),
  }
}

/** Redis quotes the first arguments of an unknown command. */
function withoutArguments(text: string): string {
  return plainText(text.replace(/, with args beginning with:.*/, ''))
}
