// Whole numbers for images, for systems whose ids are numbers: an organisation's own, and with no table behind them.

import { createCipheriv, hkdfSync } from 'node:crypto'
import { parseUuid } from '../../domain/ids.js'

export interface ContentIds {
  /** 1 … 2⁵² − 1, so that every client can hold it. The same for the same image and organisation. */
  idFor(orgId: string, imageId: string): number
}

/** Keys are made anew when there are more organisations than that: memory stays bounded. */
const MAX_ORGS = 10_000

/**
 * 52 bits of AES of the image's id, under a key of the organisation's. Of ten million images two have the same number with a chance of one
 * in ninety; whoever looks an image up by its number also knows its bank, so of a bank of a million it is one in nine thousand.
 */
export function createContentIds(secret: Buffer): ContentIds {
  const ciphers = new Map<string, ReturnType<typeof createCipheriv>>()
  return {
    idFor(orgId, imageId) {
      const id = parseUuid(imageId)
      if (id === undefined) throw new RangeError('an image id is a UUID')
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
