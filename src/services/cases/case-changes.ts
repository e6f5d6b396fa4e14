// Changes a case, and refuses what its state does not allow.

import { acceptsImages, type CaseAction, type CaseState, stateAt } from '../../domain/cases/case.js'
import type { CaseEventKind } from '../../domain/cases/case-event.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import { Problem } from '../../domain/problem.js'
import type { CaseRecord } from '../../store/cases/case-record.js'
import type { CaseChange, Cases as CaseStore } from '../../store/cases/cases.js'
import type { Replica } from '../index/replica.js'
import type { CaseAccess, NamedCase, OwnCase } from './case-access.js'

export interface CaseParts {
  readonly cases: CaseStore
  readonly access: CaseAccess
  readonly replica: Pick<Replica, 'reached'>
  /** `undefined` for an organisation that no longer exists. */
  readonly nameOfOrg: (orgId: string) => Promise<string | undefined>
  /** Until when a case is kept that is opened or renewed now [epoch ms]: the retention period from the later of this process's clock and the store's. */
  readonly keptUntilMs: (nowMs: number) => Promise<number>
  /** The later of this time and the store's [epoch ms]. */
  readonly laterMs: (nowMs: number) => Promise<number>
  /** Whether this deployment offers extended protection: keeping details of pictures for cases that ask for it. */
  readonly offersExtendedProtection: boolean
  readonly now: () => number
}

/** Applies an action to a case and writes its time-line event in the same step. @throws {Problem} case-unknown, case-withdrawn, case-expired */
export async function changeIn(
  { cases, now }: Pick<CaseParts, 'cases' | 'now'>,
  caseId: string,
  action: CaseAction,
  { by, ...change }: Pick<CaseChange, 'fields' | 'without' | 'unless'> & { readonly by?: AuditActor | undefined },
): Promise<void> {
  const event = EVENT_OF[action]
  const outcome = await cases.change(caseId, { action, nowMs: now(), event, ...change, ...(by !== undefined && { by }) })
  if (outcome !== 'done') throw refusalOf(outcome, await cases.get(caseId))
}

/** Withdraws a case. Its images no longer match in this process when it returns. @throws {Problem} case-unknown */
export async function withdrawIn<C extends NamedCase>(
  { cases, replica, now }: CaseParts,
  named: C,
  by: AuditActor,
): Promise<C> {
  const ended = await cases.end(named.caseId, 'withdrawn', now(), by)
  const record = ended === undefined ? undefined : await cases.get(named.caseId)
  if (ended === undefined || record === undefined) throw new Problem('case-unknown')
  await replica.reached(ended.revision)
  return { ...named, record }
}

/** The actor that the audit log records for an action on a case. */
export function actorOf({ by, record }: OwnCase): AuditActor {
  return by === 'organisation' ? `org:${record.assistance?.orgId ?? ''}` : 'submitter'
}

const EVENT_OF: Partial<Readonly<Record<CaseAction, CaseEventKind>>> = {
  renew: 'renewed',
  'hand-over': 'handed-over',
  'end-reading': 'reading-ended',
  'wish-end': 'end-wished',
  'stop-wishes': 'wishes-stopped',
  pause: 'paused',
  resume: 'resumed',
  'change-pin': 'pin-requested',
}

/** Refuses a case that has ended or whose expiry has passed. @throws {Problem} case-withdrawn, case-expired */
export function refuseEnded({ record }: Pick<OwnCase, 'record'>, nowMs: number): void {
  const state = stateAt(record, nowMs)
  if (!acceptsImages(state)) throw refusalOf(state, record)
}

/** The refusal for a case in this state; `undefined` is an unknown case. */
export function refusalOf(state: CaseState | undefined, record: CaseRecord | undefined): Problem {
  if (state === undefined) return new Problem('case-unknown')
  const hasExpired = state === 'expired' || (state === 'erased' && record?.end?.as === 'expired')
  return new Problem(hasExpired ? 'case-expired' : 'case-withdrawn')
}
