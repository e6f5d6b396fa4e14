// Resubmission blocks, which keep cases from registering what was judged harmless, and appeals against such judgements.

import { formatUuid, idBytes } from '../../../packages/core/src/ids.js'
import type { Appealed, AppealState } from '../../domain/cases/appeal.js'
import type { AuditActor, AuditEntry } from '../../domain/organisations/audit.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { writeAudited } from '../audit/audit.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { cursorOf, pageOfSorted, type SortedEntry } from '../redis/paging.js'
import { endBlocks, liftBlock, putAppeal, settleAppeal } from '../scripts/trust/appeals.js'

export interface WaitingAppeal {
  readonly about: Appealed
  readonly atMs: number
}

export interface AppealEntry {
  readonly cursor: PageCursor
  /** `undefined` when the entry is not an appeal. */
  readonly appeal: WaitingAppeal | undefined
}

/** Of one image. */
export interface Block {
  readonly blockId: string
  readonly untilMs: number
  /** How many frames it blocks: more than one of a video or an animation. */
  readonly frames: number
}

export interface BlockPage {
  readonly blocks: readonly Block[]
  /** The cursor of the next page; `undefined` at the end. */
  readonly next: PageCursor | undefined
}

export interface Appeals {
  /** Adds an appeal. Durable when it returns. Repeating it changes nothing. @returns `full` when `MAX_WAITING` appeals are open. */
  put(about: Appealed, atMs: number): Promise<AppealState | 'full'>
  /** A page of the open appeals, those that wait longest first. */
  waiting(after: PageCursor | undefined, limit: number): Promise<AppealEntry[]>
  isWaiting(about: Appealed): Promise<boolean>
  /** The appeals of images, in the order of their ids; `undefined` where none is open or denied. */
  statesOf(imageIds: readonly string[], nowMs: number): Promise<(AppealState | undefined)[]>
  /** Closes an appeal, with an entry in the audit log. Grant it only once nothing blocks any more. @param deniedUntilMs `undefined` when granted. */
  settle(about: Appealed, deniedUntilMs: number | undefined, by: AuditActor, atMs: number): Promise<void>
  /** Closes an appeal without an entry in the audit log, because what it is about no longer blocks anything. */
  drop(about: Appealed, atMs: number): Promise<void>
  /** A page of the blocks that have not ended, soonest end first. */
  blocks(nowMs: number, after: PageCursor | undefined, limit: number): Promise<BlockPage>
  /** The block that has this digest [hex]; a block's id is its first one. `undefined` when nothing blocks it. */
  block(digest: string): Promise<Block | undefined>
  /** Deletes a block's digests and the appeal against it. Durable when it returns. @returns whether there was such a block. */
  lift(blockId: string, as: 'lifted' | 'granted', by: AuditActor, atMs: number): Promise<boolean>
  /** Removes up to `MAX_ENDED_AT_ONCE` blocks that have ended, and all denials that have. @returns how many blocks. */
  endBlocks(nowMs: number): Promise<number>
}

/** Appeals that may be open at one time. */
const MAX_WAITING = 10_000
const MAX_ENDED_AT_ONCE = 1000
const SUBJECT_BYTES = 17
const LISTED_AT_ONCE = 100
const AFTER_ALL_DIGESTS = 'ff'.repeat(17)

export function createAppealStore(store: Store): Appeals {
  const waitingAndDenied = [keys.appeals, keys.deniedAppeals]
  const all = [keys.resubmissionBlocks, ...waitingAndDenied]
  return {
    async put(about, atMs) {
      const reply = String(await store.write(putAppeal, waitingAndDenied, [subjectOf(about), atMs, MAX_WAITING]))
      return reply === 'denied' || reply === 'full' ? reply : 'open'
    },
    async waiting(after, limit) {
      return (await pageOfSorted(store, keys.appeals, { after, limit })).map((entry) => {
        const about = aboutOf(entry.member)
        return { cursor: cursorOf(entry), appeal: about && { about, atMs: entry.score } }
      })
    },
    async isWaiting(about) {
      return (await store.ask((redis) => redis.zscore(keys.appeals, subjectOf(about)))) !== null
    },
    async statesOf(imageIds, nowMs) {
      const all = imageIds.map((signalId) => subjectOf({ signalId }))
      const scores = (key: string) =>
        store
          .ask((redis) => Promise.all(all.map((subject) => redis.zscore(key, subject))))
          .then((found) => found.map(Number))
      const [open, denied] = await Promise.all([scores(keys.appeals), scores(keys.deniedAppeals)])
      return all.map((_, i) => ((open[i] ?? 0) > 0 ? 'open' : (denied[i] ?? 0) > nowMs ? 'denied' : undefined))
    },
    async settle(about, deniedUntilMs, by, atMs) {
      const appeal = 'signalId' in about ? about.signalId : about.blockId
      const outcome = deniedUntilMs === undefined ? 'granted' : 'denied'
      const entry = { act: 'appeal.decided', by, about: { appeal, outcome }, atMs } as const
      const args = [subjectOf(about), atMs, deniedUntilMs ?? '']
      await writeAudited(store, entry, settleAppeal, waitingAndDenied, args, 'reply == 1')
    },
    async drop(about, atMs) {
      await store.write(settleAppeal, waitingAndDenied, [subjectOf(about), atMs, ''])
    },
    async blocks(nowMs, after, limit) {
      const { found, next } = await firstDigests(store, nowMs, after, limit)
      const further = await Promise.all(found.map(({ score }) => furtherDigests(store, score)))
      const blocks = found.map(({ member, score: untilMs }, i) => {
        return { blockId: member.toString('hex'), untilMs, frames: Math.max(1, further[i] ?? 0) }
      })
      return { blocks, next }
    },
    async block(digest) {
      const endMs = await endOf(store, digest)
      if (endMs === undefined) return undefined
      const untilMs = Math.floor(endMs)
      const isFirst = endMs === untilMs
      const [first] = isFirst
        ? []
        : await pageOfSorted(store, keys.resubmissionBlocks, { from: untilMs, to: untilMs, after: undefined, limit: 1 })
      const frames = Math.max(1, await furtherDigests(store, untilMs))
      return { blockId: first?.member.toString('hex') ?? digest, untilMs, frames }
    },
    async lift(blockId, as, by, atMs) {
      const entry: AuditEntry =
        as === 'lifted'
          ? { act: 'block.lifted', by, about: { block: blockId }, atMs }
          : { act: 'appeal.decided', by, about: { appeal: blockId, outcome: as }, atMs }
      const args = [Buffer.from(blockId, 'hex')]
      return Number(await writeAudited(store, entry, liftBlock, all, args, 'reply == 1')) === 1
    },
    async endBlocks(nowMs) {
      const over = await Promise.all(
        [keys.resubmissionBlocks, keys.deniedAppeals].map((key) => store.ask((redis) => redis.zcount(key, '-inf', nowMs))),
      )
      return over.every((count) => count === 0) ? 0 : Number(await store.write(endBlocks, all, [nowMs, MAX_ENDED_AT_ONCE]))
    },
  }
}

/** A page of the first digests of blocks. Further ones of a block are skipped, however many it has. */
async function firstDigests(store: Store, nowMs: number, after: PageCursor | undefined, limit: number) {
  const found: SortedEntry[] = []
  for (let from = after; ; ) {
    const page = await pageOfSorted(store, keys.resubmissionBlocks, {
      from: `(${nowMs}`,
      after: from,
      limit: LISTED_AT_ONCE,
    })
    for (const entry of page) {
      if (entry.score % 1 !== 0) continue
      found.push(entry)
      if (found.length === limit) return { found, next: cursorOf(entry) }
    }
    const last = page.at(-1)
    if (last === undefined || page.length < LISTED_AT_ONCE) return { found, next: undefined }
    from = last.score % 1 === 0 ? cursorOf(last) : { score: last.score, member: AFTER_ALL_DIGESTS }
  }
}

/** How many digests the block that ends then has besides its first: none for a picture, otherwise one for each frame. */
function furtherDigests(store: Store, endMs: number): Promise<number> {
  return store.ask((redis) => redis.zcount(keys.resubmissionBlocks, endMs + 0.5, endMs + 0.5))
}

/** When [epoch ms] a digest ends: half a millisecond after its block, if it is not the first of it. */
async function endOf(store: Store, digest: string): Promise<number | undefined> {
  const until = await store.ask((redis) => redis.zscore(keys.resubmissionBlocks, Buffer.from(digest, 'hex')))
  return until === null ? undefined : Number(until)
}

/** The stored name of what is appealed: a letter and 16 bytes. */
function subjectOf(about: Appealed): Buffer {
  if ('blockId' in about) return Buffer.concat([Buffer.from('b'), Buffer.from(about.blockId, 'hex')])
  return Buffer.concat([Buffer.from('s'), idBytes(about.signalId)])
}

function aboutOf(subject: Buffer): Appealed | undefined {
  if (subject.length !== SUBJECT_BYTES) return undefined
  const id = subject.subarray(1)
  return subject[0] === 'b'.charCodeAt(0) ? { blockId: id.toString('hex') } : { signalId: formatUuid(id) }
}
