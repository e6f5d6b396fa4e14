// Explains to the operator why an address cannot be listened on.

import { messageOf } from '../domain/message-of.js'
import { ownValue } from '../domain/own-value.js'

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has it',
  EADDRNOTAVAIL: 'it is no address of this machine',
  EACCES: 'that needs rights which this process does not have',
  ENOTFOUND: 'there is no such name',
}

export function whyNotListening(error: unknown, host: string, port: number): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = ownValue(REASONS, code) ?? messageOf(error)
  return new Error(`The api cannot listen on port ${port} of ${host} (TABIR_PORT, TABIR_HOST): ${reason}.`)
}
