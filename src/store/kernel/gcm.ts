// Opens messages sealed with a block cipher in Galois/Counter Mode (NIST SP 800-38D), many at once: everything except the
// cipher, which is not ours to write. AssemblyScript; compiled by build.mjs.
//
//   rows → counter blocks → (encrypted by the caller, all in one call) → tags compared → messages opened in place
//
// Only for nonces of 12 bytes and tags of 16. A message's blocks are counted from 2, its tag is masked by block 1; so short of
// 64 GB the counter cannot come round.

import { firstBytes, ghash, takeHashKey } from './ghash'
import {
  BLOCK_BYTES,
  HASH_KEY,
  INPUT,
  INPUT_BYTES,
  MAX_ROWS,
  NONCE_BYTES,
  OPENED,
  ROW_BYTES,
  ROW_CIPHERTEXT_BYTES,
  ROW_CONTEXT,
  ROW_CONTEXT_BYTES,
  ROW_NONCE,
  ROW_STATE,
  ROWS,
  STREAM,
  STREAM_BYTES,
} from './layout'

export { HASH_KEY, INPUT, INPUT_BYTES, MAX_ROWS, OPENED, ROW_BYTES, ROWS, STREAM, STREAM_BYTES, takeHashKey }

/**
 * Writes the counter blocks of the first `rows` messages that wait for `key` to `STREAM`.
 *
 * @returns their size in bytes. The caller makes sure that they fit.
 */
export function writeCounters(rows: usize, key: u32): u32 {
  let at = STREAM
  for (let row = ROWS, end = ROWS + rows * ROW_BYTES; row < end; row += ROW_BYTES) {
    if (load<u32>(row, ROW_STATE) !== key) continue
    const nonce = INPUT + load<u32>(row, ROW_NONCE)
    const first = load<u64>(nonce)
    const rest = load<u32>(nonce, 8)
    const blocks = blocksOf(load<u32>(row, ROW_CIPHERTEXT_BYTES))
    for (let counter: u32 = 1; counter <= blocks; counter++, at += BLOCK_BYTES) {
      store<u64>(at, first)
      store<u32>(at, rest, 8)
      store<u32>(at, bswap<u32>(counter), 12)
    }
  }
  return <u32>(at - STREAM)
}

/**
 * Of the same messages, opens those whose tag matches, in place, and marks them as `OPENED`. The tag is computed from the ciphertext, so no byte of
 * the other messages is decrypted. All 16 bytes of a tag are compared in one step.
 */
export function openRows(rows: usize, key: u32): void {
  let stream = STREAM
  for (let row = ROWS, end = ROWS + rows * ROW_BYTES; row < end; row += ROW_BYTES) {
    if (load<u32>(row, ROW_STATE) !== key) continue
    const ciphertext = INPUT + load<u32>(row, ROW_NONCE) + NONCE_BYTES
    const bytes = load<u32>(row, ROW_CIPHERTEXT_BYTES)
    const sum = ghash(INPUT + load<u32>(row, ROW_CONTEXT), load<u32>(row, ROW_CONTEXT_BYTES), ciphertext, bytes)
    const tag = v128.xor(sum, v128.load(stream))
    if (!v128.any_true(v128.xor(tag, v128.load(ciphertext + bytes)))) {
      decrypt(ciphertext, bytes, stream + BLOCK_BYTES)
      store<u32>(row, OPENED, ROW_STATE)
    }
    stream += blocksOf(bytes) * BLOCK_BYTES
  }
}

/** @returns for which key the first message waits that is not opened, or `OPENED` when all are. */
export function firstWaiting(rows: usize): u32 {
  for (let row = ROWS, end = ROWS + rows * ROW_BYTES; row < end; row += ROW_BYTES) {
    const state = load<u32>(row, ROW_STATE)
    if (state !== OPENED) return state
  }
  return OPENED
}

/** One for the tag, and one for each 16 bytes begun. */
@inline
function blocksOf(bytes: u32): u32 {
  return 1 + (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES
}

/** Decrypts in place. Bytes after the message stay unchanged. */
@inline
function decrypt(at: usize, bytes: u32, stream: usize): void {
  let left = bytes
  for (; left >= BLOCK_BYTES; left -= BLOCK_BYTES, at += BLOCK_BYTES, stream += BLOCK_BYTES) {
    v128.store(at, v128.xor(v128.load(at), v128.load(stream)))
  }
  v128.store(at, v128.xor(v128.load(at), firstBytes(v128.load(stream), left)))
}
