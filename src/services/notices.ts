// Notices: what she declares for a law, and the clocks that then run for every platform that meets one of her pictures.

import { Problem } from '../domain/problem.js'
import type { RegisteredImage } from '../domain/signal.js'
import { type Clock, clocksFrom, type Law, missingIn, type Notice, type Stage, stoppedBy } from '../domain/sla.js'
import type { Verdict } from '../domain/trust.js'
import type { ApiKeys } from '../store/api-keys.js'
import type { Cases } from '../store/cases.js'
import type { Clocks, RunningClock } from '../store/clocks.js'
import type { Events } from '../store/events.js'
import type { Images } from '../store/images.js'
import type { OwnCase } from './case-access.js'
import { refusalOf, refuseEnded } from './cases.js'

export type GivenNotice = Omit<Notice, 'givenAtMs' | 'contactOrgId'> & { readonly contact: string | undefined }

export interface OverdueClock {
  readonly signalId: string
  readonly platform: string
  readonly law: Law
  readonly stage: Stage
  readonly dueAtMs: number
}

export interface Notices {
  /** In place of the one that was given before. @throws {Problem} notice-incomplete, case-withdrawn, case-expired, case-unknown */
  give(own: OwnCase, notice: GivenNotice): Promise<Notice>
  of(own: OwnCase): Promise<Notice | undefined>
  /** The clocks that run for an organisation because of one image. */
  running(imageId: string, orgId: string): Promise<Clock[]>
  /** An organisation was told of a match: its clocks start, if they never did. */
  met(imageId: string, image: RegisteredImage, orgIds: readonly string[], atMs: number): Promise<void>
  /** An organisation decided: the clocks that this stops, stop. */
  decided(imageId: string, orgId: string, verdict: Verdict): Promise<void>
  /** Clocks that have run out, longest first: all, or those of cases that name this organisation as their contact. */
  overdue(contactOrgId: string | undefined, limit: number): Promise<OverdueClock[]>
  /** Tells of clocks that ran out since it was last called, each once among all processes. */
  tell(): Promise<void>
}

export interface NoticeParts {
  readonly clocks: Clocks
  readonly cases: Pick<Cases, 'get'>
  readonly images: Pick<Images, 'get'>
  readonly apiKeys: Pick<ApiKeys, 'org' | 'orgByName'>
  readonly events: Pick<Events, 'add'>
  readonly now: () => number
}

/** A process that starts looks back so far, since others may have stopped. */
const LOOK_BACK_MS = 7 * 86_400_000
const TOLD_ONCE_IN_S = 30 * 86_400
const MOST_AT_ONCE = 1000

export function noticesFrom({ clocks, cases, images, apiKeys, events, now }: NoticeParts): Notices {
  let toldUntilMs = now() - LOOK_BACK_MS

  const contactOf = async (clock: RunningClock) => {
    const [image] = await images.get([clock.imageId])
    const notice = image?.caseId === undefined ? undefined : await clocks.notice(image.caseId)
    return notice?.contactOrgId
  }

  return {
    async give({ caseId, record, by }, { contact, ...given }) {
      refuseEnded({ record }, now())
      const org = contact === undefined ? undefined : await apiKeys.orgByName(contact)
      const notice = { ...given, contactOrgId: org?.kind === 'ngo' ? org.orgId : undefined, givenAtMs: now() }
      if (missingIn(notice).length > 0) throw new Problem('notice-incomplete')
      if (contact !== undefined && notice.contactOrgId === undefined) throw new Problem('notice-incomplete')
      const outcome = await clocks.putNotice(caseId, notice, by)
      if (outcome !== 'done') throw refusalOf(outcome, (await cases.get(caseId)) ?? record)
      return notice
    },
    of: ({ caseId }) => clocks.notice(caseId),
    running: (imageId, orgId) => clocks.running(imageId, orgId),
    async met(imageId, image, orgIds, atMs) {
      const notice = image.caseId === undefined ? undefined : await clocks.notice(image.caseId)
      if (notice === undefined) return
      for (const orgId of orgIds) await clocks.start(imageId, orgId, clocksFrom(notice.laws, atMs))
    },
    decided: (imageId, orgId, verdict) => clocks.stop(imageId, orgId, stoppedBy(verdict)),
    async overdue(contactOrgId, limit) {
      const overdue: OverdueClock[] = []
      for (const clock of await clocks.due(0, now(), MOST_AT_ONCE)) {
        if (overdue.length === limit) break
        if (contactOrgId !== undefined && (await contactOf(clock)) !== contactOrgId) continue
        const { imageId, orgId, law, stage, dueAtMs } = clock
        const platform = (await apiKeys.org(orgId))?.name ?? orgId
        overdue.push({ signalId: imageId, platform, law, stage, dueAtMs })
      }
      return overdue
    },
    async tell() {
      const untilMs = now()
      const due = await clocks.due(toldUntilMs, untilMs, MOST_AT_ONCE)
      for (const { imageId, orgId, law, stage, dueAtMs } of due) {
        const about = { signalId: imageId, orgId, law, stage, dueAt: new Date(dueAtMs).toISOString() }
        await events.add('sla.due', about, untilMs, TOLD_ONCE_IN_S)
      }
      toldUntilMs = due.length === MOST_AT_ONCE ? (due.at(-1)?.dueAtMs ?? untilMs) : untilMs
    },
  }
}
