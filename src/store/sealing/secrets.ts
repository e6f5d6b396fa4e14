// Random secrets of the deployment, sealed in Redis. All processes share them, and a wrong seal key is noticed at the start.

import { randomBytes } from 'node:crypto'
import type { Store } from '../redis/client.js'
import { agreeOnFormat } from '../redis/format.js'
import { keys } from '../redis/keys.js'
import { addSecret } from '../scripts/add-secret.js'
import type { Keyring } from './seal.js'
import { SealError } from './seal.js'

/**
 * caseNumber: keys the hash of the case number that is the case's id, so that the store does not reveal case numbers.
 * pin: keys an HMAC of each PIN before scrypt, so that PINs cannot be guessed from a stolen store.
 * signalId: keys the ids of bank signals.
 * matchId: keys match ids per tenant, so that two platforms cannot join their logs.
 * complaint: keys the stored hash of a complaint number.
 * idempotency: keys the names of answers stored for repeated requests.
 * receipt: the private key that receipts are signed with.
 * audit: binds each entry of the audit log to the one before.
 * details: determines the descriptor permutation, the order in which bits of details are stored.
 * feed: seals the cursors of feed readers.
 * pseudonym: keys the pseudonyms of organisations in decisions, so that the store does not reveal who decided what.
 */
const SECRET_NAMES = [
  'caseNumber',
  'pin',
  'signalId',
  'matchId',
  'receipt',
  'idempotency',
  'complaint',
  'details',
  'pseudonym',
  'audit',
  'feed',
] as const
export type Secrets = Readonly<Record<(typeof SECRET_NAMES)[number], Buffer>>

/** True when anything was ever sealed in this store. @throws {Problem} store-unavailable */
export async function hasSecrets(store: Store): Promise<boolean> {
  return (await store.ask((redis) => redis.exists(keys.secrets))) === 1
}

/** Reads the secrets and makes missing ones. @throws {SealError} when the ring does not open the stored ones. Nothing is written then. */
export async function loadSecrets(store: Store, keyring: Keyring): Promise<Secrets> {
  const present = await store.ask((redis) => redis.hgetallBuffer(keys.secrets))
  for (const [name, sealed] of Object.entries(present)) open(keyring, name, sealed)
  // Before the first secret: a store that has secrets and no format is an older one.
  if (Object.keys(present).length === 0) await agreeOnFormat(store)
  const load = async (name: (typeof SECRET_NAMES)[number]) => {
    const sealed =
      present[name] ??
      (await store.write(addSecret, [keys.secrets], [name, keyring.seal(randomBytes(32), secretContext(name))]))
    if (!Buffer.isBuffer(sealed)) throw new Error('a secret is bytes')
    return open(keyring, name, sealed)
  }
  return {
    caseNumber: await load('caseNumber'),
    pin: await load('pin'),
    signalId: await load('signalId'),
    matchId: await load('matchId'),
    receipt: await load('receipt'),
    idempotency: await load('idempotency'),
    complaint: await load('complaint'),
    details: await load('details'),
    pseudonym: await load('pseudonym'),
    audit: await load('audit'),
    feed: await load('feed'),
  }
}

function open(keyring: Keyring, name: string, sealed: Buffer): Buffer {
  try {
    return keyring.unseal(sealed, secretContext(name))
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    throw new SealError(
      'The seal keys do not open what is stored in this Redis. Start with the TABIR_SEAL_KEYS or the key file that belongs to it. Nothing was changed.',
    )
  }
}

/** What a secret of this name is sealed for. */
export function secretContext(name: string): Buffer {
  return Buffer.from(`secret:${name}`)
}
