import { CASES_BANK_NAME } from '../../src/domain/bank.js'
import type { RegisteredImage } from '../../src/domain/signal.js'
import type { Hash256 } from '../../src/hash/hash256.js'

/** A picture of somebody's case, of which no more than its PDQ hash is known. */
export function imageOf(hash: Hash256): RegisteredImage {
  return {
    bank: CASES_BANK_NAME,
    tier: 'self-reported',
    category: undefined,
    ref: undefined,
    createdAtMs: 1,
    signals: [{ type: 'pdq', view: 'whole', quality: 100, hash }],
  }
}
