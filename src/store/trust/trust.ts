// The trust status of signals. It is stored beside the sealed records, because it changes often and contains no hashes.

import { z } from 'zod'
import { formatUuid } from '../../../packages/core/src/ids.js'
import type { AuditEntry } from '../../domain/organisations/audit.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { MAX_STOPPED_VIEWS, MAX_VIEW } from '../../domain/trust/flood.js'
import { CIRCULATIONS, QUARANTINE_CAUSES } from '../../domain/trust/quarantine.js'
import {
  DISPUTE_ANSWERS,
  DISPUTE_REASONS,
  DISPUTE_STATES,
  NO_TRUST,
  pauseEndsS,
  type Trust,
  type TrustStatus,
} from '../../domain/trust/trust.js'
import { VERDICTS } from '../../domain/trust/verdict.js'
import { writeAudited } from '../audit/audit.js'
import { type BlockChange, blockKey } from '../organisations/resubmission-blocks.js'
import type { Store } from '../redis/client.js'
import { idBuffer, imageShard, keys, TRUST_SHARDS, trustShard } from '../redis/keys.js'
import { cursorOf, pageOfSorted } from '../redis/paging.js'
import { putTrust } from '../scripts/trust/put-trust.js'

/** Trust as it was read, and its version. */
export interface StoredTrust {
  readonly trust: Trust
  readonly version: number
}

/** `revision` is 0 when the change does not concern replicas. */
export type TrustOutcome = { readonly revision: number } | 'changed-meanwhile' | 'handed-over' | 'image-unknown'

export interface BesideTrust {
  /** Entry of the audit log, noted in the same step. */
  readonly entry?: AuditEntry | undefined
  readonly blockChange?: BlockChange | undefined
  /** The id of the case for which an organisation acts. Nothing is written once the organisation has handed it over. */
  readonly assistedCase?: string | undefined
}

export interface WaitingImage {
  readonly cursor: PageCursor
  /** `undefined` when the entry is not an id. */
  readonly imageId: string | undefined
}

export interface Trusts {
  get(imageId: string): Promise<StoredTrust>
  /**
   * Stores the trust of an image and what belongs beside it, in one step. Durable when it returns. Writes only if `version` is still the last
   * one and the image exists.
   */
  put(imageId: string, version: number, trust: Trust, trustStatus: TrustStatus, beside?: BesideTrust): Promise<TrustOutcome>
  /** The trust statuses that replicas hold, in the order of the ids; `undefined` where nothing was ever said about an image. */
  trustStatuses(imageIds: readonly string[]): Promise<(TrustStatus | undefined)[]>
  /** The trust statuses of all images that have one, some shards at a time. */
  allTrustStatuses(): AsyncGenerator<readonly { readonly imageId: string; readonly trustStatus: TrustStatus }[]>
  /** A page of the images with an open dispute, or in quarantine, those that wait longest first. */
  waiting(list: 'disputes' | 'quarantine', after: PageCursor | undefined, limit: number): Promise<WaitingImage[]>
}

const TrustJson = z.object({
  verdicts: z.array(z.object({ pseudonym: z.string(), verdict: z.enum(VERDICTS), counts: z.boolean() })),
  attestedBy: z.array(z.string()),
  verifiedAtMs: z.int().optional(),
  dispute: z.enum(DISPUTE_STATES),
  reasons: z.array(z.enum(DISPUTE_REASONS)),
  settled: z.array(z.enum(DISPUTE_REASONS)),
  disputedAtMs: z.int().optional(),
  decidedAtMs: z.int().optional(),
  answer: z.enum(DISPUTE_ANSWERS).optional(),
  circulation: z.enum(CIRCULATIONS),
  heldFor: z.enum(QUARANTINE_CAUSES).optional(),
  heldAtMs: z.int().optional(),
  pause: z.object({ untilS: z.int(), atMs: z.int() }).optional(),
  stoppedViews: z.array(z.int().min(0).max(MAX_VIEW)).max(MAX_STOPPED_VIEWS).default([]),
  flood: z.number(),
  toleratedFlood: z.number(),
})

export function createTrustStore(store: Store): Trusts {
  return {
    async get(imageId) {
      const id = idBuffer(imageId)
      return parse(await store.ask((redis) => redis.hgetBuffer(keys.trust(trustShard(id)), id)))
    },
    async put(imageId, version, trust, trustStatus, { entry, blockChange, assistedCase } = {}) {
      const id = idBuffer(imageId)
      const shard = trustShard(id)
      const scriptKeys = [
        keys.images(imageShard(id)),
        keys.trust(shard),
        keys.trustStatuses(shard),
        keys.disputes,
        keys.quarantine,
        keys.holdSchedule,
        keys.revision,
        keys.changes,
      ]
      const endsS = pauseEndsS(trust)
      const args = [
        id,
        version,
        JSON.stringify(trust),
        encodeTrustStatus(trustStatus),
        trust.dispute === 'open' ? (trust.disputedAtMs ?? 0) : '',
        trust.circulation !== 'invalidated' && trust.heldFor !== undefined ? (trust.heldAtMs ?? 0) : '',
        endsS === undefined ? '' : endsS * 1000,
        ...(blockChange === undefined
          ? ['', '', '']
          : [blockKey(blockChange.holder), blockChange.atMs, blockChange.untilMs ?? '']),
        assistedCase === undefined ? '' : keys.case(assistedCase),
        ...(blockChange?.digests ?? []),
      ]
      const reply = await (entry === undefined
        ? store.write(putTrust, scriptKeys, args)
        : writeAudited(store, entry, putTrust, scriptKeys, args))
      if (reply === null) return 'image-unknown'
      if (reply === -2) return 'handed-over'
      return reply === -1 ? 'changed-meanwhile' : { revision: Number(reply) }
    },
    async trustStatuses(imageIds) {
      const all = imageIds.map(idBuffer)
      const found = await store.ask((redis) =>
        Promise.all(all.map((id) => redis.hgetBuffer(keys.trustStatuses(trustShard(id)), id))),
      )
      return found.map((bytes) => (bytes === null ? undefined : decodeTrustStatus(bytes)))
    },
    async *allTrustStatuses() {
      for (let first = 0; first < TRUST_SHARDS; first += SHARDS_AT_ONCE) {
        const shards = Array.from({ length: SHARDS_AT_ONCE }, (_, i) => keys.trustStatuses(first + i))
        const replies = await store.ask((redis) => Promise.all(shards.map((shard) => redis.callBuffer('HGETALL', shard))))
        const found = replies.flatMap(trustStatusesIn)
        if (found.length > 0) yield found
      }
    },
    async waiting(list, after, limit) {
      return (await pageOfSorted(store, keys[list], { after, limit })).map((entry) => ({
        cursor: cursorOf(entry),
        imageId: entry.member.length === ID_BYTES ? formatUuid(entry.member) : undefined,
      }))
    },
  }
}

/** Read in one round trip, because most shards are empty and round trips would slow down every start. */
const SHARDS_AT_ONCE = 16
const ID_BYTES = 16

function trustStatusesIn(reply: unknown): { imageId: string; trustStatus: TrustStatus }[] {
  if (!Array.isArray(reply)) throw new Error('HGETALL answers with a list')
  const found: { imageId: string; trustStatus: TrustStatus }[] = []
  for (let i = 0; i + 1 < reply.length; i += 2) {
    const id: unknown = reply[i]
    const code: unknown = reply[i + 1]
    if (Buffer.isBuffer(id) && Buffer.isBuffer(code)) {
      found.push({ imageId: formatUuid(id), trustStatus: decodeTrustStatus(code) })
    }
  }
  return found
}

/** The first byte of a stored trust status: flags. The second byte is its support; four bytes for each stopped view follow. */
const DISPUTED = 1
const SILENT = 2
const HARMLESS = 4
const NARROWED = 8
const VIEWS_AT = 2
const VIEW_BYTES = 4

function encodeTrustStatus({ support, disputed, matches, narrowed, stoppedViews, harmless }: TrustStatus): Buffer {
  const flags = [disputed && DISPUTED, !matches && SILENT, harmless && HARMLESS, narrowed && NARROWED]
  const bytes = Buffer.alloc(VIEWS_AT + VIEW_BYTES * stoppedViews.length)
  bytes.writeUInt8(flags.reduce<number>((all, flag) => all | Number(flag), 0))
  bytes.writeUInt8(support, 1)
  for (const [i, view] of stoppedViews.entries()) bytes.writeUInt32BE(view, VIEWS_AT + VIEW_BYTES * i)
  return bytes
}

function decodeTrustStatus(bytes: Buffer): TrustStatus {
  const flags = bytes.readUInt8(0)
  return {
    support: bytes.readUInt8(1),
    disputed: (flags & DISPUTED) !== 0,
    matches: (flags & SILENT) === 0,
    harmless: (flags & HARMLESS) !== 0,
    narrowed: (flags & NARROWED) !== 0,
    stoppedViews: Array.from({ length: Math.floor((bytes.length - VIEWS_AT) / VIEW_BYTES) }, (_, i) =>
      bytes.readUInt32BE(VIEWS_AT + VIEW_BYTES * i),
    ),
  }
}

function parse(stored: Buffer | null): StoredTrust {
  if (stored === null) return { trust: NO_TRUST, version: 0 }
  const text = stored.toString('utf8')
  const colon = text.indexOf(':')
  const { verifiedAtMs, disputedAtMs, decidedAtMs, answer, heldFor, heldAtMs, pause, ...rest } = TrustJson.parse(
    JSON.parse(text.slice(colon + 1)),
  )
  return {
    trust: { ...rest, verifiedAtMs, disputedAtMs, decidedAtMs, answer, heldFor, heldAtMs, pause },
    version: Number(text.slice(0, colon)),
  }
}
