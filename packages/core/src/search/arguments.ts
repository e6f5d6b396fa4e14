// Checks and packs the arguments of the index.

import { HASH_BYTES, type Hash256 } from '../../../hash/src/hash256.js'

/** @returns the needles one after the other, 32 bytes each. */
export function concatenate(needles: readonly Hash256[]): Uint8Array {
  const bytes = new Uint8Array(needles.length * HASH_BYTES)
  for (const [i, needle] of needles.entries()) bytes.set(needle, i * HASH_BYTES)
  return bytes
}

/** @throws {RangeError} unless `value` is an integer from `least` to `most`. */
export function requireInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${name} must be an integer ${least}…${most}`)
}
