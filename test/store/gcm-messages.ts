// Messages for a `GcmBatch`, added like its real caller does.

import type { BlockCipher, GcmBatch } from '../../src/store/images/reader/gcm.js'

export interface SealedMessage {
  /** [12 bytes] */
  readonly nonce: Uint8Array
  readonly context: Uint8Array
  /** The ciphertext, then the tag. */
  readonly sealed: Uint8Array
}

/** Any byte, because these batches have one key. */
export const KEY = 7

/** @returns the plaintexts if all messages opened, otherwise `undefined`. */
export function openAll(
  batch: GcmBatch,
  cipher: BlockCipher,
  messages: readonly SealedMessage[],
): readonly Buffer[] | undefined {
  const places = addAll(batch, messages)
  batch.open(KEY, cipher)
  const { waitsFor } = batch
  batch.clear()
  return waitsFor === undefined ? places.map(([from, to]) => Buffer.from(batch.bytes.slice(from, to))) : undefined
}

/** @returns where the ciphertext of each message begins and ends. */
export function addAll(batch: GcmBatch, messages: readonly SealedMessage[]): readonly (readonly [number, number])[] {
  let at = 0
  return messages.map(({ nonce, context, sealed }) => {
    const [contextAt, nonceAt] = [at, at + context.length]
    const ciphertextBytes = sealed.length - 16
    batch.bytes.set(context, contextAt)
    batch.bytes.set(nonce, nonceAt)
    batch.bytes.set(sealed, nonceAt + 12)
    batch.add(KEY, nonceAt, ciphertextBytes, contextAt, context.length)
    at = nonceAt + 12 + sealed.length
    return [nonceAt + 12, nonceAt + 12 + ciphertextBytes]
  })
}
