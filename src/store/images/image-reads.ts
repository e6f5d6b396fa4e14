// Reads registered images from the store and unseals them, a few at a time.

import { setImmediate as nextTick } from 'node:timers/promises'
import { formatUuid } from '../../../packages/core/src/ids.js'
import type { RegisteredFacts, RegisteredImage } from '../../../packages/core/src/matching/signal.js'
import type { Points } from '../../../packages/hash/src/details/rows.js'
import type { Store } from '../redis/client.js'
import { idBuffer, keys } from '../redis/keys.js'
import { type Keyring, unlessDamaged } from '../sealing/seal.js'
import { decodeFacts, decodeImage, imageContext } from './image-record.js'
import { decodePoints, pointsContext } from './points-record.js'
import { firstSealedOf, IMAGE_TABLE, POINTS, RECORDS, sealedOf, sealedShards } from './sealed-images.js'

export interface StoredImage {
  readonly id: string
  readonly image: RegisteredImage
  /** Points that verify candidates; for images with details. */
  readonly points?: Points
}

export interface ImageReads {
  /**
   * All images of a case, in no order, some at a time: a case may have two million hashes. Yields to the event loop in between. Memory: 5 MB of
   * sealed records, and the hashes of one video or of some hundred pictures.
   */
  ofCase(caseId: string): AsyncGenerator<readonly StoredImage[]>
  /** Whether each image exists, in the order of `ids`. Records are not unsealed, so a missing seal key does not matter. */
  existing(ids: readonly string[]): Promise<boolean[]>
  /**
   * The images, in the order of `ids`; `undefined` for one that does not exist. @throws {SealError} when a record does not open.
   * Memory: 6 MB for a long video. For many ids use `facts` or `inPieces`.
   */
  get(ids: readonly string[]): Promise<(RegisteredImage | undefined)[]>
  /** As `get`, for pages of many readers: one damaged record must not keep the others from them. */
  readable(ids: readonly string[]): Promise<(RegisteredImage | 'damaged' | undefined)[]>
  /** The same as `get`, some at a time as `ofCase`, for ids that may be of many videos. */
  inPieces(ids: readonly string[]): AsyncGenerator<readonly (RegisteredImage | undefined)[]>
  /** As `get`, without hashes. Memory: 5 MB of sealed records. Cost: unsealing, half a millisecond for a long video. */
  facts(ids: readonly string[]): Promise<(RegisteredFacts | undefined)[]>
  /** The points of images, in the order of `ids`; `undefined` where there are none. For candidates only. Cost: about 20 µs an image. */
  points(ids: readonly string[]): Promise<(Points | undefined)[]>
  /**
   * All images, each once, one non-empty shard at a time. Not a snapshot: concurrent changes are in the change stream. Yields to the event
   * loop between shards. To fill an index, use `createImageReader`.
   *
   * Cost: about 10 µs an image.
   * @param onDamaged called with the error of each damaged record, which is left out.
   */
  all(onDamaged: (error: unknown) => void): AsyncGenerator<readonly StoredImage[]>
}

export function readsOf(store: Store, keyring: Keyring): ImageReads {
  const open = opener(keyring, decodeImage)
  async function* piecesOf<T>(
    ids: readonly string[],
    openOne: (sealed: Buffer, id: Buffer) => T,
  ): AsyncGenerator<readonly (T | undefined)[]> {
    const all = ids.map(idBuffer)
    for (let from = 0; from < all.length; ) {
      const sealed = await store.ask((redis) => firstSealedOf(redis, all, from, RECORDS))
      let piece: (T | undefined)[] = []
      let openedBytes = 0
      for (const [i, bytes] of sealed.entries()) {
        const id = all[from + i]
        piece.push(id && bytes && openOne(bytes, id))
        openedBytes += bytes?.length ?? 0
        if (openedBytes < BYTES_OPENED_AT_ONCE) continue
        yield piece
        piece = []
        openedBytes = 0
        await nextTick()
      }
      if (piece.length > 0) yield piece
      from += sealed.length
    }
  }
  const inPieces = (ids: readonly string[]) => piecesOf(ids, open)
  return {
    inPieces,
    get: (ids) => together(inPieces(ids)),
    readable: (ids) => together(piecesOf(ids, (sealed, id) => unlessDamaged(() => open(sealed, id)) ?? 'damaged')),
    facts: (ids) => together(piecesOf(ids, opener(keyring, decodeFacts))),
    async *ofCase(caseId) {
      const members = await store.ask((redis) => redis.smembersBuffer(keys.caseImages(caseId)))
      const ids = members.map(formatUuid)
      let from = 0
      for await (const piece of inPieces(ids)) {
        const own = ids.slice(from, from + piece.length)
        from += piece.length
        yield own.flatMap((id, i) => {
          const image = piece[i]
          return image === undefined ? [] : [{ id, image }]
        })
      }
    },
    async existing(ids) {
      const sealed = await store.ask((redis) => sealedOf(redis, ids.map(idBuffer), RECORDS))
      return sealed.map((bytes) => bytes !== undefined)
    },
    async points(ids) {
      const all = ids.map(idBuffer)
      const sealed = await store.ask((redis) => sealedOf(redis, all, POINTS))
      return all.map((id, i) => {
        const bytes = sealed[i]
        return bytes ? decodePoints(keyring.unseal(bytes, pointsContext(id))) : undefined
      })
    },
    async *all(onDamaged) {
      for await (const shard of sealedShards(store, IMAGE_TABLE)) {
        yield shard.flatMap(([id, sealed]) => {
          const image = unlessDamaged(() => open(sealed, id), onDamaged)
          return image === undefined ? [] : [{ id: formatUuid(id), image }]
        })
        await nextTick()
      }
    },
  }
}

function opener<T>(keyring: Keyring, decode: (record: Buffer) => T): (sealed: Buffer, id: Buffer) => T {
  return (sealed, id) => decode(keyring.unseal(sealed, imageContext(id)))
}

async function together<T>(pieces: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = []
  for await (const piece of pieces) for (const one of piece) all.push(one)
  return all
}

/** Opened and decoded between two yields to the event loop: some 5 ms. */
const BYTES_OPENED_AT_ONCE = 1 << 18
