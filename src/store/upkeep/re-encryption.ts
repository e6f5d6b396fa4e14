// Re-encryption of everything in Redis that is sealed under the key ring, and a count of what is under which key.

import { inChunks } from '../../domain/in-chunks.js'
import { fetchedContext } from '../exchange/fetched-record.js'
import { imageContext } from '../images/image-record.js'
import { pointsContext } from '../images/points-record.js'
import type { Store } from '../redis/client.js'
import type { Arg } from '../redis/durable-writer.js'
import { keys } from '../redis/keys.js'
import { scanKeys } from '../redis/paging.js'
import { reencrypt } from '../scripts/re-encryption.js'
import { type Keyring, SEALED, SealError } from '../sealing/seal.js'
import { secretContext } from '../sealing/secrets.js'
import { contextNameContext } from '../trust/contexts.js'
import { watchContext } from '../watch/watches.js'
import { webhookContext } from '../webhooks/webhooks.js'

/**
 * A kind of Redis key whose values (or, for a hash, whose fields' values) are sealed. Everything sealed under the ring needs a row here:
 * otherwise it stays under an old key, and is lost when that key is retired.
 */
interface SealedPlace {
  readonly name: string
  readonly type: 'hash' | 'string'
  /** The keys, or a pattern that finds them. */
  readonly keys: readonly string[] | { readonly pattern: string }
  /** The context that a field's value is sealed with. For a string the field is empty. */
  readonly contextOf: (key: string, field: Buffer) => Uint8Array
}

const SEALED_PLACES: readonly SealedPlace[] = [
  { name: 'secrets', type: 'hash', keys: [keys.secrets], contextOf: (_, field) => secretContext(field.toString('utf8')) },
  { name: 'images', type: 'hash', keys: { pattern: keys.imagesPattern }, contextOf: (_, id) => imageContext(id) },
  { name: 'details', type: 'hash', keys: { pattern: keys.detailsPattern }, contextOf: (_, id) => pointsContext(id) },
  { name: 'fetched', type: 'hash', keys: { pattern: keys.fetchedPattern }, contextOf: (_, name) => fetchedContext(name) },
  {
    name: 'withdrawn hashes',
    type: 'string',
    keys: { pattern: keys.withdrawnHashPattern },
    contextOf: (key) => fetchedContext(Buffer.from(key.slice(keys.withdrawnHash('').length), 'hex')),
  },
  { name: 'watches', type: 'hash', keys: { pattern: keys.watchesPattern }, contextOf: (_, id) => watchContext(id) },
  { name: 'webhooks', type: 'hash', keys: [keys.webhooks], contextOf: (_, id) => webhookContext(id.toString('utf8')) },
  {
    name: 'contexts',
    type: 'hash',
    keys: { pattern: keys.contextNames('*') },
    contextOf: (key, field) => contextNameContext(key.slice(keys.contextNames('').length), field.toString('latin1')),
  },
]

export interface Census {
  /** Name of a `SealedPlace` → fingerprint of a seal key, or `unknown` → number of values. */
  readonly [place: string]: Readonly<Record<string, number>>
}

export interface ReencryptProgress {
  /** Values read so far. */
  readonly checked: number
  /** Values moved to the active key so far. */
  readonly reencrypted: number
}

/** Counts sealed values per seal key. @throws {Problem} store-unavailable. Cost: reads every value, a few µs each. */
export async function census(store: Store, keyring: Keyring): Promise<Census> {
  const counts = new Map<string, Census[string]>()
  for (const place of SEALED_PLACES) {
    const ofPlace = new Map<string, number>()
    for await (const { fields } of sealedIn(store, place)) {
      for (const [, sealed] of fields) {
        const named = keyring.named.filter(({ hint }) => sealed[0] === SEALED.version && hint === sealed[SEALED.hintAt])
        for (const name of named.length === 0 ? ['unknown'] : named.map(({ fingerprint }) => fingerprint)) {
          ofPlace.set(name, (ofPlace.get(name) ?? 0) + 1)
        }
      }
    }
    counts.set(place.name, Object.fromEntries(ofPlace))
  }
  return Object.fromEntries(counts)
}

/**
 * Re-encrypts every value that is not under the active key, while other processes read and write. After an interruption, run it again: values under
 * the active key are skipped.
 *
 * @throws {SealError} at the first value that no key of the ring opens; it stays as it is. Also when two keys of the ring have the same hint.
 * @throws {Problem} store-unavailable
 * Cost: about 15 µs for each re-encrypted value, 3 µs for each skipped one.
 */
export async function reencryptAll(
  store: Store,
  keyring: Keyring,
  onProgress: (progress: ReencryptProgress) => void,
): Promise<ReencryptProgress> {
  const { active, named } = keyring
  if (named.some(({ hint, fingerprint }) => hint === active.hint && fingerprint !== active.fingerprint)) {
    throw new SealError('Two keys of the ring cannot be told apart in what they sealed. Take another new key.')
  }
  let checked = 0
  let reencrypted = 0
  for (const place of SEALED_PLACES) {
    for await (const { key, fields } of sealedIn(store, place)) {
      let args: Arg[] = []
      let bytes = 0
      const write = async () => {
        if (args.length > 0) reencrypted += Number(await store.write(reencrypt, [key], args))
        args = []
        bytes = 0
      }
      for (const [field, sealed] of fields) {
        checked++
        if (sealed[0] === SEALED.version && sealed[SEALED.hintAt] === active.hint) continue
        const context = place.contextOf(key, field)
        const plain = keyring.unseal(sealed, context)
        args.push(field, sealed, keyring.seal(plain, context))
        bytes += 2 * sealed.length
        plain.fill(0)
        if (args.length >= 3 * AT_ONCE || bytes >= BYTES_AT_ONCE) await write()
      }
      await write()
      onProgress({ checked, reencrypted })
    }
  }
  return { checked, reencrypted }
}

/** Values per script: bounds how long Redis is busy, and the number of arguments. */
const AT_ONCE = 500
const BYTES_AT_ONCE = 4 << 20
const KEYS_AT_ONCE = 64

async function* sealedIn(
  store: Store,
  place: SealedPlace,
): AsyncGenerator<{ readonly key: string; readonly fields: [field: Buffer, sealed: Buffer][] }> {
  // The scan may miss a key that is made meanwhile: that one is sealed under the active key already.
  const all = 'pattern' in place.keys ? await scanKeys(store, place.keys.pattern) : place.keys
  for (const some of inChunks(all, KEYS_AT_ONCE)) {
    const command = place.type === 'hash' ? 'HGETALL' : 'GET'
    const values = await store.ask((redis) => Promise.all(some.map((key) => redis.callBuffer(command, key))))
    for (const [i, value] of values.entries()) {
      const key = some[i]
      const fields = fieldsIn(value)
      if (key !== undefined && fields.length > 0) yield { key, fields }
    }
  }
}

/** Fields and values of a GET or HGETALL reply. A string has one field with an empty name. */
function fieldsIn(flat: unknown): [Buffer, Buffer][] {
  if (Buffer.isBuffer(flat)) return [[Buffer.alloc(0), flat]]
  const fields: [Buffer, Buffer][] = []
  if (!Array.isArray(flat)) return fields
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const field: unknown = flat[i]
    const sealed: unknown = flat[i + 1]
    if (Buffer.isBuffer(field) && Buffer.isBuffer(sealed)) fields.push([field, sealed])
  }
  return fields
}
