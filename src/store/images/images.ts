// The store of registered images. Records are sealed before they are written and unsealed when read.

import { setImmediate as nextTick } from 'node:timers/promises'
import type { BankRef } from '../../../packages/core/src/matching/bank.js'
import { CASE_ACTIONS, type CaseState, stateIn } from '../../domain/cases/case.js'
import type { AuditEntry } from '../../domain/organisations/audit.js'
import type { Account } from '../../domain/trust/strikes.js'
import { writeAudited } from '../audit/audit.js'
import type { Store } from '../redis/client.js'
import type { Arg } from '../redis/durable-writer.js'
import { type Guard, type ImportRun, writeGuarded } from '../redis/guarded-writes.js'
import { idBuffer, imageShard, keys } from '../redis/keys.js'
import { statesFor } from '../scripts/cases/case-life.js'
import { eraseImage } from '../scripts/images/erase-images.js'
import { putCaseImages, putImages, replaceImage } from '../scripts/images/put-images.js'
import type { Keyring } from '../sealing/seal.js'
import { type ImageReads, readsOf, type StoredImage } from './image-reads.js'
import { encodeImage, imageContext } from './image-record.js'
import { encodePoints, pointsContext } from './points-record.js'
import type { OwnWrites } from './read-your-writes.js'

/** Default maximum of images per case. */
export const MAX_PER_CASE = 10_000

/** Maximum hashes of a case: this many for each image that it may have. That is more than a picture has, and always enough for some videos. */
const MAX_HASHES = { perImage: 200, atLeast: 50_000 } as const

/** The revision of the change, or why nothing was stored; `undefined` when there is no such case. */
export type PutOutcome =
  | { readonly revision: number }
  | CaseState
  | 'case-full'
  | 'day-full'
  | 'account-suspended'
  | undefined

/**
 * Bounds the hashes that all cases together are given on a day that nobody vouches for. Beyond `shared` only a case with at most `ownShare` hashes gets
 * more, and none beyond `most`.
 */
export interface RoomOfDay {
  readonly day: string
  readonly most: number
  readonly shared: number
  readonly ownShare: number
}

/** An account may report while it has fewer than `strikes` strikes since `sinceMs`. */
export interface Reporting {
  readonly account: Account
  readonly sinceMs: number
  readonly strikes: number
}

/** Reasons to refuse an organisation's signals: too many strikes, or a digest here is in its list of invalidated signals. */
export interface Objections extends Omit<Reporting, 'account'> {
  readonly orgId: string
  /** [16 bytes each] */
  readonly digests: readonly Buffer[]
  readonly atMs: number
}

export interface Images extends ImageReads {
  /** Stores all images or none. Durable when it returns. @returns the revision from which an index has them. */
  put(images: readonly StoredImage[], run?: ImportRun): Promise<number>
  /**
   * The same for a bank, if it still exists; a new bank of the same name is another bank.
   * @returns `undefined` when the bank is gone. @throws {Problem} as `writeGuarded`
   */
  putInto(bank: BankRef, images: readonly StoredImage[], run?: ImportRun): Promise<number | undefined>
  /** The same, but stores nothing if there is an objection in the same step. */
  putIntoUnless(
    bank: BankRef,
    images: readonly StoredImage[],
    objections: Objections,
  ): Promise<number | 'objected' | undefined>
  /** Replaces the record of a stored image; its details stay. @returns the revision; `undefined` when the image is gone. */
  replace(image: Pick<StoredImage, 'id' | 'image'>): Promise<number | undefined>
  /**
   * As `put` for a case that still accepts images. Images that the case has already stay unchanged.
   * @param by an organisation may not add images after it handed the case over.
   * @param reporting the reporting account and how many strikes are too many; default: strikes do not matter.
   * @param most maximum of images of the case; default: the store's.
   * @param room counts the hashes of these images; default: they are not counted.
   */
  putForCase(
    caseId: string,
    images: readonly StoredImage[],
    nowMs: number,
    by?: 'submitter' | 'organisation',
    reporting?: Reporting,
    most?: number,
    room?: RoomOfDay,
  ): Promise<PutOutcome>
  /**
   * Erases one image.
   * @param entry for the audit log; left out, nothing is recorded.
   * @param guard.bank the image's bank. Nothing is erased if another bank has its name now: signals of both have the same ids.
   * @param guard.run the import that removes it.
   * @returns the revision of its tombstone; `undefined` when there was no such image. @throws {Problem} as `writeGuarded`, for a run
   */
  erase(id: string, entry?: AuditEntry, guard?: Guard): Promise<number | undefined>
}

/**
 * @param maxPerCase maximum of images per case.
 * @param own remembers writes until this process has followed them in the change stream; left out, they are read back.
 */
export function createImageStore(
  store: Store,
  keyring: Keyring,
  maxPerCase = MAX_PER_CASE,
  own: Pick<OwnWrites, 'mark' | 'wrote'> = NOT_REMEMBERED,
): Images {
  const parts = { store, keyring, own }
  return {
    ...writesOf(parts),
    ...readsOf(store, keyring),
    putForCase: putForCaseIn(parts, maxPerCase),
  }
}

interface ImageParts {
  readonly store: Store
  readonly keyring: Keyring
  readonly own: Pick<OwnWrites, 'mark' | 'wrote'>
}

/** Bytes of records that are encoded and sealed in one step, about 2 ms. */
const ENCODED_AT_ONCE = 1 << 16

/** Arguments of the scripts that put images: three for each, id, record and points. Pauses between images with many hashes. */
async function entriesOf({ keyring, own }: ImageParts, images: readonly StoredImage[]) {
  const shards: string[] = []
  const args: Arg[] = []
  const records = new Map<string, Buffer>()
  let bytesInStep = 0
  for (const { id, image, points } of images) {
    if (bytesInStep > ENCODED_AT_ONCE) {
      bytesInStep = 0
      await nextTick()
    }
    const bytes = idBuffer(id)
    const record = encodeImage(image)
    bytesInStep += record.length
    records.set(id, record)
    shards.push(keys.images(imageShard(bytes)))
    const sealedPoints = points === undefined ? '' : keyring.seal(encodePoints(points), pointsContext(bytes))
    args.push(bytes, sealedRecord(keyring, bytes, record), sealedPoints)
  }
  // If an id occurs twice, the script decides which record is stored: then nothing is remembered.
  return { shards, args, mark: records.size === images.length ? own.mark(records) : NO_MARK }
}

function sealedRecord(keyring: Keyring, id: Buffer, record: Buffer): Buffer {
  return keyring.seal(record, imageContext(id))
}

/** Reports the outcome of a write to `own`. @returns the reply: a revision when it was stored. */
async function marked({ own }: ImageParts, mark: Buffer, reply: Promise<unknown>): Promise<unknown> {
  const revision = await reply.catch((error: unknown) => {
    own.wrote(mark, undefined)
    throw error
  })
  own.wrote(mark, typeof revision === 'number' ? revision : undefined)
  return revision
}

async function putIn(
  parts: ImageParts,
  images: readonly StoredImage[],
  bank: BankRef,
  { unless = NO_OBJECTIONS, run }: { readonly unless?: Objections; readonly run?: ImportRun | undefined } = {},
): Promise<unknown> {
  const { shards, args, mark } = await entriesOf(parts, images)
  const { orgId, sinceMs, strikes, digests, atMs } = unless
  const scriptKeys = [
    keys.banks,
    keys.revision,
    keys.changes,
    keys.strikes(`org:${orgId}`),
    keys.organisationBlocks(orgId),
    ...shards,
  ]
  const rules = [sinceMs, strikes, atMs, Buffer.concat(digests)]
  const all = [keys.prefix, bank.name, bank.createdAtMs, ...rules, mark, bank.id ?? '', ...args]
  return marked(parts, mark, writeGuarded(parts.store, run && { bank, run }, putImages, scriptKeys, all))
}

type Writes = Pick<Images, 'put' | 'putInto' | 'putIntoUnless' | 'replace' | 'erase'>

function writesOf(parts: ImageParts): Writes {
  const { store, keyring } = parts
  return {
    put: async (images, run) => Number(await putIn(parts, images, NO_BANK, { run })),
    async putInto(bank, images, run) {
      const reply = await putIn(parts, images, bank, { run })
      return reply === null ? undefined : Number(reply)
    },
    async putIntoUnless(bank, images, unless) {
      const reply = await putIn(parts, images, bank, { unless })
      if (reply === null) return undefined
      return typeof reply === 'number' ? reply : 'objected'
    },
    async replace({ id, image }) {
      const bytes = idBuffer(id)
      const scriptKeys = [keys.images(imageShard(bytes)), keys.revision, keys.changes]
      const sealed = sealedRecord(keyring, bytes, encodeImage(image))
      const reply = await store.write(replaceImage, scriptKeys, [bytes, sealed])
      return reply === null ? undefined : Number(reply)
    },
    async erase(id, entry, guard = {}) {
      const { bank, run } = guard
      const bytes = idBuffer(id)
      const scriptKeys = [keys.images(imageShard(bytes)), keys.revision, keys.changes, keys.banks]
      const args = [bytes, keys.prefix, bank?.name ?? '', bank?.createdAtMs ?? '', bank?.id ?? '']
      const reply = await (entry === undefined
        ? writeGuarded(store, run && guard, eraseImage, scriptKeys, args)
        : writeAudited(store, entry, eraseImage, scriptKeys, args))
      return reply === null ? undefined : Number(reply)
    },
  }
}

function putForCaseIn(parts: ImageParts, maxPerCase: number): Images['putForCase'] {
  return async (caseId, images, nowMs, by = 'submitter', reporting = notInvalidated(caseId), most = maxPerCase, room) => {
    const { account, sinceMs, strikes } = reporting
    const { shards, args, mark } = await entriesOf(parts, images)
    const attested = images.every(({ image }) => image.tier === 'ngo-attested') ? 'yes' : 'no'
    // The number of hashes on the receipt. Details do not count: how many are kept depends on other registrations.
    const counted = images.flatMap(({ image }, i) => [...args.slice(3 * i, 3 * i + 3), image.signals.length])
    const scriptKeys = [
      ...[keys.case(caseId), keys.caseImages(caseId), keys.caseEvents(caseId), keys.revision, keys.changes],
      ...[keys.strikes(account), keys.unattestedHashes(room?.day ?? ''), ...shards],
    ]
    const rules = [nowMs, statesFor('add-images'), CASE_ACTIONS['add-images'].to, most, attested, keys.prefix, by]
    const mostHashes = Math.max(MAX_HASHES.atLeast, MAX_HASHES.perImage * most)
    const given = [...rules, sinceMs, strikes, mark, mostHashes, ...roomOf(room), ...counted]
    const reply = await marked(parts, mark, parts.store.write(putCaseImages, scriptKeys, given))
    if (typeof reply === 'number') return { revision: reply }
    const said = String(reply)
    if (said === 'day-full') return said
    return said === 'full' ? 'case-full' : said === 'suspended' ? 'account-suspended' : stateIn(reply)
  }
}

function roomOf(room: RoomOfDay | undefined): (number | string)[] {
  return room === undefined ? ['', '', ''] : [room.most, room.shared, room.ownShare]
}

function notInvalidated(caseId: string): Reporting {
  return { account: `case:${caseId}`, sinceMs: 0, strikes: Number.MAX_SAFE_INTEGER }
}

/** Stands for the deployment's own banks, which always exist. */
const NO_BANK: BankRef = { name: '', createdAtMs: 0 }
const NO_MARK = Buffer.alloc(0)
const NOT_REMEMBERED: Pick<OwnWrites, 'mark' | 'wrote'> = { mark: () => NO_MARK, wrote: () => {} }

/** Refuses nothing: no organisation has this id. */
const NO_OBJECTIONS: Objections = { orgId: '', sinceMs: 0, strikes: Number.MAX_SAFE_INTEGER, digests: [], atMs: 0 }
