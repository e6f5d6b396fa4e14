import { randomBytes } from 'node:crypto'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { CASES_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import type { RegisteredImage, Signal } from '../../packages/core/src/matching/signal.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { Catalogue } from '../../src/services/index/catalogue.js'

/** A picture of a case, with only a PDQ hash. */
export function imageOf(hash: Hash256): RegisteredImage {
  return imageWith([{ type: 'pdq', view: 'whole', quality: 100, hash }])
}

/** The same with these signals. */
export function imageWith(signals: readonly Signal[]): RegisteredImage {
  return {
    bank: CASES_BANK_NAME,
    tier: 'self-reported',
    category: undefined,
    ref: undefined,
    createdAtMs: 1,
    signals,
  }
}

/** A catalogue with that many pictures of random hashes. */
export function catalogueOf(count: number): {
  readonly catalogue: Catalogue
  readonly images: { readonly id: string; readonly hash: Hash256 }[]
} {
  const catalogue = new Catalogue()
  const images = Array.from({ length: count }, () => {
    const hash = hashFromBytes(randomBytes(32))
    const id = uuidV7(Date.now(), randomBytes(10))
    catalogue.put(id, imageOf(hash))
    return { id, hash }
  })
  return { catalogue, images }
}
