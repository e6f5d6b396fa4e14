// Unseals image records by the million: the AES-256-GCM of `seal.ts`, ten times as fast as one by one.

import { DOES_NOT_OPEN, KEY_MISSING, NOT_SEALED, SEALED, SealError, type SealKey } from '../../sealing/seal.js'
import { IMAGE_CONTEXT } from '../image-record.js'
import { aes256, GcmBatch } from './gcm.js'
import type { Opener } from './opener-type.js'
import { proveOpener } from './proof.js'

/**
 * @param keys as in `Keyring.keys`.
 * @throws {Error} when the self-test (proof.ts) fails.
 *
 * Cost: 10 ms.
 */
export function makeOpener(keys: readonly SealKey[]): Opener {
  const batch = new GcmBatch()
  proveOpener((probeKeys) => openerIn(batch, probeKeys))
  return openerIn(batch, keys)
}

const ID_BYTES = 16
const CONTEXT_BYTES = IMAGE_CONTEXT.length + ID_BYTES
/** Bytes of sealed records per batch. The longest record (`RECORD.maxRows`) has 701 KB; most have a few KB. */
const INPUT_BYTES = 1 << 20

function openerIn(batch: GcmBatch, keys: readonly SealKey[]): Opener {
  const { bytes } = batch
  const ring = keys.map(({ hint, key }) => ({ hint, cipher: aes256(key) }))
  const froms = new Uint32Array(batch.capacity)
  const tos = new Uint32Array(batch.capacity)
  // The contexts of the records follow the input. The listener gets the id from there: the one that the tag was checked with.
  const contextAt = (record: number) => INPUT_BYTES + CONTEXT_BYTES * record
  for (let record = 0; record < batch.capacity; record++) bytes.set(IMAGE_CONTEXT, contextAt(record))

  function refuse(message: string): never {
    batch.clear()
    bytes.fill(0, 0, INPUT_BYTES)
    throw new SealError(message)
  }

  return {
    bytes,
    inputBytes: INPUT_BYTES,
    get isFull() {
      return batch.count === batch.capacity
    },
    add(idAt, from, to) {
      const ciphertextBytes = to - from - SEALED.minBytes
      if (ciphertextBytes < 0 || bytes[from] !== SEALED.version) refuse(NOT_SEALED)
      if (to > INPUT_BYTES) throw new RangeError('a record lies outside of the input')
      const record = batch.count
      const context = contextAt(record)
      batch.add(bytes[from + SEALED.hintAt] ?? 0, from + SEALED.nonceAt, ciphertextBytes, context, CONTEXT_BYTES)
      for (let i = 0; i < ID_BYTES; i++) bytes[context + IMAGE_CONTEXT.length + i] = bytes[idAt + i] ?? 0
      froms[record] = from + SEALED.ciphertextAt
      tos[record] = to - SEALED.tagBytes
    },
    open(listener) {
      for (const { hint, cipher } of ring) batch.open(hint, cipher)
      const { count, waitsFor } = batch
      if (waitsFor !== undefined) refuse(ring.some(({ hint }) => hint === waitsFor) ? DOES_NOT_OPEN : KEY_MISSING)
      batch.clear()
      for (let record = 0; record < count; record++) {
        listener(contextAt(record) + IMAGE_CONTEXT.length, froms[record] ?? 0, tos[record] ?? 0)
      }
    },
  }
}
