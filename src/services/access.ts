// API keys: made once and shown once, recognised from memory.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Caller, OrgKind, Scope } from '../domain/access.js'
import { uuidV7 } from '../domain/ids.js'
import type { ApiKey, ApiKeys } from '../store/api-keys.js'

/*
 * tbr_<env>_<id>_<secret><check>: a prefix that secret scanners find, 260 random bits, and a checksum that refuses a typo
 * without looking anything up. Crockford's alphabet in lower case.
 */
const KEY_PATTERN = /^tbr_[a-z]{2,8}_([0-9a-hjkmnp-tv-z]{10})_[0-9a-hjkmnp-tv-z]{52}([0-9a-hjkmnp-tv-z]{7})$/
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const CHECK_DIGITS = 7

export interface NewKey {
  readonly org: string
  readonly kind: OrgKind
  readonly scopes: ReadonlySet<Scope>
  /** The deployment's label, for example `live` or `test`. */
  readonly env: string
  readonly nowMs: number
}

/** Makes a key for an organisation, and the organisation if it is new. The key's text is not kept anywhere. */
export async function createApiKey(
  apiKeys: ApiKeys,
  { org, kind, scopes, env, nowMs }: NewKey,
): Promise<{ keyId: string; key: string }> {
  const orgId = await apiKeys.ensureOrg({ name: org, kind, newId: uuidV7(nowMs, randomBytes(10)) })
  const keyId = digits(randomBytes(10))
  const body = `tbr_${env}_${keyId}_${digits(randomBytes(52))}`
  const key = body + check(body)
  await apiKeys.add({ keyId, orgId, scopes, secretSha256: sha256(key).toString('hex'), createdAtMs: nowMs })
  return { keyId, key }
}

/** @returns who shows this key; `undefined` when nobody does. Looks nothing up outside memory; comparing takes constant time. */
export function identify(apiKeys: ReadonlyMap<string, ApiKey>, key: string): Caller | undefined {
  const [, keyId, given] = KEY_PATTERN.exec(key) ?? []
  if (keyId === undefined || given !== check(key.slice(0, -CHECK_DIGITS))) return undefined
  const known = apiKeys.get(keyId)
  if (known === undefined || !timingSafeEqual(Buffer.from(known.secretSha256, 'hex'), sha256(key))) return undefined
  return known
}

/** The token of an `Authorization: Bearer` header; `undefined` when there is none. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]{1,512})$/i.exec(header ?? '')?.[1]
}

function check(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let i = 0; i < CHECK_DIGITS; i++) {
    text = ALPHABET.charAt(rest & 31) + text
    rest >>>= 5
  }
  return text
}

function digits(random: Uint8Array): string {
  return Array.from(random, (byte) => ALPHABET.charAt(byte & 31)).join('')
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
