// Notices: a submitter's statement under a law, and the deadlines that then run for each platform that gets a match of the case's pictures.

import { durationSOf, type RegisteredFacts } from '../../../packages/core/src/matching/signal.js'
import {
  type Deadline,
  deadlinesFrom,
  type Law,
  missingIn,
  type Notice,
  type Stage,
  stoppedBy,
} from '../../domain/cases/sla.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { Problem } from '../../domain/problem.js'
import type { Verdict } from '../../domain/trust/verdict.js'
import type { Cases } from '../../store/cases/cases.js'
import type { DeadlineStore, DueDeadline, RunningDeadline } from '../../store/cases/deadlines.js'
import type { Images } from '../../store/images/images.js'
import type { ApiKeys } from '../../store/organisations/api-keys.js'
import { isDamage } from '../../store/sealing/seal.js'
import type { Events } from '../../store/webhooks/events.js'
import { type DueError, forEachDue } from '../load/each-due.js'
import type { OwnCase } from './case-access.js'
import { refusalOf, refuseEnded } from './case-changes.js'

export type GivenNotice = Omit<Notice, 'givenAtMs' | 'contactOrgId'> & { readonly contact: string | undefined }

export interface OverdueDeadline {
  readonly signalId: string
  readonly platform: string
  readonly law: Law
  readonly stage: Stage
  readonly dueAtMs: number
  /** Only for videos. */
  readonly durationS: number | undefined
}

export interface OverduePage {
  readonly deadlines: readonly OverdueDeadline[]
  /** Where the next page begins; `undefined` at the end. */
  readonly next: PageCursor | undefined
}

export interface Notices {
  /** Stores a notice; it replaces an earlier one. @throws {Problem} notice-incomplete, case-withdrawn, case-expired, case-unknown */
  give(own: OwnCase, notice: GivenNotice): Promise<Notice>
  /** The notice of a case. */
  of(own: OwnCase): Promise<Notice | undefined>
  /** The running deadlines of an organisation for one image. */
  running(imageId: string, orgId: string): Promise<Deadline[]>
  /** Starts the deadlines of organisations that got a match of the image at `atMs`. A deadline that was ever started is not started again. */
  met(imageId: string, image: RegisteredFacts, orgIds: readonly string[], atMs: number): Promise<void>
  /** Stops the deadlines that this verdict of an organisation meets, also those that are about to start. */
  decided(imageId: string, image: Pick<RegisteredFacts, 'caseId'>, orgId: string, verdict: Verdict): Promise<void>
  /** A page of passed deadlines, longest overdue first. @param contactOrgId only those of notices that name it as contact; `undefined` for all. */
  overdue(contactOrgId: string | undefined, after: PageCursor | undefined, limit: number): Promise<OverduePage>
  /** Raises an event for each deadline that passed since the last call: once among all processes. Failed ones are tried again by the next call. */
  announceOverdue(): Promise<void>
}

export interface NoticeParts {
  readonly deadlines: DeadlineStore
  readonly cases: Pick<Cases, 'get'>
  readonly apiKeys: Pick<ApiKeys, 'org' | 'orgByName'>
  readonly images: Pick<Images, 'facts'>
  readonly events: Pick<Events, 'add'>
  /** Up to when deadlines have passed [epoch ms], by more than one clock; `undefined`: nothing is announced now. */
  readonly dueUntilMs: () => Promise<number | undefined>
  readonly now: () => number
  readonly onError: (error: DueError) => void
}

/** How far back a process looks when it starts: perhaps no process was running in that time. */
const LOOK_BACK_MS = 7 * 86_400_000
const ANNOUNCED_ONCE_IN_S = 30 * 86_400
const PAGE = 500
/** Number of events written together: they share one wait for the disk. */
const ANNOUNCED_AT_ONCE = 50
/** Maximum failed deadlines that are remembered. Beyond it, the next call goes through the whole period again. */
const MAX_FAILED = 1000

export function createNotices(parts: NoticeParts): Notices {
  const { deadlines, cases, apiKeys, now } = parts
  return {
    async give({ caseId, record, by }, { contact, ...given }) {
      refuseEnded({ record }, now())
      const org = contact === undefined ? undefined : await apiKeys.orgByName(contact)
      const notice = { ...given, contactOrgId: org?.kind === 'ngo' ? org.orgId : undefined, givenAtMs: now() }
      if (missingIn(notice).length > 0) throw new Problem('notice-incomplete')
      if (contact !== undefined && notice.contactOrgId === undefined) throw new Problem('notice-incomplete')
      const outcome = await deadlines.putNotice(caseId, notice, by)
      if (outcome !== 'done') throw refusalOf(outcome, (await cases.get(caseId)) ?? record)
      return notice
    },
    of: ({ caseId }) => deadlines.notice(caseId),
    running: (imageId, orgId) => deadlines.running(imageId, orgId),
    async met(imageId, image, orgIds, atMs) {
      if (image.caseId === undefined) return
      const notice = await deadlines.notice(image.caseId)
      if (notice === undefined) return
      for (const orgId of orgIds) {
        await deadlines.start({ imageId, caseId: image.caseId }, orgId, deadlinesFrom(notice.laws, atMs))
      }
    },
    async decided(imageId, { caseId }, orgId, verdict) {
      const notice = caseId === undefined ? undefined : await deadlines.notice(caseId)
      if (notice === undefined) return
      const stopped = stoppedBy(verdict).map((each) => ({ ...each, isAhead: notice.laws.includes(each.law) }))
      await deadlines.stop(imageId, orgId, stopped)
    },
    overdue: overdueIn(parts),
    announceOverdue: overdueAnnouncer(parts),
  }
}

function overdueIn({ deadlines, apiKeys, images, now }: NoticeParts): Notices['overdue'] {
  return async (contactOrgId, after, limit) => {
    const untilMs = now()
    const due =
      contactOrgId === undefined
        ? await deadlines.due(0, untilMs, after, limit)
        : await deadlines.dueOf(contactOrgId, untilMs, after, limit)
    const running = due.flatMap(({ deadline }) => (deadline === undefined ? [] : [deadline]))
    const orgIds = [...new Set(running.map(({ orgId }) => orgId))]
    const names = new Map<string, string | undefined>()
    for (const orgId of orgIds) names.set(orgId, (await apiKeys.org(orgId))?.name)
    const facts = await Promise.all(running.map(({ imageId }) => images.facts([imageId]).catch(noneOfDamaged)))
    return {
      deadlines: running.map(({ imageId, orgId, law, stage, dueAtMs }, i) => ({
        signalId: imageId,
        platform: names.get(orgId) ?? orgId,
        law,
        stage,
        dueAtMs,
        durationS: durationSOf(facts[i]?.[0]?.video),
      })),
      next: due.length < limit ? undefined : due.at(-1)?.cursor,
    }
  }
}

/** A deadline is listed all the same. */
function noneOfDamaged(error: unknown): readonly undefined[] {
  if (isDamage(error)) return []
  throw error
}

/** Remembers up to which time deadlines were announced, and which ones failed. */
function overdueAnnouncer({ deadlines, events, dueUntilMs, onError }: NoticeParts): Notices['announceOverdue'] {
  let announcedUntilMs: number | undefined
  // Invariant: holds the deadlines that passed before `announcedUntilMs` and have no event yet.
  const failed = new Map<string, RunningDeadline>()

  const announce = async (deadline: RunningDeadline, atMs: number) => {
    const { imageId, orgId, law, stage, dueAtMs } = deadline
    const about = { signalId: imageId, orgId, law, stage, dueAt: new Date(dueAtMs).toISOString() }
    await events.add('sla.due', about, atMs, ANNOUNCED_ONCE_IN_S)
  }

  const announceNew = async (untilMs: number) => {
    const fromMs = announcedUntilMs ?? untilMs - LOOK_BACK_MS
    await forEachDue<DueDeadline>({
      what: 'passed deadlines',
      take: (after) => deadlines.due(fromMs, untilMs, after?.cursor, PAGE),
      async handle({ cursor: place, deadline }) {
        // Damaged, or written by a newer version, whose processes announce it.
        if (deadline === undefined) throw new Error('a deadline that this version cannot read')
        try {
          await announce(deadline, untilMs)
        } catch (error) {
          failed.set(`${place.score}.${place.member}`, deadline)
          throw error
        }
      },
      atOnce: ANNOUNCED_AT_ONCE,
      onError,
    })
    if (failed.size > MAX_FAILED) failed.clear()
    else announcedUntilMs = untilMs
  }

  const announceAgain = async (untilMs: number) => {
    await forEachDue<readonly [string, RunningDeadline]>({
      what: 'passed deadlines that failed before',
      take: [...failed],
      async handle([name, deadline]) {
        const running = await deadlines.running(deadline.imageId, deadline.orgId)
        if (running.some(({ law, stage }) => law === deadline.law && stage === deadline.stage))
          await announce(deadline, untilMs)
        failed.delete(name)
      },
      onError,
    })
  }

  return async () => {
    const untilMs = await dueUntilMs()
    if (untilMs === undefined) return
    await announceAgain(untilMs)
    await announceNew(untilMs)
  }
}
