// How a fetched hash is stored: sealed, under the id of its image and a number in it.

import { randomBytes } from 'node:crypto'
import { hashFromBytes } from '../../../packages/hash/src/hash256.js'
import type { PlainHash } from '../../domain/organisations/feed.js'
import type { Arg } from '../redis/durable-writer.js'
import { idBuffer } from '../redis/keys.js'
import { MAX_HASHES_OF_IMAGE } from '../scripts/images/fetched.js'
import { type Keyring, unlessDamaged } from '../sealing/seal.js'

export interface ImageHashes {
  readonly imageId: string
  readonly hashes: readonly PlainHash[]
}

/** What a key is about to receive of an image. */
export interface NotedHashes extends ImageHashes {
  /** Whether these are all hashes that the image has now. Then its former ones are withdrawn as others take their numbers. */
  readonly isComplete: boolean
}

/** What is stored under a number. */
export interface Numbered {
  /** `undefined` when it is damaged: then no key can be told of it, and another hash may have its number. */
  readonly hash: PlainHash | undefined
  readonly sealed: Buffer | ''
  readonly keyIds: readonly string[]
}

/** A hash that is to be noted, under its number. */
export interface Note {
  readonly name: Buffer
  readonly hash: PlainHash
  /** What is stored under the number; `undefined` for a number that is not in use. */
  readonly before: Numbered | undefined
}

const ID_BYTES = 16
const MD5_BYTES = 16
/** Tells hashes apart that had the same number of the same image one after the other. */
const FORMER_BYTES = 8

/**
 * The context that a fetched hash is sealed for. It stays the same when the hash is withdrawn with its image.
 * @param name as of `fetchedName`, or longer: of a hash whose number another one took before it was told.
 */
export function fetchedContext(name: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('fetched:'), name])
}

/** [17 bytes] the id of an image and the number of a hash in it. */
export function fetchedName(id: Uint8Array, number: number): Buffer {
  return Buffer.concat([id, Buffer.of(number)])
}

/** @returns `undefined` when it is damaged: one record must not stop a page. @throws {SealError} when its key is missing in the ring */
export function openFetched(keyring: Keyring, name: Buffer, sealed: Buffer): PlainHash | undefined {
  return unlessDamaged(() => {
    const bytes = keyring.unseal(sealed, fetchedContext(name))
    return bytes.length === MD5_BYTES
      ? { type: 'video_md5', hash: hashFromBytes(Buffer.concat([bytes, bytes])) }
      : { type: 'pdq', hash: hashFromBytes(bytes) }
  })
}

/**
 * Gives each hash of an image its number. A new hash takes that of a former one, which is withdrawn with it: an image never has more numbers than it
 * once had hashes, however often it changes.
 */
export function numbered({ imageId, hashes, isComplete }: NotedHashes, stored: readonly Numbered[]): Note[] {
  const id = idBuffer(imageId)
  const isOther = ({ hash }: Numbered) => hash === undefined || !hashes.some((one) => isSame(one, hash))
  // Of an incomplete list the image may have the others all the same. A reader of withdrawals looks for images that have the hash, and notes it again.
  const mayReplace = isComplete || stored.length + hashes.length > MAX_HASHES_OF_IMAGE
  const free = stored.flatMap((each, number) => (mayReplace && isOther(each) ? [number] : [])).values()
  let next = stored.length
  return hashes.map((hash) => {
    const at = stored.findIndex((other) => other.hash !== undefined && isSame(hash, other.hash))
    const number = at === -1 ? (free.next().value ?? next++) : at
    return { name: fetchedName(id, number), hash, before: stored[number] }
  })
}

/** The arguments of `noteFetched`. @param waiting what is withdrawn under the same name and not told yet, sealed */
export function argsFor(keyring: Keyring, { name, hash, before }: Note, waiting: Buffer | undefined): Arg[] {
  const place = [name.subarray(0, ID_BYTES), name.subarray(ID_BYTES)]
  if (before?.hash !== undefined && isSame(hash, before.hash)) return [...place, before.sealed, '', '', '']
  const sealed = keyring.seal(bytesOf(hash), fetchedContext(name))
  const former = before?.hash ?? (waiting && openFetched(keyring, name, waiting))
  if (former === undefined && waiting === undefined) return [...place, before?.sealed ?? '', sealed, '', '']
  const formerName = Buffer.concat([name, randomBytes(FORMER_BYTES)])
  // What is damaged stays so, under its new name.
  const kept = former === undefined ? (waiting ?? '') : keyring.seal(bytesOf(former), fetchedContext(formerName))
  return [...place, before?.sealed ?? '', sealed, formerName, kept]
}

/** The type of a stored hash shows in its length. */
function bytesOf({ type, hash }: PlainHash): Uint8Array {
  return type === 'video_md5' ? hash.subarray(0, MD5_BYTES) : hash
}

function isSame(one: PlainHash, other: PlainHash): boolean {
  return one.type === other.type && Buffer.compare(one.hash, other.hash) === 0
}
