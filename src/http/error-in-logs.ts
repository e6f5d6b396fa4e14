// An error as the log has it: what went wrong and where. Nothing that a library hung onto it, as that is what was sent
// (ioredis: the command with its arguments, Node: the raw packet), and so may be somebody's hash.

import { plainText } from '../domain/plain-text.js'

export interface LoggedError {
  readonly [field: string]: unknown
  readonly type: string
  readonly message: string
  readonly stack: string
  readonly code?: string
  /** Name of what caused it. Its message may quote what a caller sent. */
  readonly cause?: string
}

/** Only the fields of `LoggedError`, whatever else there is. Never throws. */
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

/** Redis repeats the first arguments of a command that it does not know. */
function withoutArguments(text: string): string {
  return plainText(text.replace(/, with args beginning with:.*/, ''))
}
