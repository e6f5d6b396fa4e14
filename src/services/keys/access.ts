// API keys: made once and shown once, recognised from memory.

import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { uuidV7 } from '../../../packages/core/src/ids.js'
import type { Caller, OrgKind, Scope } from '../../domain/organisations/access.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import { Problem } from '../../domain/problem.js'
import { isWithin } from '../../net/networks.js'
import type { ApiKey, ApiKeys } from '../../store/organisations/api-keys.js'

/**
 * tbr_<env>_<id>_<secret><check>: a prefix for secret scanners (docs/runbook.md has the expression), 260 random bits, and a checksum that rejects
 * typing errors without a look-up. Crockford's alphabet in lower case.
 */
export const KEY_PATTERN = /^tbr_[a-z]{2,8}_([0-9a-hjkmnp-tv-z]{10})_[0-9a-hjkmnp-tv-z]{52}([0-9a-hjkmnp-tv-z]{7})$/
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const CHECK_DIGITS = 7

export interface NewKey {
  readonly org: string
  readonly kind: OrgKind
  readonly scopes: ReadonlySet<Scope>
  /** The deployment's label, for example `live` or `test`. */
  readonly env: string
  readonly nowMs: number
  readonly expiresAtMs?: number | undefined
  /** In the form that `isNetwork` accepts; undefined for everywhere. */
  readonly networks?: readonly string[] | undefined
  /** Who creates the key; the operator at the command line if omitted. */
  readonly by?: AuditActor
}

/** Returned only once. */
export interface ShownKey {
  readonly keyId: string
  readonly key: string
}

/** Creates a key, and its organisation if that is new. The text of the key is not stored. */
export async function createApiKey(
  apiKeys: ApiKeys,
  { org, kind, scopes, env, nowMs, expiresAtMs, networks, by }: NewKey,
): Promise<ShownKey> {
  const orgId = await apiKeys.ensureOrg({ name: org, kind, newId: uuidV7(nowMs, randomBytes(10)) })
  const { secretSha256, ...shown } = newKey(env)
  const { keyId } = shown
  const createdAtMs = nowMs
  await apiKeys.add({ keyId, orgId, scopes, secretSha256, createdAtMs, expiresAtMs, networks, suspendedAtMs: undefined }, by)
  return shown
}

export interface KeyRotation {
  readonly keyId: string
  readonly env: string
  readonly nowMs: number
  readonly overlapMs: number
  readonly by?: AuditActor
}

/**
 * Replaces a key with a new one of the same organisation, scopes, networks and expiry. The old key stays valid for `overlapMs`, but not beyond its
 * own expiry. Makes both changes in one step.
 * @returns `undefined` if there is no such key.
 */
export async function rotateApiKey(
  apiKeys: ApiKeys,
  { keyId, env, nowMs, overlapMs, by = 'operator' }: KeyRotation,
): Promise<ShownKey | undefined> {
  const { secretSha256, ...shown } = newKey(env)
  const revision = await apiKeys.change(
    keyId,
    (key) => ({
      key: { ...key, expiresAtMs: Math.min(key.expiresAtMs ?? Number.POSITIVE_INFINITY, nowMs + overlapMs) },
      // The successor of a suspended key is suspended, so that rotating does not end a suspension.
      successor: { ...key, keyId: shown.keyId, secretSha256, createdAtMs: nowMs },
    }),
    { act: 'key.rotated', by, about: { keyId, successorId: shown.keyId }, atMs: nowMs },
  )
  return revision === undefined ? undefined : shown
}

/** Where a request comes from, and when. */
export interface Origin {
  /** Undefined if unknown: then keys that are bound to networks are not valid. */
  readonly address: string | undefined
  readonly nowMs: number
}

/**
 * @returns the caller with this key; `undefined` if the key is unknown, wrong, expired, or used from a network that it is not bound to. Reads only
 *   memory. The comparison takes constant time, whether the key exists or not.
 * @throws {Problem} key-suspended, only if the whole key is right
 */
export function identify(apiKeys: ReadonlyMap<string, ApiKey>, key: string, origin: Origin): Caller | undefined {
  const [, keyId, given] = KEY_PATTERN.exec(key) ?? []
  if (keyId === undefined || given !== check(key.slice(0, -CHECK_DIGITS))) return undefined
  const known = apiKeys.get(keyId)
  const isRight = timingSafeEqual(secretOf(known), sha256(key))
  if (known === undefined || !isRight) return undefined
  const { expiresAtMs, networks, suspendedAtMs } = known
  if (expiresAtMs !== undefined && expiresAtMs <= origin.nowMs) return undefined
  if (networks !== undefined && (origin.address === undefined || !isWithin(networks, origin.address))) return undefined
  if (suspendedAtMs !== undefined) throw new Problem('key-suspended')
  return known
}

/** Compared with the given key if the key is unknown. As long as a real hash. */
const NO_SECRET = Buffer.alloc(32)

/** Parsed hashes of secrets: parsed once per key, not per request. */
const secrets = new WeakMap<ApiKey, Buffer>()

function secretOf(key: ApiKey | undefined): Buffer {
  if (key === undefined) return NO_SECRET
  const known = secrets.get(key)
  if (known !== undefined) return known
  const secret = Buffer.from(key.secretSha256, 'hex')
  secrets.set(key, secret)
  return secret
}

/** The token of an `Authorization: Bearer` header; `undefined` when there is none. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]{1,512})$/i.exec(header ?? '')?.[1]
}

function newKey(env: string): ShownKey & Pick<ApiKey, 'secretSha256'> {
  const keyId = digits(randomBytes(10))
  const body = `tbr_${env}_${keyId}_${digits(randomBytes(52))}`
  const key = body + check(body)
  return { keyId, key, secretSha256: sha256(key).toString('hex') }
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
  return hash('sha256', text, 'buffer')
}
