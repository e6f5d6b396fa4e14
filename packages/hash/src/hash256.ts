// A 256-bit hash: its bytes and its text form.

declare const brand: unique symbol

/**
 * The 32 bytes of a hash: bit k is bit `k mod 8` of byte `⌊k / 8⌋`, so byte 0 holds the least significant bits and is
 * printed last. Created only by `parseHash` and `hashFromBytes`.
 */
export type Hash256 = Uint8Array & { readonly [brand]: 'Hash256' }

export const HASH_BITS = 256
export const HASH_BYTES = 32

/** The text form: 64 lowercase hex digits, the most significant first. */
export const HASH_PATTERN = /^[0-9a-f]{64}$/

/** @returns the hash, or `undefined` when the text is not 64 lowercase hex digits. */
export function parseHash(text: string): Hash256 | undefined {
  if (text.length !== 2 * HASH_BYTES) return undefined
  const bytes = new Uint8Array(HASH_BYTES)
  let seenBits = 0
  // Other characters are detected while reading: testing the pattern first takes five times as long.
  for (let i = 0; i < HASH_BYTES; i++) {
    const high = digitAt(text, 2 * i)
    const low = digitAt(text, 2 * i + 1)
    seenBits |= high | low
    bytes[HASH_BYTES - 1 - i] = (high << 4) | low
  }
  return seenBits < NO_DIGIT ? (bytes as Hash256) : undefined
}

/** The value of a lowercase hex digit, 0…15; 16 for any other character. Seven times as fast as `Number.parseInt` of a slice. */
export function digitAt(text: string, at: number): number {
  return valueOfCode[text.charCodeAt(at)] ?? NO_DIGIT
}

/** @returns 64 lowercase hex digits. */
export function formatHash(hash: Hash256): string {
  let text = ''
  for (let i = HASH_BYTES - 1; i >= 0; i--) text += byteHex[hash[i] ?? 0]
  return text
}

/**
 * Copies 32 bytes that already have the layout of `Hash256`.
 * @throws {RangeError} when fewer than 32 bytes follow `offset`.
 */
export function hashFromBytes(bytes: Uint8Array, offset = 0): Hash256 {
  if (offset < 0 || offset + HASH_BYTES > bytes.length) throw new RangeError('a hash has 32 bytes')
  const copy = new Uint8Array(HASH_BYTES) // not `slice`, which for a Buffer shares memory
  for (let i = 0; i < HASH_BYTES; i++) copy[i] = bytes[offset + i] ?? 0 // creating a view for `set` costs more than this loop
  return copy as Hash256
}

/**
 * The Hamming distance, 0…256. Searches of many rows use the search kernel instead (`packages/core/src/search`).
 * @param maxBits for a greater distance, the result is only some number above `maxBits`, because counting stops early.
 */
export function distance(a: Hash256, b: Hash256, maxBits = HASH_BITS): number {
  let bits = 0
  for (let i = 0; i < HASH_BYTES && bits <= maxBits; i++) bits += popcount8[(a[i] ?? 0) ^ (b[i] ?? 0)] ?? 0
  return bits
}

const NO_DIGIT = 16
/** The values of lowercase hex digits by character code. */
const valueOfCode = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code))
  return value < 0 ? NO_DIGIT : value
})
const byteHex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const popcount8 = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length)
