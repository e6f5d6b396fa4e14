// Which hashes API keys fetched through an interface that names records by their hash, and which withdrawals each key still has to be told of.

import { hashFromBytes } from '../../../packages/hash/src/hash256.js'
import { inChunks } from '../../domain/in-chunks.js'
import type { PlainHash } from '../../domain/organisations/feed.js'
import type { Store } from '../redis/client.js'
import type { Arg } from '../redis/durable-writer.js'
import { idBuffer, imageShard, keys } from '../redis/keys.js'
import { MAX_HASHES_OF_IMAGE, noteFetched, readFetched, settleWithdrawn } from '../scripts/images/fetched.js'
import type { Keyring } from '../sealing/seal.js'

export interface ImageHashes {
  readonly imageId: string
  readonly hashes: readonly PlainHash[]
}

export interface Withdrawal {
  /** Its position in the order of withdrawals. */
  readonly place: number
  /** `undefined` when it was deleted meanwhile. */
  readonly hash: PlainHash | undefined
}

export interface Fetched {
  /**
   * Records that a key is about to receive these hashes. Durable when it returns.
   * @returns for each image, in order, whether it still exists. Send nothing of an image that does not.
   */
  note(keyId: string, images: readonly ImageHashes[]): Promise<boolean[]>
  /** The hashes of these registered images that the key fetched. Images without any are left out. */
  of(keyId: string, imageIds: readonly string[]): Promise<ImageHashes[]>
  /** What this key fetched and was withdrawn after a position, in the order of the withdrawals. */
  withdrawn(keyId: string, after: number, limit: number): Promise<Withdrawal[]>
  /** Records that the key was told of all withdrawals up to this position. */
  settle(keyId: string, place: number): Promise<void>
}

interface Known {
  readonly hash: PlainHash
  readonly keyIds: readonly string[]
}

/** Images in one script call: Redis serves no other client meanwhile. */
const AT_ONCE = 200
const MAX_TRIES = 10
const MD5_BYTES = 16

/**
 * The context that a fetched hash is sealed for. It stays the same when the hash is withdrawn.
 * @param name [17 bytes] the id of its image, and the number of the hash in that image.
 */
export function fetchedContext(name: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('fetched:'), name])
}

export async function settleWithdrawals(store: Store, keyId: string, upTo: number | '+inf'): Promise<void> {
  const waiting = keys.withdrawnFor(keyId)
  let hasMore = (await store.ask((redis) => redis.zcount(waiting, '-inf', upTo))) > 0
  while (hasMore)
    hasMore =
      Number(await store.write(settleWithdrawn, [waiting, keys.watchErased], [keys.prefix, keyId, upTo, AT_ONCE])) > 0
}

export function createFetchedStore(store: Store, keyring: Keyring): Fetched {
  const parts = { store, keyring }
  return {
    async note(keyId, images) {
      const there: boolean[] = []
      for (const some of inChunks(images, AT_ONCE)) there.push(...(await noteSome(parts, keyId, some)))
      return there
    },
    async of(keyId, imageIds) {
      const found: ImageHashes[] = []
      for (const some of inChunks(imageIds, AT_ONCE)) {
        for (const [i, all] of (await known(parts, some)).entries()) {
          const hashes = all.filter(({ keyIds }) => keyIds.includes(keyId)).map(({ hash }) => hash)
          if (hashes.length > 0) found.push({ imageId: some[i] ?? '', hashes })
        }
      }
      return found
    },
    async withdrawn(keyId, after, limit) {
      const found = await store.ask((redis) =>
        redis.zrangebyscoreBuffer(keys.withdrawnFor(keyId), `(${after}`, '+inf', 'WITHSCORES', 'LIMIT', 0, limit),
      )
      const names = found.filter((_, i) => i % 2 === 0)
      if (names.length === 0) return []
      const hashes = await store.ask((redis) =>
        redis.mgetBuffer(names.map((name) => keys.withdrawnHash(name.toString('hex')))),
      )
      return names.map((name, i) => {
        const sealed = hashes[i] ?? undefined
        return { place: Number(found[2 * i + 1]), hash: sealed && opened(keyring, name, sealed) }
      })
    },
    settle: (keyId, place) => settleWithdrawals(store, keyId, place),
  }
}

interface FetchedParts {
  readonly store: Store
  readonly keyring: Keyring
}

/** The type of a stored hash shows in its length. */
function bytesOf({ type, hash }: PlainHash): Uint8Array {
  return type === 'video_md5' ? hash.subarray(0, MD5_BYTES) : hash
}

function opened(keyring: Keyring, name: Buffer, sealed: Buffer): PlainHash {
  const bytes = keyring.unseal(sealed, fetchedContext(name))
  return bytes.length === MD5_BYTES
    ? { type: 'video_md5', hash: hashFromBytes(Buffer.concat([bytes, bytes])) }
    : { type: 'pdq', hash: hashFromBytes(bytes) }
}

async function known({ store, keyring }: FetchedParts, imageIds: readonly string[]): Promise<Known[][]> {
  const ids = imageIds.map(idBuffer)
  const scriptKeys = ids.flatMap((id) => [keys.fetched(imageShard(id)), keys.fetchedBy(imageShard(id))])
  const reply = await store.ask((redis) =>
    redis.callBuffer('EVAL', readFetched.lua, scriptKeys.length, ...scriptKeys, ...ids),
  )
  if (!Array.isArray(reply)) throw new Error('a script of a list answers with a list')
  return reply.map((of: unknown, i) => knownIn(keyring, of, (number) => nameOf(ids[i] ?? Buffer.of(), number)))
}

function knownIn(keyring: Keyring, reply: unknown, nameAt: (number: number) => Buffer): Known[] {
  if (!Array.isArray(reply)) throw new Error('a script of a list answers with a list')
  const found: Known[] = []
  for (let at = 0; at + 1 < reply.length; at += 2) {
    const sealed: unknown = reply[at]
    const keyIds: unknown = reply[at + 1]
    if (Buffer.isBuffer(sealed) && Buffer.isBuffer(keyIds))
      found.push({ hash: opened(keyring, nameAt(at / 2), sealed), keyIds: keyIds.toString('latin1').split(' ') })
  }
  return found
}

/** @returns for each image whether it still exists; `undefined` when its stored hashes changed meanwhile. */
async function tryToNote(
  parts: FetchedParts,
  keyId: string,
  images: readonly ImageHashes[],
): Promise<(boolean | undefined)[]> {
  const { store, keyring } = parts
  const before = await known(
    parts,
    images.map(({ imageId }) => imageId),
  )
  const args: Arg[] = []
  for (const [i, { imageId, hashes }] of images.entries()) {
    const id = idBuffer(imageId)
    const all = (before[i] ?? []).map(({ hash }) => hash)
    for (const hash of hashes) {
      const at = all.findIndex((other) => isSame(hash, other))
      const number = at === -1 ? all.push(hash) - 1 : at
      if (number >= MAX_HASHES_OF_IMAGE) throw new RangeError('an image has no so many hashes')
      const name = nameOf(id, number)
      args.push(id, Buffer.of(number), at === -1 ? keyring.seal(bytesOf(hash), fetchedContext(name)) : '')
    }
  }
  const reply = await store.write(noteFetched, [keys.apiKeys], [keys.prefix, keyId, ...args])
  if (!Array.isArray(reply)) throw new Error('a script of a list answers with a list')
  let next = 0
  return images.map(({ hashes }) => {
    const noted = reply.slice(next, next + hashes.length).map(Number)
    next += hashes.length
    return noted.includes(-1) ? undefined : noted.every((one) => one === 1)
  })
}

async function noteSome(parts: FetchedParts, keyId: string, images: readonly ImageHashes[]): Promise<boolean[]> {
  const there = images.map<boolean | undefined>(() => undefined)
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const left = images.flatMap((image, i) => (there[i] === undefined ? [{ image, i }] : []))
    if (left.length === 0) break
    const outcome = await tryToNote(
      parts,
      keyId,
      left.map(({ image }) => image),
    )
    for (const [n, { i }] of left.entries()) there[i] = outcome[n]
  }
  if (there.includes(undefined)) throw new Error('an image whose hashes change all the time')
  return there.map((isThere) => isThere === true)
}

/** [17 bytes] the id of an image and the number of a hash in it. */
function nameOf(id: Uint8Array, number: number): Buffer {
  return Buffer.concat([id, Buffer.of(number)])
}

function isSame(one: PlainHash, other: PlainHash): boolean {
  return one.type === other.type && Buffer.compare(one.hash, other.hash) === 0
}
