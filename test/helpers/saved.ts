// Images that two processes generate identically: one saves them, the other checks them.

import { createHash } from 'node:crypto'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { CASES_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'

/** Enough rows for a head to become a segment. */
export const SAVED_IMAGES = 70_000
export const SAVED_KEYRING = makeKeyring([Buffer.alloc(32, 7)])
export const SAVED_SECRET = Buffer.alloc(32, 9)

export function savedId(n: number): string {
  return uuidV7(n, digest(`id ${n}`))
}

export function savedHash(seed: string | number): Hash256 {
  return hashFromBytes(digest(`hash ${seed}`))
}

export function savedImage(seed: string | number): RegisteredImage {
  return {
    bank: CASES_BANK_NAME,
    tier: 'verified',
    category: undefined,
    ref: undefined,
    createdAtMs: 1,
    signals: [{ type: 'pdq', view: 'whole', quality: 100, hash: savedHash(seed) }],
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
