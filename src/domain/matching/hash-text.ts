// Hashes of signals as text: 64 hex digits, and 32 for MD5.

import { formatHash, type Hash256, parseHash } from '../../../packages/hash/src/hash256.js'
import type { SignalType } from './signal-types.js'

/** The text form of a hash of some type: lowercase hex digits. */
export const SIGNAL_HASH_PATTERN = /^(?:[0-9a-f]{32}){1,2}$/
const MD5_DIGITS = 32

/**
 * An MD5 fills the 256 bits of a hash twice: so an index finds it by any of its parts, as it finds other hashes.
 * @returns `undefined` when the text is not as many lowercase hex digits as the type has.
 */
export function parseSignalHash(type: SignalType, text: string): Hash256 | undefined {
  if (type !== 'video_md5') return parseHash(text)
  return text.length === MD5_DIGITS ? parseHash(text + text) : undefined
}

export function formatSignalHash(type: SignalType, hash: Hash256): string {
  return type === 'video_md5' ? formatHash(hash).slice(0, MD5_DIGITS) : formatHash(hash)
}
