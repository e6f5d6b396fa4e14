// Hashes of signals as text: 64 hex digits, and 32 for MD5.

import { formatHash, type Hash256, parseHash } from '../../../hash/src/hash256.js'
import type { SignalType } from './signal-types.js'

/** The text form of a hash of any type: 32 or 64 lowercase hex digits. */
export const SIGNAL_HASH_PATTERN = /^(?:[0-9a-f]{32}){1,2}$/
const MD5_DIGITS = 32

/**
 * Parses the text form. The 128 bits of an MD5 are stored twice to fill the 256 bits of a hash, so the index finds it as it finds other hashes.
 * @returns `undefined` unless the text has as many lowercase hex digits as the type needs, and nothing else.
 */
export function parseSignalHash(type: SignalType, text: string): Hash256 | undefined {
  if (type !== 'video_md5') return parseHash(text)
  return text.length === MD5_DIGITS ? parseHash(text + text) : undefined
}

/** @returns 32 lowercase hex digits for `video_md5`, 64 for all other types. */
export function formatSignalHash(type: SignalType, hash: Hash256): string {
  return type === 'video_md5' ? formatHash(hash).slice(0, MD5_DIGITS) : formatHash(hash)
}
