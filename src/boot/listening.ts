// Explains to the operator why an address cannot be listened on.

import { ownValue } from '../../packages/core/src/own-value.js'
import { messageOf } from '../domain/message-of.js'

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has it',
  EADDRNOTAVAIL: 'it is no address of this machine',
  EACCES: 'that needs rights which this process does not have',
  ENOTFOUND: 'there is no such name',
}

export function whyNotListening(error: unknown, host: string, port: number): Error {
  return new Error(`The api cannot listen on port ${port} of ${host} (TABIR_PORT, TABIR_HOST): ${reasonOf(error)}.`)
}

/** @returns the same for the listener of workers, where the error is about its address; other errors unchanged. */
export function whyNoHandoff(error: unknown, host: string, port: number): unknown {
  const isOfAddress =
    error instanceof Error && 'syscall' in error && (error.syscall === 'listen' || error.syscall === 'getaddrinfo')
  if (!isOfAddress) return error
  const where = `port ${port} of ${host} (TABIR_HANDOFF_PORT, TABIR_HANDOFF_HOST)`
  return new Error(`The api cannot listen for workers on ${where}: ${reasonOf(error)}.`)
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return ownValue(REASONS, code) ?? messageOf(error)
}
