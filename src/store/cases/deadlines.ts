// Notices of cases, and the deadlines that run for platforms.

import { z } from 'zod'
import { formatUuid } from '../../../packages/core/src/ids.js'
import { type CaseState, stateIn } from '../../domain/cases/case.js'
import { type Deadline, LAWS, type Law, type Notice, STAGES, STATEMENTS, type Stage } from '../../domain/cases/sla.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import type { Store } from '../redis/client.js'
import { idBuffer, imageShard, keys } from '../redis/keys.js'
import { cursorOf, pageOfSorted, pageOfSortedAmong, type SortedEntry } from '../redis/paging.js'
import { statesFor } from '../scripts/cases/case-life.js'
import { putNotice, startDeadlines, stopDeadlines } from '../scripts/cases/deadlines.js'

export interface RunningDeadline extends Deadline {
  readonly imageId: string
  readonly orgId: string
}

export interface DueDeadline {
  /** Its position in the schedule. */
  readonly cursor: PageCursor
  /** `undefined` when this version cannot read it. */
  readonly deadline: RunningDeadline | undefined
}

/** A deadline of one platform for one image; `dueAtMs` is `undefined` once it was stopped. */
export interface StartedDeadline extends Omit<Deadline, 'dueAtMs'> {
  readonly dueAtMs: number | undefined
}

export interface DeadlineStore {
  /**
   * Stores a case's notice. Durable when it returns.
   * @param by who gives it: the submitter, or the organisation that assists.
   * @returns `done`, or the state that forbids it; `undefined` when there is no such case, or the organisation has handed it over.
   */
  putNotice(caseId: string, notice: Notice, by?: 'submitter' | 'organisation'): Promise<'done' | CaseState | undefined>
  notice(caseId: string): Promise<Notice | undefined>
  /** Starts deadlines of one platform for one image. Those that already run or were stopped stay as they are. Durable when it returns. */
  start(
    image: { readonly imageId: string; readonly caseId: string },
    orgId: string,
    deadlines: readonly Deadline[],
  ): Promise<void>
  /**
   * Stops deadlines of one platform for one image for good. Durable when it returns.
   * @param stopped `isAhead`: also if it has not started yet.
   */
  stop(
    imageId: string,
    orgId: string,
    stopped: readonly { readonly law: Law; readonly stage: Stage; readonly isAhead: boolean }[],
  ): Promise<void>
  /** The running deadlines of one platform for one image, the next due first. */
  running(imageId: string, orgId: string): Promise<Deadline[]>
  /** All deadlines of each image, in the order of the ids, running and stopped. */
  started(imageIds: readonly string[]): Promise<StartedDeadline[][]>
  /** A page of the deadlines due between two times, the longest overdue first. */
  due(fromMs: number, untilMs: number, after: PageCursor | undefined, limit: number): Promise<DueDeadline[]>
  /** The number of deadlines due between two times. */
  countDue(fromMs: number, untilMs: number): Promise<number>
  /** A page of the deadlines due by `untilMs` in cases whose notice names this organisation, the longest overdue first. */
  dueOf(contactOrgId: string, untilMs: number, after: PageCursor | undefined, limit: number): Promise<DueDeadline[]>
}

const NoticeJson = z.object({
  laws: z.array(z.enum(LAWS)),
  statements: z.array(z.enum(STATEMENTS)),
  actingAs: z.enum(['self', 'representative']),
  contactOrgId: z.string().optional(),
  givenAtMs: z.int(),
})

export function createDeadlineStore(store: Store): DeadlineStore {
  return {
    async putNotice(caseId, notice, by = 'submitter') {
      const reply = await store.write(
        putNotice,
        [keys.case(caseId), keys.caseImages(caseId), keys.caseNotice(caseId), keys.noticed],
        [JSON.stringify(notice), statesFor('add-images'), notice.contactOrgId ?? '', notice.givenAtMs, by, keys.prefix],
      )
      if (Number(reply) === 1) return 'done'
      return stateIn(reply)
    },
    async notice(caseId) {
      const json = await store.ask((redis) => redis.get(keys.caseNotice(caseId)))
      if (json === null) return undefined
      const { contactOrgId, ...rest } = NoticeJson.parse(JSON.parse(json))
      return { ...rest, contactOrgId }
    },
    async start({ imageId, caseId }, orgId, deadlines) {
      const { id, hex } = idOf(imageId)
      const named = deadlines.flatMap(({ law, stage, dueAtMs }) => [nameOf(orgId, law, stage), dueAtMs])
      const scriptKeys = [keys.images(imageShard(id)), keys.deadlines(hex), keys.deadlineSchedule, keys.caseNotice(caseId)]
      await store.write(startDeadlines, scriptKeys, [id, hex, keys.prefix, ...named])
    },
    async stop(imageId, orgId, stopped) {
      const { id, hex } = idOf(imageId)
      const named = stopped.flatMap(({ law, stage, isAhead }) => [nameOf(orgId, law, stage), isAhead ? 'yes' : 'no'])
      const scriptKeys = [keys.images(imageShard(id)), keys.deadlines(hex), keys.deadlineSchedule]
      await store.write(stopDeadlines, scriptKeys, [id, hex, keys.prefix, ...named])
    },
    async running(imageId, orgId) {
      const { hex } = idOf(imageId)
      const all = await store.ask((redis) => redis.hgetall(keys.deadlines(hex)))
      const running = Object.entries(all).flatMap(([name, due]) => {
        const deadline = parseName(name)
        if (deadline?.orgId !== orgId || due === 'stopped') return []
        return [{ law: deadline.law, stage: deadline.stage, dueAtMs: Number(due) }]
      })
      return running.sort((a, b) => a.dueAtMs - b.dueAtMs)
    },
    async started(imageIds) {
      const found = await store.ask((redis) =>
        Promise.all(imageIds.map((id) => redis.hgetall(keys.deadlines(idOf(id).hex)))),
      )
      return found.map((all) =>
        Object.entries(all).flatMap(([name, due]) => {
          const deadline = parseName(name)
          if (deadline === undefined) return []
          return [{ law: deadline.law, stage: deadline.stage, dueAtMs: due === 'stopped' ? undefined : Number(due) }]
        }),
      )
    },
    async due(fromMs, untilMs, after, limit) {
      return (await pageOfSorted(store, keys.deadlineSchedule, { from: fromMs, to: untilMs, after, limit })).map(
        dueDeadlineOf,
      )
    },
    countDue: (fromMs, untilMs) => store.ask((redis) => redis.zcount(keys.deadlineSchedule, fromMs, untilMs)),
    async dueOf(contactOrgId, untilMs, after, limit) {
      const ask = { to: untilMs, after, limit }
      return (await pageOfSortedAmong(store, keys.deadlineSchedule, keys.contactDeadlines(contactOrgId), ask)).map(
        dueDeadlineOf,
      )
    },
  }
}

function dueDeadlineOf(entry: SortedEntry): DueDeadline {
  const [hex = '', ...rest] = entry.member.toString('utf8').split('|')
  const deadline = parseName(rest.join('|'))
  const isReadable = deadline !== undefined && HEX_ID.test(hex)
  return {
    cursor: cursorOf(entry),
    deadline: isReadable ? { imageId: formatUuid(Buffer.from(hex, 'hex')), ...deadline, dueAtMs: entry.score } : undefined,
  }
}

const HEX_ID = /^[0-9a-f]{32}$/

function nameOf(orgId: string, law: Law, stage: Stage): string {
  return `${orgId}|${law}|${stage}`
}

/** @returns `undefined` for a law or stage that this version does not know. */
function parseName(name: string): { readonly orgId: string; readonly law: Law; readonly stage: Stage } | undefined {
  const [orgId, lawName, stageName] = name.split('|')
  const law = LAWS.find((known) => known === lawName)
  const stage = STAGES.find((known) => known === stageName)
  return orgId === undefined || law === undefined || stage === undefined ? undefined : { orgId, law, stage }
}

function idOf(imageId: string): { readonly id: Buffer; readonly hex: string } {
  const id = idBuffer(imageId)
  return { id, hex: id.toString('hex') }
}
