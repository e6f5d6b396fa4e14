// Which hashes API keys fetched through an interface that names records by their hash, and which withdrawals each key still has to be told of.

import { inChunks } from '../../domain/in-chunks.js'
import type { PlainHash } from '../../domain/organisations/feed.js'
import type { Store } from '../redis/client.js'
import { createConflictRetry } from '../redis/conflict-retry.js'
import type { Arg } from '../redis/durable-writer.js'
import { idBuffer, imageShard, keys } from '../redis/keys.js'
import { noteFetched, readFetched, settleWithdrawn } from '../scripts/images/fetched.js'
import type { Keyring } from '../sealing/seal.js'
import {
  argsFor,
  fetchedName,
  type ImageHashes,
  type NotedHashes,
  type Numbered,
  numbered,
  openFetched,
} from './fetched-record.js'

export interface Noted {
  /** For each image, in order, whether it still exists. Send nothing of an image that does not. */
  readonly there: readonly boolean[]
  /** What the key had fetched of these images before. Any of it may be withdrawn by now. */
  readonly before: readonly PlainHash[]
}

export interface Withdrawal {
  /** Its position in the order of withdrawals. */
  readonly place: number
  /** `undefined` when it was deleted meanwhile, or is damaged. */
  readonly hash: PlainHash | undefined
}

export interface Fetched {
  /**
   * Records that a key is about to receive these hashes. Durable when it returns.
   * @param images with at most `MAX_HASHES_OF_IMAGE` hashes each. @throws {Problem} overloaded, when their hashes change all the time
   */
  note(keyId: string, images: readonly NotedHashes[]): Promise<Noted>
  /** The hashes of these registered images that the key fetched. Images without any are left out. */
  of(keyId: string, imageIds: readonly string[]): Promise<ImageHashes[]>
  /** The ids of the keys that fetched a hash of each image, in their order. */
  keysOf(imageIds: readonly string[]): Promise<ReadonlySet<string>[]>
  /** What this key fetched and was withdrawn after a position, in the order of the withdrawals. */
  withdrawn(keyId: string, after: number, limit: number): Promise<Withdrawal[]>
  /** Records that the key was told of all withdrawals up to this position. */
  settle(keyId: string, place: number): Promise<void>
}

/** Images in one script call: Redis serves no other client meanwhile. */
const AT_ONCE = 200

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
      const before: PlainHash[] = []
      for (const some of inChunks(images, AT_ONCE)) {
        const noted = await noteSome(parts, keyId, some)
        there.push(...noted.there)
        before.push(...noted.before)
      }
      return { there, before }
    },
    async of(keyId, imageIds) {
      const found: ImageHashes[] = []
      for (const some of inChunks(imageIds, AT_ONCE)) {
        for (const [i, all] of (await known(parts, some)).entries()) {
          const hashes = fetchedBy(keyId, all)
          if (hashes.length > 0) found.push({ imageId: some[i] ?? '', hashes })
        }
      }
      return found
    },
    async keysOf(imageIds) {
      const found: ReadonlySet<string>[] = []
      for (const some of inChunks(imageIds, AT_ONCE)) {
        const stored = await readStored(store, some.map(idBuffer))
        for (const flat of stored)
          found.push(new Set(flat.flatMap((each, i) => (i % 2 === 1 ? String(each).split(' ') : []))))
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
        return { place: Number(found[2 * i + 1]), hash: sealed && openFetched(keyring, name, sealed) }
      })
    },
    settle: (keyId, place) => settleWithdrawals(store, keyId, place),
  }
}

interface FetchedParts {
  readonly store: Store
  readonly keyring: Keyring
}

function fetchedBy(keyId: string, all: readonly Numbered[]): PlainHash[] {
  return all.flatMap(({ hash, keyIds }) => (hash !== undefined && keyIds.includes(keyId) ? [hash] : []))
}

/** @returns for each image what is stored of it, by number. */
async function known({ store, keyring }: FetchedParts, imageIds: readonly string[]): Promise<Numbered[][]> {
  const ids = imageIds.map(idBuffer)
  return (await readStored(store, ids)).map((flat, i) => knownIn(keyring, ids[i] ?? Buffer.of(), flat))
}

/** @returns for each image, in the order of the numbers of its hashes, the sealed hash and the ids of the keys, in turn. */
async function readStored(store: Store, ids: readonly Buffer[]): Promise<(readonly unknown[])[]> {
  if (ids.length === 0) return []
  const scriptKeys = ids.flatMap((id) => [keys.fetched(imageShard(id)), keys.fetchedBy(imageShard(id))])
  const reply = await store.ask((redis) =>
    redis.callBuffer('EVAL', readFetched.lua, scriptKeys.length, ...scriptKeys, ...ids),
  )
  return listIn(reply).map(listIn)
}

function knownIn(keyring: Keyring, id: Buffer, flat: readonly unknown[]): Numbered[] {
  return Array.from({ length: flat.length / 2 }, (_, number) => {
    const sealed = flat[2 * number]
    const keyIds = String(flat[2 * number + 1]).split(' ')
    if (!Buffer.isBuffer(sealed)) return { hash: undefined, sealed: '', keyIds }
    return { hash: openFetched(keyring, fetchedName(id, number), sealed), sealed, keyIds }
  })
}

/** What is withdrawn under these names and not told yet, sealed: of an erased image whose id another one has now. */
async function waitingUnder({ store }: FetchedParts, names: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
  if (names.length === 0) return []
  const found = await store.ask((redis) => redis.mgetBuffer(names.map((name) => keys.withdrawnHash(name.toString('hex')))))
  return found.map((sealed) => sealed ?? undefined)
}

/** @returns for each image whether it still exists; `undefined` when its stored hashes changed meanwhile. */
async function tryToNote(
  parts: FetchedParts,
  keyId: string,
  images: readonly NotedHashes[],
  stored: readonly (readonly Numbered[])[],
): Promise<(boolean | undefined)[]> {
  const notes = images.flatMap((image, i) => numbered(image, stored[i] ?? []))
  const isNew = notes.filter(({ before }) => before === undefined)
  const waiting = await waitingUnder(
    parts,
    isNew.map(({ name }) => name),
  )
  const waitingOf = new Map(isNew.map((note, i) => [note, waiting[i]]))
  const args = notes.flatMap((note): Arg[] => argsFor(parts.keyring, note, waitingOf.get(note)))
  const noted = listIn(await parts.store.write(noteFetched, [keys.apiKeys], [keys.prefix, keyId, ...args])).map(Number)
  let next = 0
  return images.map(({ hashes }) => {
    const ofImage = noted.slice(next, next + hashes.length)
    next += hashes.length
    return ofImage.includes(-1) ? undefined : ofImage.every((one) => one === 1)
  })
}

async function noteSome(parts: FetchedParts, keyId: string, images: readonly NotedHashes[]): Promise<Noted> {
  const there = images.map<boolean | undefined>(() => undefined)
  const before: PlainHash[] = []
  for (const retry = createConflictRetry(); ; await retry()) {
    const left = images.flatMap((image, i) => (there[i] === undefined ? [{ image, i }] : []))
    const some = left.map(({ image }) => image)
    const stored = await known(
      parts,
      some.map(({ imageId }) => imageId),
    )
    before.push(...stored.flatMap((all) => fetchedBy(keyId, all)))
    const outcome = await tryToNote(parts, keyId, some, stored)
    for (const [n, { i }] of left.entries()) there[i] = outcome[n]
    if (!there.includes(undefined)) return { there: there.map((isThere) => isThere === true), before }
  }
}

function listIn(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new Error('a script of a list answers with a list')
  return reply
}
