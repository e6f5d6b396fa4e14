// Registered images: sealed in, unsealed out.

import type { Redis } from 'ioredis'
import type { Points } from '../../../packages/hash/src/details/rows.js'
import { CASE_ACTIONS, type CaseState, stateIn } from '../../domain/cases/case.js'
import { formatUuid, parseUuid } from '../../domain/ids.js'
import type { RegisteredImage } from '../../domain/matching/signal.js'
import type { AuditEntry } from '../../domain/organisations/audit.js'
import type { BankRef } from '../../domain/organisations/bank.js'
import type { Account } from '../../domain/trust/strikes.js'
import { writeAudited } from '../audit/audit.js'
import type { Store } from '../redis/client.js'
import type { Arg } from '../redis/durable-writer.js'
import { type Guard, type ImportRun, writeGuarded } from '../redis/guarded-writes.js'
import { detailShard, imageShard, keys } from '../redis/keys.js'
import { statesFor } from '../scripts/cases/case-life.js'
import { eraseImage } from '../scripts/images/erase-images.js'
import { putCaseImages, putImages, replaceImage } from '../scripts/images/put-images.js'
import { readImages } from '../scripts/images/read-images.js'
import { IMAGE_SHARDS } from '../scripts/shards.js'
import type { Keyring } from '../sealing/seal.js'
import { decodeImage, encodeImage, imageContext } from './image-record.js'
import { decodePoints, encodePoints, pointsContext } from './points-record.js'
import type { OwnWrites } from './read-your-writes.js'

export interface StoredImage {
  readonly id: string
  readonly image: RegisteredImage
  /** What a candidate is verified by, where the image has details. */
  readonly points?: Points
}

/** Where nobody says another number. */
export const MOST_PER_CASE = 10_000

/** The revision that has them, or the state or number of images that forbids it; `undefined` when there is no such case. */
export type PutOutcome = { readonly revision: number } | CaseState | 'case-full' | 'account-suspended' | undefined

/** An account that reports no more when it has so many strikes since then. */
export interface Reporting {
  readonly account: Account
  readonly sinceMs: number
  readonly strikes: number
}

/** What may stand against what an organisation hands in: its strikes, or that one of these digests is of what it must not hand in again. */
export interface Objections extends Omit<Reporting, 'account'> {
  readonly orgId: string
  /** [16 bytes each] */
  readonly digests: readonly Buffer[]
  readonly atMs: number
}

export interface Images {
  /** Durable when it returns. All or none. @returns the revision from which an index has them. */
  put(images: readonly StoredImage[], run?: ImportRun): Promise<number>
  /** The same for a bank, if it is there at this moment: a bank that was made anew under its name is another one. @returns `undefined` when it is gone. @throws {Problem} as `writeGuarded` */
  putInto(bank: BankRef, images: readonly StoredImage[], run?: ImportRun): Promise<number | undefined>
  /** The same, unless something stands against it at this moment: then nothing is done. */
  putIntoUnless(
    bank: BankRef,
    images: readonly StoredImage[],
    objections: Objections,
  ): Promise<number | 'objected' | undefined>
  /** Another record for an image that is there. Its details stay. @returns `undefined` when it is gone. */
  replace(image: Pick<StoredImage, 'id' | 'image'>): Promise<number | undefined>
  /**
   * The same for a case, if it still takes images at this moment, and from who acts: not from an organisation that has handed it over since.
   * One that the case has already stays as it is.
   * @param reporting who answers for them, and how many strikes are too many; left out, nobody has any.
   */
  putForCase(
    caseId: string,
    images: readonly StoredImage[],
    nowMs: number,
    by?: 'submitter' | 'organisation',
    reporting?: Reporting,
    most?: number,
  ): Promise<PutOutcome>
  /** All of a case, in no order. */
  ofCase(caseId: string): Promise<StoredImage[]>
  /**
   * Forgets one image; recorded in the audit log if it says who did it.
   * @param guard.bank that it is in: nothing is erased when the name is another bank's by now, for its signals have the same ids.
   * @param guard.run of the import that removes it.
   * @returns the revision of its tombstone; `undefined` when there was none. @throws {Problem} as `writeGuarded`, for a run
   */
  erase(id: string, entry?: AuditEntry, guard?: Guard): Promise<number | undefined>
  /** Which of these are there, in their order. Nothing is opened: an image whose key is missing here is there all the same. */
  areThere(ids: readonly string[]): Promise<boolean[]>
  /** Those of `ids` that are there, in their order. */
  get(ids: readonly string[]): Promise<(RegisteredImage | undefined)[]>
  /** What they are verified by, in their order. To be asked of candidates only. Cost: some 20 µs an image. */
  points(ids: readonly string[]): Promise<(Points | undefined)[]>
  /**
   * All images, each once, a shard at a time; an empty shard is left out. Not a snapshot: what changes meanwhile is in the
   * change stream. Lets the event loop turn between shards. For an index of many images there is `imageReader`.
   *
   * Cost: about 10 µs an image.
   */
  all(): AsyncGenerator<readonly StoredImage[]>
}

/** Where something sealed is kept for each image, and of how many it is read in one command, in which Redis answers nobody else. */
interface Kept {
  readonly shardOf: (id: Buffer) => string
  readonly atOnce: number
}

const RECORDS: Kept = { shardOf: (id) => keys.images(imageShard(id)), atOnce: 512 }
/** Each is twenty times as long as a record. */
const POINTS: Kept = { shardOf: (id) => keys.details(detailShard(id)), atOnce: 32 }

/** A command for each costs who asks more than all that he does with them. */
async function sealedOf(redis: Redis, ids: readonly Buffer[], { shardOf, atOnce }: Kept): Promise<(Buffer | undefined)[]> {
  const sealed: (Buffer | undefined)[] = []
  for (let from = 0; from < ids.length; from += atOnce) {
    const some = ids.slice(from, from + atOnce)
    const shards = some.map(shardOf)
    const replies = await redis.callBuffer('EVAL', readImages.lua, shards.length, ...shards, ...some)
    if (!Array.isArray(replies)) throw new Error('a script of a list answers with a list')
    for (const reply of replies) sealed.push(Buffer.isBuffer(reply) ? reply : undefined)
  }
  return sealed
}

/**
 * @param maxPerCase most images of one case.
 * @param own where what is put is remembered until this process hears of it; left out, it has to be asked for.
 */
export function imagesIn(
  store: Store,
  keyring: Keyring,
  maxPerCase = MOST_PER_CASE,
  own: Pick<OwnWrites, 'mark' | 'wrote'> = NOT_REMEMBERED,
): Images {
  const sealed = (bytes: Buffer, record: Buffer) => keyring.seal(record, imageContext(bytes))
  const entriesOf = (images: readonly StoredImage[]) => {
    const shards: string[] = []
    const args: Arg[] = []
    const records = new Map<string, Buffer>()
    for (const { id, image, points } of images) {
      const bytes = idBytes(id)
      const record = encodeImage(image)
      records.set(id, record)
      shards.push(keys.images(imageShard(bytes)))
      const sealedPoints = points === undefined ? '' : keyring.seal(encodePoints(points), pointsContext(bytes))
      args.push(bytes, sealed(bytes, record), sealedPoints)
    }
    // Of one that is given twice it depends on the script which of both is stored.
    return { shards, args, mark: records.size === images.length ? own.mark(records) : NO_MARK }
  }
  /** @returns the reply: a revision when it was written. */
  const marked = async (mark: Buffer, reply: Promise<unknown>) => {
    const revision = await reply.catch((error: unknown) => {
      own.wrote(mark, undefined)
      throw error
    })
    own.wrote(mark, typeof revision === 'number' ? revision : undefined)
    return revision
  }
  const open = (id: Buffer, sealed: Buffer) => decodeImage(keyring.unseal(sealed, imageContext(id)))
  const get = async (ids: readonly string[]) => {
    const all = ids.map(idBytes)
    const sealed = await store.ask((redis) => sealedOf(redis, all, RECORDS))
    return all.map((id, i) => {
      const bytes = sealed[i]
      return bytes ? open(id, bytes) : undefined
    })
  }

  const put = (
    images: readonly StoredImage[],
    bank: BankRef,
    { unless = NO_OBJECTIONS, run }: { readonly unless?: Objections; readonly run?: ImportRun | undefined } = {},
  ) => {
    const { shards, args, mark } = entriesOf(images)
    const { orgId, sinceMs, strikes, digests, atMs } = unless
    const places = [
      keys.banks,
      keys.revision,
      keys.changes,
      keys.strikes(`org:${orgId}`),
      keys.invalidated(orgId),
      ...shards,
    ]
    const rules = [sinceMs, strikes, atMs, Buffer.concat(digests)]
    const all = [keys.prefix, bank.name, bank.createdAtMs, ...rules, mark, bank.id ?? '', ...args]
    return marked(mark, writeGuarded(store, run && { bank, run }, putImages, places, all))
  }

  return {
    put: async (images, run) => Number(await put(images, NO_BANK, { run })),
    async putInto(bank, images, run) {
      const reply = await put(images, bank, { run })
      return reply === null ? undefined : Number(reply)
    },
    async putIntoUnless(bank, images, unless) {
      const reply = await put(images, bank, { unless })
      if (reply === null) return undefined
      return typeof reply === 'number' ? reply : 'objected'
    },
    async replace({ id, image }) {
      const bytes = idBytes(id)
      const places = [keys.images(imageShard(bytes)), keys.revision, keys.changes]
      const reply = await store.write(replaceImage, places, [bytes, sealed(bytes, encodeImage(image))])
      return reply === null ? undefined : Number(reply)
    },
    async putForCase(caseId, images, nowMs, by = 'submitter', reporting = notInvalidated(caseId), most = maxPerCase) {
      const { account, sinceMs, strikes } = reporting
      const { shards, args, mark } = entriesOf(images)
      const attested = images.every(({ image }) => image.tier === 'ngo-attested') ? 'yes' : 'no'
      // Without details: how many are kept of them depends on what others registered, and her receipt says this number.
      const counted = images.flatMap(({ image }, i) => [...args.slice(3 * i, 3 * i + 3), image.signals.length])
      const places = [
        ...[keys.case(caseId), keys.caseImages(caseId), keys.caseEvents(caseId), keys.revision, keys.changes],
        ...[keys.strikes(account), ...shards],
      ]
      const rules = [nowMs, statesFor('add-images'), CASE_ACTIONS['add-images'].to, most, attested, keys.prefix, by]
      const reply = await marked(mark, store.write(putCaseImages, places, [...rules, sinceMs, strikes, mark, ...counted]))
      if (typeof reply === 'number') return { revision: reply }
      const said = String(reply)
      return said === 'full' ? 'case-full' : said === 'suspended' ? 'account-suspended' : stateIn(reply)
    },
    async ofCase(caseId) {
      const members = await store.ask((redis) => redis.smembersBuffer(keys.caseImages(caseId)))
      const ids = members.map(formatUuid)
      const found = await get(ids)
      return ids.flatMap((id, i) => {
        const image = found[i]
        return image === undefined ? [] : [{ id, image }]
      })
    },
    async erase(id, entry, guard = {}) {
      const { bank, run } = guard
      const bytes = idBytes(id)
      const places = [keys.images(imageShard(bytes)), keys.revision, keys.changes, keys.banks]
      const args = [bytes, keys.prefix, bank?.name ?? '', bank?.createdAtMs ?? '', bank?.id ?? '']
      const reply = await (entry === undefined
        ? writeGuarded(store, run && guard, eraseImage, places, args)
        : writeAudited(store, entry, eraseImage, places, args))
      return reply === null ? undefined : Number(reply)
    },
    async areThere(ids) {
      const sealed = await store.ask((redis) => sealedOf(redis, ids.map(idBytes), RECORDS))
      return sealed.map((bytes) => bytes !== undefined)
    },
    get,
    async points(ids) {
      const all = ids.map(idBytes)
      const sealed = await store.ask((redis) => sealedOf(redis, all, POINTS))
      return all.map((id, i) => {
        const bytes = sealed[i]
        return bytes ? decodePoints(keyring.unseal(bytes, pointsContext(id))) : undefined
      })
    },
    async *all() {
      for (let from = 0; from < IMAGE_SHARDS; from += SHARDS_AT_ONCE) {
        for (const flat of await shardsFrom(store, from)) {
          const found: StoredImage[] = []
          for (const [id, sealed] of pairs(flat)) found.push({ id: formatUuid(id), image: open(id, sealed) })
          if (found.length === 0) continue
          yield found
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
    },
  }
}

/** One round trip for so many, since most of them may be empty. */
const SHARDS_AT_ONCE = 256

/** Field names are bytes, so the flat replies are read rather than objects with string keys. */
function shardsFrom(store: Store, from: number): Promise<unknown[]> {
  return store.ask(async (redis) => {
    const pipeline = redis.pipeline() // one write for all: a write for each takes most of the time
    for (let i = 0; i < SHARDS_AT_ONCE; i++) pipeline.callBuffer('HGETALL', keys.images(from + i))
    const replies = (await pipeline.exec()) ?? []
    return replies.map(([error, flat]) => {
      if (error !== null) throw error
      return flat
    })
  })
}

/** HGETALL's reply: a flat list in RESP2, which is the shape that the client keeps. */
function* pairs(flat: unknown): Generator<[Buffer, Buffer]> {
  if (!Array.isArray(flat)) throw new Error('HGETALL answers with a list')
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const id: unknown = flat[i]
    const sealed: unknown = flat[i + 1]
    if (Buffer.isBuffer(id) && Buffer.isBuffer(sealed)) yield [id, sealed]
  }
}

function idBytes(id: string): Buffer {
  const bytes = parseUuid(id)
  if (bytes === undefined) throw new RangeError('an image id is a UUID')
  return Buffer.from(bytes)
}

function notInvalidated(caseId: string): Reporting {
  return { account: `case:${caseId}`, sinceMs: 0, strikes: Number.MAX_SAFE_INTEGER }
}

/** The deployment's own banks are always there. */
const NO_BANK: BankRef = { name: '', createdAtMs: 0 }
const NO_MARK = Buffer.alloc(0)
const NOT_REMEMBERED: Pick<OwnWrites, 'mark' | 'wrote'> = { mark: () => NO_MARK, wrote: () => {} }

/** In place of a bank: the deployment's own. */
const NO_OBJECTIONS: Objections = { orgId: '', sinceMs: 0, strikes: Number.MAX_SAFE_INTEGER, digests: [], atMs: 0 }
