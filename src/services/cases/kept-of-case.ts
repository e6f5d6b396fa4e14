// What the store keeps of a case beside its case file: deadlines, appeals, the notice, and who received its hashes.

import type { AppealState } from '../../domain/cases/appeal.js'
import type { Law, Notice, Stage } from '../../domain/cases/sla.js'
import { inChunks } from '../../domain/in-chunks.js'
import type { DeadlineStore, StartedDeadline } from '../../store/cases/deadlines.js'
import type { Fetched } from '../../store/exchange/fetched.js'
import type { Received } from '../../store/images/received.js'
import type { Appeals } from '../../store/trust/appeals.js'
import type { OwnCase } from './case-access.js'

/** Numbers of organisations: who they are is not told. */
export interface Recipients extends Received {
  /** Organisations whose keys fetched a hash of it through StopNCII's interface. */
  readonly fetched: number
  /** Other systems (HMA) that hold a copy which this service cleans. */
  readonly systems: number
}

export interface KeptDeadline {
  readonly law: Law
  readonly stage: Stage
  /** Of the platforms that have not decided yet: how many, and when the first is due. */
  readonly running: number
  readonly nextDueAtMs: number | undefined
  /** Platforms that have decided. */
  readonly met: number
}

export interface KeptOfImage {
  readonly deadlines: readonly KeptDeadline[]
  readonly appeal: AppealState | undefined
  readonly recipients: Recipients
}

/** With the name of the organisation through which the submitter can be reached; `undefined` if the notice names none, or it is no longer known. */
export type KeptNotice = Notice & { readonly contact: string | undefined }

export interface KeptOfCases {
  notice(own: OwnCase): Promise<KeptNotice | undefined>
  /** In the order of the ids. */
  images(imageIds: readonly string[]): Promise<KeptOfImage[]>
}

export interface KeptParts {
  readonly deadlines: Pick<DeadlineStore, 'notice' | 'started'>
  readonly appeals: Pick<Appeals, 'statesOf'>
  readonly fetched: Pick<Fetched, 'keysOf'>
  readonly receivedOf: (imageIds: readonly string[]) => Promise<Received[]>
  /** In how many other systems each image is known to have a copy. */
  readonly systemsWith: (imageIds: readonly string[]) => Promise<number[]>
  /** `undefined` for a revoked key. */
  readonly orgOfKey: (keyId: string) => string | undefined
  readonly nameOfOrg: (orgId: string) => Promise<string | undefined>
  readonly now: () => number
}

const AT_ONCE = 200
const NOT_RECEIVED: Received = { told: 0, watching: 0, isWaiting: false }

export function createKeptOfCases(parts: KeptParts): KeptOfCases {
  const { deadlines, appeals, fetched, receivedOf, systemsWith, orgOfKey, nameOfOrg, now } = parts
  return {
    async notice({ caseId }) {
      const notice = await deadlines.notice(caseId)
      if (notice === undefined) return undefined
      const { contactOrgId } = notice
      return { ...notice, contact: contactOrgId === undefined ? undefined : await nameOfOrg(contactOrgId) }
    },
    async images(imageIds) {
      const all: KeptOfImage[] = []
      for (const some of inChunks(imageIds, AT_ONCE)) {
        const [started, appealed, received, byKeys, systems] = await Promise.all([
          deadlines.started(some),
          appeals.statesOf(some, now()),
          receivedOf(some),
          fetched.keysOf(some),
          systemsWith(some),
        ])
        for (const i of some.keys()) {
          const orgs = new Set([...(byKeys[i] ?? [])].map((keyId) => orgOfKey(keyId) ?? keyId))
          all.push({
            deadlines: keptDeadlines(started[i] ?? []),
            appeal: appealed[i],
            recipients: { ...(received[i] ?? NOT_RECEIVED), fetched: orgs.size, systems: systems[i] ?? 0 },
          })
        }
      }
      return all
    },
  }
}

/** One for each law and stage, over all platforms. */
function keptDeadlines(started: readonly StartedDeadline[]): KeptDeadline[] {
  const kept = new Map<string, KeptDeadline>()
  for (const { law, stage, dueAtMs } of started) {
    const before = kept.get(`${law} ${stage}`) ?? { law, stage, running: 0, nextDueAtMs: undefined, met: 0 }
    const next = Math.min(dueAtMs ?? Number.POSITIVE_INFINITY, before.nextDueAtMs ?? Number.POSITIVE_INFINITY)
    kept.set(`${law} ${stage}`, {
      ...before,
      running: before.running + (dueAtMs === undefined ? 0 : 1),
      nextDueAtMs: Number.isFinite(next) ? next : undefined,
      met: before.met + (dueAtMs === undefined ? 1 : 0),
    })
  }
  return [...kept.values()]
}
