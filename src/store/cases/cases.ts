// Cases in the store. Their keys are keyed hashes of case numbers.

import {
  CASE_ACTIONS,
  CASE_FORGOTTEN_AFTER_MS,
  type CaseAction,
  type CaseEnding,
  type CaseState,
  stateIn,
} from '../../domain/cases/case.js'
import type { CaseEventKind } from '../../domain/cases/case-event.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { BLOCKED_FOR_MS } from '../../domain/trust/strikes.js'
import { writeAudited } from '../audit/audit.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { cursorOf, pageOfSorted, type SortedEntry } from '../redis/paging.js'
import { changeCase, endCase, eraseCase, forgetCase, openCase, statesFor } from '../scripts/cases/case-life.js'
import { tryPin } from '../scripts/cases/try-pin.js'
import { IMAGE_SHARDS } from '../scripts/shards.js'
import { CaseFields, type CaseRecord, fieldsOf, flat, type NewCaseRecord } from './case-record.js'

/** A case that an organisation assists: it opened the case, or the case's notice names it as contact. */
export interface AssistedCase {
  readonly caseId: string
  readonly sinceMs: number
}

/** A case with a step that is due, and its position in the schedule. */
export interface DueCase {
  readonly cursor: PageCursor
  readonly caseId: string
}

/** A change of a case that has not ended. */
export interface CaseChange {
  readonly action: CaseAction
  readonly nowMs: number
  readonly fields: {
    readonly expiresAtMs?: number
    readonly pin?: string
    readonly recoveryCode?: string
    readonly pinGuesses?: number
    readonly nextPin?: string
    readonly nextRecoveryCode?: string
    readonly nextFromMs?: number
    readonly nextByCode?: 'yes' | 'no'
    readonly endWishAtMs?: number
    readonly pausedUntilMs?: number
    readonly handoverSeed?: string
    readonly complaint?: string
    readonly handedOverAtMs?: number
    readonly keepsReading?: 'yes' | 'no'
  }
  /** Fields that are removed. */
  readonly without?: readonly ('endWishAtMs' | 'pausedUntilMs' | 'nextPin' | 'nextRecoveryCode' | 'nextFromMs')[]
  /** A field that must not exist. Otherwise nothing changes. */
  readonly unless?: 'handedOverAtMs' | 'endWishAtMs' | 'nextByCode'
  /** Noted in the time line; `undefined` for none. */
  readonly event: CaseEventKind | undefined
  readonly by?: AuditActor
}

export interface Cases {
  /** The name of the case in the audit log. */
  auditName(caseId: string): Promise<string>
  /** @returns whether the id was free. */
  add(caseId: string, record: NewCaseRecord): Promise<boolean>
  get(caseId: string): Promise<CaseRecord | undefined>
  countImages(caseId: string): Promise<number>
  /** Up to `limit` cases that an organisation assists, in a stable order, after `after` or from the first. */
  assistedBy(orgId: string, after: AssistedCase | undefined, limit: number): Promise<AssistedCase[]>
  /** @returns `done`, or the state that forbids it; `undefined` when there is no such case, it was handed over, or `unless` exists. */
  change(caseId: string, change: CaseChange): Promise<'done' | CaseState | undefined>
  /**
   * Ends a case: its images are erased and match nothing any more. A case that has already ended stays as it is. With `expired`, a case that
   * has not reached its expiry stays as it is; with `wished`, a case that nobody wished to end by now.
   * @returns its state now, and the revision of the tombstones, 0 when there is none; `undefined` when there is no such case, or `by` has
   *   handed it over.
   */
  end(
    caseId: string,
    ending: CaseEnding | 'wished',
    nowMs: number,
    by?: AuditActor,
  ): Promise<{ readonly state: CaseState; readonly revision: number } | undefined>
  /** Records that the store's append-only file no longer holds its hashes. Changes nothing for a case that has not ended. */
  markErased(caseId: string, nowMs: number): Promise<void>
  /** A page of the cases that ended by `untilMs` and whose hashes may still be in old lines of the append-only file. */
  toBeErased(untilMs: number, after: PageCursor | undefined, limit: number): Promise<DueCase[]>
  /** A page of the cases that expire, or may be deleted, by `nowMs`. */
  due(nowMs: number, after: PageCursor | undefined, limit: number): Promise<DueCase[]>
  /** Deletes what is left of a case that may no longer be looked up. @returns whether nothing of it is left. */
  forget(caseId: string, nowMs: number): Promise<boolean>
  /**
   * Tries a PIN or recovery code. The first use of a new one invalidates the previous PIN and code, and all tokens. Wrong PINs are counted over the
   * whole life of the case, and shown in its time line.
   * @returns how often the PIN has changed; `undefined` when the PIN or code is wrong, too many wrong PINs have blocked the PIN, or there is no
   *   such case.
   */
  tryPin(caseId: string, attempt: PinAttempt, nowMs: number): Promise<number | undefined>
  addToken(tokenHash: string, opened: OpenedByToken, ttlS: number): Promise<void>
  caseOfToken(tokenHash: string): Promise<OpenedByToken | undefined>
}

export interface PinAttempt {
  readonly as: 'pin' | 'recoveryCode'
  readonly stretched: string
}

/** The case that a token opens, as long as the PIN has not changed since. */
export interface OpenedByToken {
  readonly caseId: string
  readonly pinChanges: number
  /** Whether the holder proved to have the recovery code. */
  readonly byCode: boolean
}

/** Actions that are recorded in the audit log. */
const ACT_OF: Partial<Readonly<Record<CaseAction, CaseAct>>> = {
  renew: 'case.renewed',
  'hand-over': 'case.handed-over',
  'end-reading': 'case.reading-ended',
  'wish-end': 'case.end-wished',
  'stop-wishes': 'case.wishes-stopped',
  pause: 'case.paused',
  resume: 'case.resumed',
  'change-pin': 'case.pin-requested',
}
type CaseAct =
  | 'case.renewed'
  | 'case.handed-over'
  | 'case.reading-ended'
  | 'case.end-wished'
  | 'case.wishes-stopped'
  | 'case.paused'
  | 'case.resumed'
  | 'case.pin-requested'
  | 'case.pin-changed'
  | 'case.withdrawn'
  | 'case.expired'
/** The audit name of cases that were opened before cases had audit names. */
const UNNAMED = 'unnamed'

export function createCaseStore(store: Store): Cases {
  return { ...recordsIn(store), ...endsIn(store), ...openingIn(store) }
}

async function auditNameOf(store: Store, caseId: string): Promise<string> {
  return (await store.ask((redis) => redis.hget(keys.case(caseId), 'auditName'))) ?? UNNAMED
}

async function entryFor<A extends CaseAct>(store: Store, caseId: string, act: A, by: AuditActor, atMs: number) {
  return { act, by, about: { case: await auditNameOf(store, caseId) }, atMs }
}

/** Adding, reading and changing cases. */
function recordsIn(store: Store): Pick<Cases, 'auditName' | 'add' | 'get' | 'countImages' | 'assistedBy' | 'change'> {
  return {
    auditName: (caseId) => auditNameOf(store, caseId),
    async add(caseId, record) {
      const { assistance, createdAtMs, expiresAtMs } = record
      const scriptKeys = [keys.case(caseId), keys.caseEvents(caseId), keys.caseSchedule]
      const given = [caseId, createdAtMs, expiresAtMs, ...fieldsOf(record)]
      if (assistance === undefined) return Number(await store.write(openCase, scriptKeys, given)) === 1
      const { orgId } = assistance
      const about = { case: record.auditName ?? UNNAMED, orgId }
      const entry = { act: 'case.assisted', by: `org:${orgId}`, about, atMs: createdAtMs } as const
      const reply = await writeAudited(store, entry, openCase, scriptKeys, given, 'reply == 1')
      return Number(reply) === 1
    },
    async get(caseId) {
      const fields = await store.ask((redis) => redis.hgetall(keys.case(caseId)))
      return Object.keys(fields).length === 0 ? undefined : CaseFields.parse(fields)
    },
    countImages: (caseId) => store.ask((redis) => redis.scard(keys.caseImages(caseId))),
    async assistedBy(orgId, after, limit) {
      const place = after && { score: after.sinceMs, member: Buffer.from(after.caseId).toString('hex') }
      const page = await pageOfSorted(store, keys.assisted(orgId), { after: place, limit })
      return page.map(({ member, score }) => ({ caseId: member.toString('utf8'), sinceMs: score }))
    },
    async change(caseId, { action, nowMs, fields, without = [], unless = '', event, by = 'submitter' }) {
      const act = ACT_OF[action]
      const scriptKeys = [keys.case(caseId), keys.caseEvents(caseId), keys.caseSchedule]
      const given = [
        ...[caseId, nowMs, statesFor(action), event ?? '', unless, actingAs(by), without.join(' ')],
        ...flat({ ...fields }),
      ]
      const reply =
        act === undefined
          ? await store.write(changeCase, scriptKeys, given)
          : await writeAudited(
              store,
              await entryFor(store, caseId, act, by, nowMs),
              changeCase,
              scriptKeys,
              given,
              'reply == 1',
            )
      return Number(reply) === 1 ? 'done' : stateIn(reply)
    },
  }
}

/** Ending, erasing and forgetting cases, and the lists of what is due. */
function endsIn(store: Store): Pick<Cases, 'end' | 'markErased' | 'toBeErased' | 'due' | 'forget'> {
  return {
    async end(caseId, asked, nowMs, by = asked === 'withdrawn' ? 'submitter' : 'tabir') {
      const ending = asked === 'wished' ? 'withdrawn' : asked
      const reply = await writeAudited(
        store,
        await entryFor(store, caseId, `case.${ending}`, by, nowMs),
        endCase,
        [
          keys.case(caseId),
          keys.caseImages(caseId),
          keys.caseEvents(caseId),
          keys.caseSchedule,
          keys.caseErasures,
          keys.revision,
          keys.changes,
          keys.strikes(`case:${caseId}`),
          keys.strikeAccounts,
        ],
        [
          ...[caseId, nowMs, ending, nowMs + CASE_FORGOTTEN_AFTER_MS, keys.prefix, IMAGE_SHARDS, BLOCKED_FOR_MS],
          ...[actingAs(by), asked === 'wished' ? 'yes' : ''],
        ],
        'reply[3] == 1',
      )
      const [state, revision] = Array.isArray(reply) ? reply : []
      const now = stateIn(state)
      return now === undefined ? undefined : { state: now, revision: Number(revision) }
    },
    async markErased(caseId, nowMs) {
      await store.write(
        eraseCase,
        [keys.case(caseId), keys.caseEvents(caseId), keys.caseErasures],
        [caseId, nowMs, statesFor('erase'), CASE_ACTIONS.erase.to],
      )
    },
    toBeErased: async (untilMs, after, limit) =>
      (await pageOfSorted(store, keys.caseErasures, { to: untilMs, after, limit })).map(dueCaseOf),
    due: async (nowMs, after, limit) =>
      (await pageOfSorted(store, keys.caseSchedule, { to: nowMs, after, limit })).map(dueCaseOf),
    async forget(caseId, nowMs) {
      const scriptKeys = [
        ...[keys.case(caseId), keys.caseEvents(caseId), keys.caseSchedule, keys.caseErasures],
        ...[keys.strikes(`case:${caseId}`), keys.strikeAccounts, keys.erased],
      ]
      return Number(await store.write(forgetCase, scriptKeys, [caseId, nowMs])) === 1
    },
  }
}

/** Opening a case with a PIN, a recovery code or a token. */
function openingIn(store: Store): Pick<Cases, 'tryPin' | 'addToken' | 'caseOfToken'> {
  return {
    async tryPin(caseId, { as, stretched }, nowMs) {
      const reply = await writeAudited(
        store,
        await entryFor(store, caseId, 'case.pin-changed', 'submitter', nowMs),
        tryPin,
        [keys.case(caseId), keys.caseEvents(caseId), keys.pinsTried],
        [stretched, as, nowMs],
        'reply[2] == 1',
      )
      return Array.isArray(reply) ? Number(reply[0]) : undefined
    },
    async addToken(tokenHash, { caseId, pinChanges, byCode }, ttlS) {
      const opened = `${caseId}:${pinChanges}:${byCode ? 'code' : 'pin'}`
      await store.ask((redis) => redis.set(keys.caseToken(tokenHash), opened, 'EX', ttlS))
    },
    async caseOfToken(tokenHash) {
      const opened = await store.ask((redis) => redis.get(keys.caseToken(tokenHash)))
      const [caseId, pinChanges, proof] = opened?.split(':') ?? []
      return caseId === undefined ? undefined : { caseId, pinChanges: Number(pinChanges ?? 0), byCode: proof === 'code' }
    },
  }
}

function actingAs(by: AuditActor): 'organisation' | 'submitter' {
  return by.startsWith('org:') ? 'organisation' : 'submitter'
}

function dueCaseOf(entry: SortedEntry): DueCase {
  return { cursor: cursorOf(entry), caseId: entry.member.toString('utf8') }
}
