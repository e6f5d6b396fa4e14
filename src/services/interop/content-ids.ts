// Integer ids of images, for systems whose content ids are integers. Each organisation has its own; they are computed, not stored.

import { createCipheriv, hkdfSync } from 'node:crypto'
import { idBytes } from '../../../packages/core/src/ids.js'

export interface ContentIds {
  /** 1 to 2⁵² − 1, which every JSON client can represent. Deterministic. @throws {RangeError} when `imageId` is not a UUID */
  idFor(orgId: string, imageId: string): number
}

/** Bound of the cache of ciphers. It is emptied when it is full. */
const MAX_ORGS = 10_000

/**
 * An id is 52 bits of AES of the image id, under a key of the organisation. Among ten million images, two share an id with a probability of 1 in 90.
 * Lookups also name the bank: among a million images of a bank it is 1 in 9,000.
 */
export function createContentIds(secret: Buffer): ContentIds {
  const ciphers = new Map<string, ReturnType<typeof createCipheriv>>()
  return {
    idFor(orgId, imageId) {
      const id = idBytes(imageId)
      let cipher = ciphers.get(orgId)
      if (cipher === undefined) {
        if (ciphers.size >= MAX_ORGS) ciphers.clear()
        const key = Buffer.from(hkdfSync('sha256', secret, orgId, 'tabir content id 1', 32))
        cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
        ciphers.set(orgId, cipher)
      }
      const block = cipher.update(id)
      return Math.max(1, block.readUIntBE(0, 6) * 16 + ((block[6] ?? 0) >> 4))
    },
  }
}
