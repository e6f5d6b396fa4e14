// GHASH (NIST SP 800-38D, 6.4): a sum of blocks times a key, in the field of 2^128 elements. AssemblyScript; part of gcm.ts.
//
// A block times the key is the sum of the products of its 32 half-bytes, each at its place. The products are looked up in 32 tables of 16 elements,
// 8 KB, which fit a processor's first cache. Measured on an EPYC for seven blocks: 0.10 µs. Multiplying 64-bit integers without tables takes 0.45
// µs, in constant time. Decision 0011 says why constant time is not needed here.

import { BLOCK_BYTES, HASH_KEY } from './layout'

const TABLE_BYTES: usize = 256
const TABLES: usize = memory.data(8_192, 16)

/** Sixteen bytes of ones, then sixteen of zeros: read from `16 - n` on, it leaves n bytes of a block. */
const WINDOW: usize = memory.data<u64>([-1, -1, 0, 0], 16)

/** Elements are polynomials whose first coefficient is the first bit of the first byte; this is x^128 brought back into 128 bits. */
const REDUCED: u64 = 0xe100000000000000

/** Makes the tables for the key that lies at `HASH_KEY`. To be called before `ghash`, and costs less than 2 µs. */
export function takeHashKey(): void {
  let high = bswap<u64>(load<u64>(HASH_KEY))
  let low = bswap<u64>(load<u64>(HASH_KEY, 8))
  for (let table = TABLES; table < TABLES + 32 * TABLE_BYTES; table += TABLE_BYTES) {
    v128.store(table, i64x2.splat(0))
    for (let bit: usize = 8; bit > 0; bit >>= 1) {
      store<u64>(table + (bit << 4), bswap<u64>(high))
      store<u64>(table + (bit << 4), bswap<u64>(low), 8)
      const carry = low & 1
      low = (low >> 1) | (high << 63)
      high = (high >> 1) ^ (REDUCED & (0 - carry))
    }
    for (let value: usize = 3; value < 16; value++) {
      const lowest = value & (0 - value)
      const others = value ^ lowest
      if (others !== 0) v128.store(table + (value << 4), v128.xor(element(table, lowest), element(table, others)))
    }
  }
}

/** GHASH of the context and the ciphertext, both filled up with zeros to whole blocks, and of their lengths in bits. */
export function ghash(context: usize, contextBytes: u32, ciphertext: usize, ciphertextBytes: u32): v128 {
  const sum = addAll(addAll(i64x2.splat(0), context, contextBytes), ciphertext, ciphertextBytes)
  let lengths = i64x2.splat(bswap<u64>(<u64>contextBytes << 3))
  lengths = i64x2.replace_lane(lengths, 1, bswap<u64>(<u64>ciphertextBytes << 3))
  return times(v128.xor(sum, lengths))
}

/** A block of which the first `count` bytes stay, 0…16, and the others are zero. */
@inline
export function firstBytes(block: v128, count: u32): v128 {
  return v128.and(block, v128.load(WINDOW + 16 - count))
}

function addAll(sum: v128, from: usize, bytes: u32): v128 {
  let left = bytes
  for (; left >= BLOCK_BYTES; left -= BLOCK_BYTES, from += BLOCK_BYTES) sum = times(v128.xor(sum, v128.load(from)))
  return left === 0 ? sum : times(v128.xor(sum, firstBytes(v128.load(from), left)))
}

/** Times the key. The bytes of a lane come first byte lowest, and of a byte its upper half is the earlier one. */
@inline
function times(block: v128): v128 {
  let left = i64x2.extract_lane(block, 0)
  let right = i64x2.extract_lane(block, 1)
  let product = i64x2.splat(0)
  for (let table = TABLES; table < TABLES + 16 * TABLE_BYTES; table += 2 * TABLE_BYTES, left >>= 8, right >>= 8) {
    const inLeft = v128.xor(upper(table, left), lower(table + TABLE_BYTES, left))
    const inRight = v128.xor(upper(table + 16 * TABLE_BYTES, right), lower(table + 17 * TABLE_BYTES, right))
    product = v128.xor(product, v128.xor(inLeft, inRight))
  }
  return product
}

@inline
function upper(table: usize, byte: u64): v128 {
  return v128.load(table + <usize>(byte & 0xf0))
}

@inline
function lower(table: usize, byte: u64): v128 {
  return v128.load(table + (<usize>(byte & 0x0f) << 4))
}

@inline
function element(table: usize, value: usize): v128 {
  return v128.load(table + (value << 4))
}
