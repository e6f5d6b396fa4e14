// A digest of all that distinguishes a query from others.

import { createHash } from 'node:crypto'
import type { HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'

/** Called once, when the first blurred image is near. */
export type DigestOfQuery = () => Uint8Array

/** Digests all hashes of a query: one that was left out could be changed without changing the blur. Pauses after each signal. */
export function* digestSteps(signals: Iterable<HashedSignal>): Generator<void, Uint8Array, void> {
  const digest = createHash('sha256')
  for (const { type, view, hashes } of signals) {
    digest.update(`${type} ${view} ${hashes.length} `)
    for (const hash of hashes) digest.update(hash)
    yield
  }
  return digest.digest()
}

/** The same at once, for a picture. */
export function digestOf(signals: Iterable<HashedSignal>): Uint8Array {
  const steps = digestSteps(signals)
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}
