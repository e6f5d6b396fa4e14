// Match ids: what a tenant may call an image by. Only this deployment can tell which image it is, and nobody can join two tenants'.

import { createCipheriv, hkdfSync, timingSafeEqual } from 'node:crypto'
import { formatUuid, parseUuid } from '../../domain/ids.js'

export interface MatchIds {
  /** The same for the same image and tenant, and for no other tenant. 43 characters of base64url. */
  idFor(orgId: string, imageId: string): string
  /**
   * The image that this tenant was told of by this id. @returns `undefined` for whatever is none: made up, changed, another tenant's.
   * Says nothing of whether the image is still there.
   */
  imageOf(orgId: string, matchId: string): string | undefined
}

/**
 * A synthetic IV (RFC 5297's construction): the id of the image under keys of the tenant's, its MAC first, and then itself, encrypted under
 * that MAC. No table of matches is needed to know the image again, and a match touches no store. An id is one block always, so AES of it
 * is a MAC (CBC-MAC of messages of one length, as CMAC is), and CTR is the XOR with one block.
 *
 * Cost: about as much as one HMAC, for each match; 50 µs for the first of a tenant.
 */
export function createMatchIds(secret: Buffer): MatchIds {
  const tenants = new Map<string, Tenant>()
  const tenantOf = (orgId: string) => {
    const known = tenants.get(orgId)
    if (known !== undefined) return known
    const made = tenantWith(secret, orgId)
    if (tenants.size >= MAX_TENANTS) tenants.clear()
    tenants.set(orgId, made)
    return made
  }

  return {
    idFor(orgId, imageId) {
      const id = parseUuid(imageId)
      if (id === undefined) throw new RangeError('an image id is a UUID')
      const { macOf, blockOf } = tenantOf(orgId)
      const mac = macOf(id)
      const pad = blockOf(mac)
      const bytes = Buffer.allocUnsafe(2 * ID_BYTES)
      for (let i = 0; i < ID_BYTES; i++) {
        bytes[i] = mac[i] ?? 0
        bytes[ID_BYTES + i] = (id[i] ?? 0) ^ (pad[i] ?? 0)
      }
      return bytes.toString('base64url')
    },
    imageOf(orgId, matchId) {
      if (!MATCH_ID_PATTERN.test(matchId)) return undefined
      const bytes = Buffer.from(matchId, 'base64url')
      const { macOf, blockOf } = tenantOf(orgId)
      const mac = bytes.subarray(0, ID_BYTES)
      const id = xor(bytes.subarray(ID_BYTES), blockOf(mac))
      // Another text of the same bytes would be a second id of one match.
      if (!timingSafeEqual(mac, macOf(id)) || bytes.toString('base64url') !== matchId) return undefined
      return formatUuid(id)
    },
  }
}

export const MATCH_ID_PATTERN = /^[A-Za-z0-9_-]{43}$/

const ID_BYTES = 16
/** Keys are made anew when there are more tenants than that: memory stays bounded. */
const MAX_TENANTS = 10_000

interface Tenant {
  /** [16 bytes] */
  readonly macOf: (id: Uint8Array) => Buffer
  /** What 16 bytes become under the cipher. */
  readonly blockOf: (bytes: Uint8Array) => Buffer
}

function tenantWith(secret: Buffer, orgId: string): Tenant {
  const keys = Buffer.from(hkdfSync('sha256', secret, orgId, 'tabir match id 3', 64))
  const mac = blockCipher(keys.subarray(0, 32))
  const pad = blockCipher(keys.subarray(32))
  return { macOf: (id) => mac.update(id), blockOf: (bytes) => pad.update(bytes) }
}

/** One for all blocks of a key: to make one costs more than a hundred blocks. */
function blockCipher(key: Uint8Array) {
  return createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
}

function xor(one: Uint8Array, other: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(ID_BYTES)
  for (let i = 0; i < ID_BYTES; i++) bytes[i] = (one[i] ?? 0) ^ (other[i] ?? 0)
  return bytes
}
