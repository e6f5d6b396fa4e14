// All that is sealed under the ring, wherever it lies in Redis: how much is under which key, and sealing it anew.

import { fetchedContext } from '../exchange/fetched.js'
import { imageContext } from '../images/image-record.js'
import { pointsContext } from '../images/points-record.js'
import type { Store } from '../redis/client.js'
import type { Arg } from '../redis/durable-writer.js'
import { keys } from '../redis/keys.js'
import { scanKeys } from '../redis/paging.js'
import { reencrypt } from '../scripts/seal.js'
import { type Keyring, SEALED, SealError } from '../sealing/seal.js'
import { secretContext } from '../sealing/secrets.js'
import { contextNameContext } from '../trust/contexts.js'
import { watchContext } from '../watch/watches.js'
import { webhookContext } from '../webhooks/webhooks.js'

/**
 * A kind of place: keys of one shape, whose values, or whose hashes' values, are sealed each for its place. Whatever is sealed
 * under the ring has a row here: else it stays under an old key, and is lost when that is retired.
 */
interface SealedPlace {
  readonly name: string
  readonly type: 'hash' | 'string'
  /** All keys, or a pattern of them. */
  readonly keys: readonly string[] | { readonly pattern: string }
  /** What the value of a field (of a string: of the key itself) is sealed for. */
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
  /** Kind of place → fingerprint of a key, or `unknown` → how many. */
  readonly [place: string]: Readonly<Record<string, number>>
}

export interface ReencryptProgress {
  readonly looked: number
  readonly reencrypted: number
}

/** Counts everything that is sealed by the key that it is under. Cost: reads all of it; a few µs each. */
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
 * Seals all anew that is not under the active key, while others read and write. Running it again goes on where it was cut off, since what
 * is done is passed over.
 *
 * @throws {SealError} at what no key of the ring opens: it is not touched.
 * Cost: about 15 µs for each that is sealed anew, 3 µs for one that is passed over.
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
  let looked = 0
  let reencrypted = 0
  for (const place of SEALED_PLACES) {
    for await (const { key, fields } of sealedIn(store, place)) {
      const args: Arg[] = []
      for (const [field, sealed] of fields) {
        looked++
        if (sealed[0] === SEALED.version && sealed[SEALED.hintAt] === active.hint) continue
        const context = place.contextOf(key, field)
        const plain = keyring.unseal(sealed, context)
        args.push(field, sealed, keyring.seal(plain, context))
        plain.fill(0)
      }
      for (let at = 0; at < args.length; at += 3 * AT_ONCE) {
        reencrypted += Number(await store.write(reencrypt, [key], args.slice(at, at + 3 * AT_ONCE)))
      }
      onProgress({ looked, reencrypted })
    }
  }
  return { looked, reencrypted }
}

/** Within what Redis does in a moment, and what a script may be given. */
const AT_ONCE = 500
const KEYS_AT_ONCE = 64

async function* sealedIn(
  store: Store,
  place: SealedPlace,
): AsyncGenerator<{ readonly key: string; readonly fields: [field: Buffer, sealed: Buffer][] }> {
  // One that comes meanwhile may be missing: whoever makes it seals with the active key.
  const all = 'pattern' in place.keys ? await scanKeys(store, place.keys.pattern) : place.keys
  for (let from = 0; from < all.length; from += KEYS_AT_ONCE) {
    const some = all.slice(from, from + KEYS_AT_ONCE)
    const command = place.type === 'hash' ? 'HGETALL' : 'GET'
    const values = await store.ask((redis) => Promise.all(some.map((key) => redis.callBuffer(command, key))))
    for (const [i, value] of values.entries()) {
      const key = some[i]
      const fields = fieldsIn(value)
      if (key !== undefined && fields.length > 0) yield { key, fields }
    }
  }
}

/** Of a string there is one field, without a name. */
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
