// Ids: UUIDv7 as 16 bytes in the store, as text everywhere else.

import { digitAt } from '../../hash/src/hash256.js'

/**
 * @param random at least 10 bytes.
 * @throws {RangeError} for fewer.
 * @see RFC 9562, section 5.7.
 */
export function uuidV7(nowMs: number, random: Uint8Array): string {
  if (random.length < 10) throw new RangeError('a UUIDv7 needs 10 random bytes')
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(nowMs) << 16n)
  bytes.set(random.subarray(0, 10), 6)
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  return formatUuid(bytes)
}

/**
 * A UUIDv8 from bytes that were derived from something else, such as a digest.
 * @param bytes at least 16. The first 16 are used and modified.
 * @see RFC 9562, section 5.8.
 */
export function uuidV8(bytes: Uint8Array): string {
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  return formatUuid(bytes)
}

/** @param bytes the first 16 are used. */
export function formatUuid(bytes: Uint8Array): string {
  let hex = ''
  for (let i = 0; i < 16; i++) hex += byteHex[bytes[i] ?? 0]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** @returns 16 bytes; `undefined` if the text is not a lowercase UUID. */
export function parseUuid(text: string): Uint8Array | undefined {
  if (!UUID_PATTERN.test(text)) return undefined
  const bytes = new Uint8Array(16)
  for (let i = 0; i < 16; i++) {
    const at = 2 * i + (DASHES_BEFORE[i] ?? 0)
    bytes[i] = (digitAt(text, at) << 4) | digitAt(text, at + 1)
  }
  return bytes
}

/** @returns the 16 bytes of an id. @throws {RangeError} for a text that is not a UUID. */
export function idBytes(id: string): Uint8Array {
  const bytes = parseUuid(id)
  if (bytes === undefined) throw new RangeError('an id is a UUID')
  return bytes
}

export const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** For each of the 16 bytes, how many dashes precede it in the text. */
const DASHES_BEFORE = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4]
const byteHex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * A short name for a registered picture or video that people can read out: the last 32 bits of its id, which is a keyed hash. The first 48 bits are
 * the same for all images of a case.
 */
export function imageReference(imageId: string): string {
  return `IMG-${imageId.slice(-8).toUpperCase()}`
}
