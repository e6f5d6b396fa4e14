// AES-256-GCM as in NIST SP 800-38D, with big integers and bit by bit: slow, and short enough to check by eye.

import type { BlockCipher } from '../../src/store/images/reader/gcm.js'

/** The reduction polynomial of GHASH, 1 + x + x² + x⁷, first coefficient first. */
const R = 0xe1n << 120n

/** Algorithm 1 of the standard: the product of two blocks. */
export function product(x: bigint, y: bigint): bigint {
  let z = 0n
  let v = y
  for (let bit = 127n; bit >= 0n; bit--) {
    if (((x >> bit) & 1n) === 1n) z ^= v
    v = (v & 1n) === 1n ? (v >> 1n) ^ R : v >> 1n
  }
  return z
}

/** Seals as the standard's algorithm 4 does for a nonce of 96 bits. @returns the ciphertext, then the tag. */
export function sealByTwin(cipher: BlockCipher, nonce: Uint8Array, context: Uint8Array, plain: Uint8Array): Buffer {
  const ciphertext = Buffer.from(plain)
  for (let at = 0, counter = 2; at < plain.length; at += 16, counter++) {
    const key = cipher.encrypt(counterBlock(nonce, counter))
    for (let i = at; i < Math.min(at + 16, plain.length); i++) ciphertext[i] = (plain[i] ?? 0) ^ (key[i - at] ?? 0)
  }
  const lengths = Buffer.alloc(16)
  lengths.writeBigUInt64BE(8n * BigInt(context.length), 0)
  lengths.writeBigUInt64BE(8n * BigInt(plain.length), 8)
  const hashKey = numberOf(cipher.hashKey)
  let sum = 0n
  for (const block of [...blocksOf(context), ...blocksOf(ciphertext), lengths]) {
    sum = product(sum ^ numberOf(block), hashKey)
  }
  const tag = sum ^ numberOf(cipher.encrypt(counterBlock(nonce, 1)))
  return Buffer.concat([ciphertext, Buffer.from(tag.toString(16).padStart(32, '0'), 'hex')])
}

function counterBlock(nonce: Uint8Array, counter: number): Buffer {
  const block = Buffer.alloc(16)
  block.set(nonce)
  block.writeUInt32BE(counter, 12)
  return block
}

/** Blocks of 16 bytes; the last is padded with zeros. */
function blocksOf(bytes: Uint8Array): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / 16) }, (_, i) => {
    const block = Buffer.alloc(16)
    block.set(bytes.subarray(16 * i, 16 * i + 16))
    return block
  })
}

function numberOf(block: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(block).toString('hex')}`)
}
