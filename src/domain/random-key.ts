/** A random key for `Idempotency-Key`: 16 bytes as hexadecimal. Also for browsers. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
