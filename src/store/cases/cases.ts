// Cases in the store, filed under a keyed hash of their number.

import { z } from 'zod'
import { type Assistance, CONSENT_KINDS, type ConsentKind } from '../../domain/cases/assistance.js'
import {
  CASE_ACTIONS,
  CASE_FORGOTTEN_AFTER_MS,
  CASE_STATES,
  type CaseAction,
  type CaseEnding,
  type CaseState,
  stateIn,
} from '../../domain/cases/case.js'
import type { CaseEventKind } from '../../domain/cases/case-event.js'
import { CATEGORY_NAMES, type Category } from '../../domain/matching/signal.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import type { PagePlace } from '../../domain/page-place.js'
import { REFUSED_FOR_MS } from '../../domain/trust/strikes.js'
import { writeAudited } from '../audit/audit.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { pageOfSorted, placeOf, type SortedEntry } from '../redis/paging.js'
import { tryPin } from '../scripts/cases/case-door.js'
import { changeCase, endCase, eraseCase, forgetCase, openCase, statesFor } from '../scripts/cases/case-life.js'
import { IMAGE_SHARDS } from '../scripts/shards.js'

export interface CaseRecord {
  readonly state: CaseState
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly category: Category | undefined
  /** The stretched PIN, base64. */
  readonly pin: string
  /** At most `MAX_PIN_GUESSES`, and one more. */
  readonly pinGuesses: number
  /** How often a PIN took the place of another. A token opens the case for as long as this has not changed. */
  readonly pinChanges: number
  /** Random: what the PIN of a handover is derived from, until she has used that PIN. */
  readonly handoverSeed: string | undefined
  /** Who opened it for her, and on what ground; `undefined` for a case of her own. */
  readonly assistance: Assistance | undefined
  /** Keyed hash of the number of a complaint, hex. */
  readonly complaint: string | undefined
  /** May details of its images be kept? She decided so when she opened it. */
  readonly extendedProtection: boolean
  /** Has an organisation attested any of its images? */
  readonly isVouchedFor: boolean
  /** How many hashes were registered, over all its images; details are not counted. */
  readonly hashes: number
  /** `undefined` while it lives. */
  readonly end: CaseEnd | undefined
  /** Since when its bits are in no line of the store's log. */
  readonly erasedAtMs: number | undefined
}

export interface CaseEnd {
  readonly as: CaseEnding
  readonly atMs: number
  /** How many were erased. */
  readonly images: number
  /** How many of them were judged harmless, so that it stays blocked to register them, and until when at most. */
  readonly blocked?: { readonly images: number; readonly untilMs: number }
}

export interface NewCaseRecord extends Pick<CaseRecord, 'createdAtMs' | 'expiresAtMs' | 'category' | 'pin'> {
  /** The stretched recovery code, base64: it opens the case as well, also when no PIN does any more. */
  readonly recoveryCode?: string
  readonly assistance?: Assistance
  readonly complaint?: string
  readonly extendedProtection?: boolean
  /** Random: what the audit log calls it. Forgotten with the case, so that no entry leads to it any more. */
  readonly auditName?: string
}

/** A case in an organisation's hands: it opened the case, or the case's notice names it. */
export interface HelpedCase {
  readonly caseId: string
  readonly sinceMs: number
}

/** A case that has to be looked at, and where it stands in the list. */
export interface DueCase {
  readonly place: PagePlace
  readonly caseId: string
}

/** What may change in a living case. */
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
    readonly handoverSeed?: string
    readonly complaint?: string
    readonly handedOverAtMs?: number
    readonly keepsReading?: 'yes' | 'no'
  }
  /** Noted in its time line. */
  readonly event: CaseEventKind | undefined
  readonly by?: AuditActor
}

export interface Cases {
  /** What the audit log calls it. */
  auditName(caseId: string): Promise<string>
  /** @returns whether its id was free. */
  add(caseId: string, record: NewCaseRecord): Promise<boolean>
  get(caseId: string): Promise<CaseRecord | undefined>
  countImages(caseId: string): Promise<number>
  /** Up to `limit` of the cases in an organisation's hands, in a lasting order, behind `after` or from the first. */
  helpedBy(orgId: string, after: HelpedCase | undefined, limit: number): Promise<HelpedCase[]>
  /** @returns `done`, or the state that forbids it; `undefined` when there is no such case, or it was handed over before. */
  change(caseId: string, change: CaseChange): Promise<'done' | CaseState | undefined>
  /**
   * Ends a case: nothing of it matches any more, its images are erased. One that has ended stays as it is; one whose time is not
   * over does not expire.
   * @returns its state now, and the tombstones' revision, 0 when there is none; `undefined` without a case, or when `by` has handed it over.
   */
  end(
    caseId: string,
    ending: CaseEnding,
    nowMs: number,
    by?: AuditActor,
  ): Promise<{ readonly state: CaseState; readonly revision: number } | undefined>
  /** Notes that its bits are in no line of the log any more. Nothing happens to a case that has not ended. */
  markErased(caseId: string, nowMs: number): Promise<void>
  /** A page of those that ended at `untilMs` at the latest and whose bits may be in old lines of the log. */
  toBeErased(untilMs: number, after: PagePlace | undefined, limit: number): Promise<DueCase[]>
  /** A page of those that expire, or may be forgotten, by now. */
  due(nowMs: number, after: PagePlace | undefined, limit: number): Promise<DueCase[]>
  /** Removes all that is left of a case whose time to be looked up is over. @returns whether it was. */
  forget(caseId: string, nowMs: number): Promise<boolean>
  /**
   * Tries a PIN or recovery code. The first use of a new one ends the PIN and code before it, and with them all tokens. A wrong PIN is
   * counted for the whole life of the case; a failure is shown in its time line.
   * @returns how often the PIN has changed; `undefined` when it does not open the case, or there is none.
   */
  tryPin(caseId: string, attempt: PinAttempt, nowMs: number): Promise<number | undefined>
  addToken(tokenHash: string, opened: OpenedByToken, ttlS: number): Promise<void>
  caseOfToken(tokenHash: string): Promise<OpenedByToken | undefined>
}

export interface PinAttempt {
  readonly as: 'pin' | 'recoveryCode'
  readonly stretched: string
}

/** What a token opens: the case, as long as its PIN is the one that the token was given for. */
export interface OpenedByToken {
  readonly caseId: string
  readonly pinChanges: number
}

const Moment = z.coerce.number().int()
const CaseFields = z
  .object({
    state: z.enum(CASE_STATES),
    createdAtMs: Moment,
    expiresAtMs: Moment,
    category: z.enum(CATEGORY_NAMES).optional(),
    pin: z.string(),
    pinGuesses: Moment.default(0),
    pinChanges: Moment.default(0),
    handoverSeed: z.string().optional(),
    orgId: z.string().optional(),
    consentKind: z.enum(CONSENT_KINDS).optional(),
    consentOn: z.string().optional(),
    isAttested: z.enum(['yes', 'no']).default('no'),
    vouchedFor: z.enum(['yes', 'no']).default('no'),
    handedOverAtMs: Moment.optional(),
    keepsReading: z.enum(['yes', 'no']).default('no'),
    complaint: z.string().optional(),
    hashes: Moment.default(0),
    extendedProtection: z.enum(['yes', 'no']).default('no'),
    endedAs: z.enum(['withdrawn', 'expired']).optional(),
    endedAtMs: Moment.optional(),
    endedImages: Moment.default(0),
    endedBlocks: Moment.default(0),
    endedBlocksUntilMs: Moment.default(0),
    erasedAtMs: Moment.optional(),
  })
  .transform((fields): CaseRecord => {
    const { state, createdAtMs, expiresAtMs, category, pin, complaint, hashes, erasedAtMs } = fields
    const { pinGuesses, pinChanges, handoverSeed } = fields
    const end = endIn(fields)
    const assistance = assistanceIn(fields)
    const extendedProtection = fields.extendedProtection === 'yes'
    return {
      state,
      createdAtMs,
      expiresAtMs,
      category,
      pin,
      pinGuesses,
      pinChanges,
      handoverSeed,
      assistance,
      complaint,
      extendedProtection,
      isVouchedFor: fields.vouchedFor === 'yes',
      hashes,
      end,
      erasedAtMs,
    }
  })

interface EndFields {
  readonly endedAs?: CaseEnding | undefined
  readonly endedAtMs?: number | undefined
  readonly endedImages: number
  readonly endedBlocks: number
  readonly endedBlocksUntilMs: number
}

function endIn({ endedAs, endedAtMs, endedImages, endedBlocks, endedBlocksUntilMs }: EndFields): CaseEnd | undefined {
  if (endedAs === undefined || endedAtMs === undefined) return undefined
  const blocked = endedBlocks === 0 ? undefined : { images: endedBlocks, untilMs: endedBlocksUntilMs }
  return { as: endedAs, atMs: endedAtMs, images: endedImages, ...(blocked !== undefined && { blocked }) }
}

interface AssistanceFields {
  readonly orgId?: string | undefined
  readonly consentKind?: ConsentKind | undefined
  readonly consentOn?: string | undefined
  readonly isAttested: 'yes' | 'no'
  readonly handedOverAtMs?: number | undefined
  readonly keepsReading: 'yes' | 'no'
}

function assistanceIn({ orgId, consentKind, consentOn, ...rest }: AssistanceFields): Assistance | undefined {
  if (orgId === undefined || consentKind === undefined || consentOn === undefined) return undefined
  return {
    orgId,
    consentKind,
    consentOn,
    isAttested: rest.isAttested === 'yes',
    handedOverAtMs: rest.handedOverAtMs,
    keepsReading: rest.keepsReading === 'yes',
  }
}

/** Of these, that they were done is recorded. */
const ACT_OF: Partial<Readonly<Record<CaseAction, CaseAct>>> = {
  renew: 'case.renewed',
  'hand-over': 'case.handed-over',
  'change-pin': 'case.pin-asked',
}
type CaseAct =
  | 'case.renewed'
  | 'case.handed-over'
  | 'case.pin-asked'
  | 'case.pin-changed'
  | 'case.withdrawn'
  | 'case.expired'
/** A case that was opened before cases had names for the audit log. */
const UNNAMED = 'unnamed'

export function casesIn(store: Store): Cases {
  async function auditName(caseId: string): Promise<string> {
    return (await store.ask((redis) => redis.hget(keys.case(caseId), 'auditName'))) ?? UNNAMED
  }

  async function entryFor<A extends CaseAct>(caseId: string, act: A, by: AuditActor, atMs: number) {
    return { act, by, about: { case: await auditName(caseId) }, atMs }
  }

  return {
    auditName,
    async add(caseId, { assistance, extendedProtection, ...record }) {
      const help =
        assistance === undefined
          ? {}
          : {
              orgId: assistance.orgId,
              consentKind: assistance.consentKind,
              consentOn: assistance.consentOn,
              isAttested: assistance.isAttested ? 'yes' : 'no',
            }
      const choice = extendedProtection === true ? { extendedProtection: 'yes' } : {}
      const places = [keys.case(caseId), keys.caseEvents(caseId), keys.caseDues]
      const given = [
        caseId,
        record.createdAtMs,
        record.expiresAtMs,
        ...flat({ state: 'open', ...record, ...choice, ...help }),
      ]
      if (assistance === undefined) return Number(await store.write(openCase, places, given)) === 1
      const { orgId } = assistance
      const about = { case: record.auditName ?? UNNAMED, orgId }
      const entry = { act: 'case.assisted', by: `org:${orgId}`, about, atMs: record.createdAtMs } as const
      const reply = await writeAudited(store, entry, openCase, places, given, 'reply == 1')
      return Number(reply) === 1
    },
    async get(caseId) {
      const fields = await store.ask((redis) => redis.hgetall(keys.case(caseId)))
      return Object.keys(fields).length === 0 ? undefined : CaseFields.parse(fields)
    },
    countImages: (caseId) => store.ask((redis) => redis.scard(keys.caseImages(caseId))),
    async helpedBy(orgId, after, limit) {
      const place = after && { score: after.sinceMs, member: Buffer.from(after.caseId).toString('hex') }
      const page = await pageOfSorted(store, keys.helped(orgId), { after: place, limit })
      return page.map(({ member, score }) => ({ caseId: member.toString('utf8'), sinceMs: score }))
    },
    async change(caseId, { action, nowMs, fields, event, by = 'submitter' }) {
      const act = ACT_OF[action]
      const places = [keys.case(caseId), keys.caseEvents(caseId), keys.caseDues]
      // Of two handovers at once the second would give a PIN that opens, and make the first one's useless.
      const once = action === 'hand-over' ? 'handedOverAtMs' : ''
      const given = [
        ...[caseId, nowMs, statesFor(action), event ?? '', fields.expiresAtMs ?? '', once, actingAs(by)],
        ...flat({ ...fields }),
      ]
      const reply =
        act === undefined
          ? await store.write(changeCase, places, given)
          : await writeAudited(store, await entryFor(caseId, act, by, nowMs), changeCase, places, given, 'reply == 1')
      return Number(reply) === 1 ? 'done' : stateIn(reply)
    },
    async end(caseId, ending, nowMs, by = ending === 'expired' ? 'tabir' : 'submitter') {
      const reply = await writeAudited(
        store,
        await entryFor(caseId, `case.${ending}`, by, nowMs),
        endCase,
        [
          keys.case(caseId),
          keys.caseImages(caseId),
          keys.caseEvents(caseId),
          keys.caseDues,
          keys.caseErasures,
          keys.revision,
          keys.changes,
        ],
        [caseId, nowMs, ending, nowMs + CASE_FORGOTTEN_AFTER_MS, keys.prefix, IMAGE_SHARDS, REFUSED_FOR_MS, actingAs(by)],
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
      (await pageOfSorted(store, keys.caseDues, { to: nowMs, after, limit })).map(dueCaseOf),
    async forget(caseId, nowMs) {
      const places = [keys.case(caseId), keys.caseEvents(caseId), keys.caseDues, keys.caseErasures]
      return Number(await store.write(forgetCase, places, [caseId, nowMs])) === 1
    },
    async tryPin(caseId, { as, stretched }, nowMs) {
      const reply = await writeAudited(
        store,
        await entryFor(caseId, 'case.pin-changed', 'submitter', nowMs),
        tryPin,
        [keys.case(caseId), keys.caseEvents(caseId), keys.pinsTried],
        [stretched, as, nowMs],
        'reply[2] == 1',
      )
      return Array.isArray(reply) ? Number(reply[0]) : undefined
    },
    async addToken(tokenHash, { caseId, pinChanges }, ttlS) {
      await store.ask((redis) => redis.set(keys.caseToken(tokenHash), `${caseId}:${pinChanges}`, 'EX', ttlS))
    },
    async caseOfToken(tokenHash) {
      const [caseId, pinChanges] = (await store.ask((redis) => redis.get(keys.caseToken(tokenHash))))?.split(':') ?? []
      return caseId === undefined ? undefined : { caseId, pinChanges: Number(pinChanges ?? 0) }
    },
  }
}

function actingAs(by: AuditActor): 'organisation' | 'submitter' {
  return by.startsWith('org:') ? 'organisation' : 'submitter'
}

function dueCaseOf(entry: SortedEntry): DueCase {
  return { place: placeOf(entry), caseId: entry.member.toString('utf8') }
}

/** Field, value, field, value …; what is undefined is left out. */
function flat(fields: Readonly<Record<string, string | number | undefined>>): (string | number)[] {
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
}
