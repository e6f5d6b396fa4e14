// A case, from opening to its end. What the submitter holds are a number and a PIN; nobody is asked for a name.

import { randomBytes } from 'node:crypto'
import type { Assistance } from '../../domain/cases/assistance.js'
import {
  acceptsImages,
  type CaseAction,
  type CaseState,
  MAX_PIN_GUESSES,
  remindAtMs,
  stateAt,
} from '../../domain/cases/case.js'
import type { CaseEventKind } from '../../domain/cases/case-event.js'
import type { Category } from '../../domain/matching/signal.js'
import type { Caller } from '../../domain/organisations/access.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import { Problem } from '../../domain/problem.js'
import type { CaseRecord } from '../../store/cases/case-record.js'
import type { CaseChange, Cases as CaseStore } from '../../store/cases/cases.js'
import type { Replica } from '../index/replica.js'
import type { CaseAccess, KeyPurpose, NamedCase, OwnCase, PinAndCode } from './case-access.js'

export interface OpenedCase extends PinAndCode {
  readonly caseNumber: string
  readonly token: string
  readonly expiresAtMs: number
  readonly remindAtMs: number
}

export interface CaseChoices {
  readonly category: Category | undefined
  readonly extendedProtection: boolean
}

export interface AssistedCase extends Pick<Assistance, 'orgId' | 'consentKind' | 'consentOn' | 'isAttested'> {
  readonly category: Category | undefined
  /** The number of a complaint; kept as a keyed hash. */
  readonly complaint: string | undefined
  readonly extendedProtection: boolean
}

export interface CaseView {
  readonly caseNumber: string
  readonly state: CaseState
  readonly category: Category | undefined
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly remindAtMs: number
  readonly images: number
  readonly extendedProtection: boolean
  readonly assistance: CaseRecord['assistance']
  readonly hasComplaint: boolean
  readonly end: CaseRecord['end']
  readonly erasedAtMs: number | undefined
}

export interface CaseParts {
  readonly cases: CaseStore
  readonly access: CaseAccess
  readonly replica: Pick<Replica, 'reached'>
  readonly retentionMs: number
  /** Are details of pictures kept, for cases that ask for it? */
  readonly offersExtendedProtection: boolean
  readonly now: () => number
}

export interface Cases {
  /** @throws {Problem} extended-protection-off */
  open(choices: CaseChoices): Promise<OpenedCase>
  /**
   * A new token for number and PIN, or recovery code.
   * @throws {Problem} case-unknown, the same and as late for a wrong PIN, and for any PIN after too many wrong ones.
   */
  token(caseNumber: string, pin: string): Promise<string>
  /** @throws {Problem} case-unknown, the same when the case exists but the token opens another. */
  own(caseNumber: string, token: string): Promise<OwnCase>
  /** For the organisation that opened it. @throws {Problem} case-unknown, the same for every other one and after a handover. */
  ownByKey(caseNumber: string, caller: Caller, purpose: KeyPurpose): Promise<OwnCase>
  /** For the operator at the command line. @throws {Problem} case-unknown */
  byNumber(caseNumber: string): Promise<NamedCase>
  /**
   * Opens a case for somebody who has agreed to it. It has no PIN before it is handed over.
   * @throws {Problem} extended-protection-off
   */
  openFor(request: AssistedCase): Promise<Omit<OpenedCase, keyof PinAndCode | 'token'> & { readonly caseId: string }>
  /**
   * Makes the case hers: from now on the organisation may only look, or not even that. @returns PIN and code, which a repeat gives again
   * until she has used one: when the answer was lost, nobody else has it.
   * @throws {Problem} not-assisted when it is hers already; handed-over when she has used the PIN; request-invalid for a repeat that asks
   *   for something else; case-withdrawn, case-expired.
   */
  handOver(own: OwnCase, options: { readonly keepsReading: boolean }): Promise<PinAndCode>
  /** Keeps that there is a complaint with this number, and not the number. @throws {Problem} case-withdrawn, case-expired. */
  noteComplaint(own: OwnCase, reference: string): Promise<void>
  /** Is this the number that was noted? */
  isComplaint(own: OwnCase, reference: string): boolean
  view(named: NamedCase): Promise<CaseView>
  /**
   * The whole retention once more, counted from now. By token, which nobody's attempts at the PIN can take from her.
   * @throws {Problem} case-withdrawn, case-expired.
   */
  renew(own: OwnCase): Promise<{ readonly expiresAtMs: number; readonly remindAtMs: number }>
  /**
   * Another PIN and recovery code. Those before go on opening until a new one is used: when the answer is lost, nobody is locked out. Of two
   * that were asked for, the later one counts. The PIN is `undefined` once too many were wrong: the code alone opens the case then.
   * @throws {Problem} case-withdrawn, case-expired; handover-needed for an organisation.
   */
  changePin(own: OwnCase): Promise<Omit<PinAndCode, 'pin'> & { readonly pin: string | undefined }>
  /**
   * From the return on nothing of it matches here, and within a second nowhere. Twice gives the first answer again; one that has
   * expired stays expired.
   */
  withdraw(own: OwnCase): Promise<OwnCase>
  /** The same by the operator, for a case that nobody can reach any more. */
  withdrawByOperator(named: NamedCase): Promise<NamedCase>
}

export function casesFrom({ cases, access, replica, retentionMs, offersExtendedProtection, now }: CaseParts): Cases {
  const requireOffered = (isWanted: boolean) => {
    if (isWanted && !offersExtendedProtection) throw new Problem('extended-protection-off')
  }
  const change = async (caseId: string, action: CaseAction, fields: CaseChange['fields'], by?: AuditActor) => {
    const event = EVENT_OF[action]
    const outcome = await cases.change(caseId, { action, nowMs: now(), fields, event, ...(by !== undefined && { by }) })
    if (outcome !== 'done') throw refusalOf(outcome, await cases.get(caseId))
  }

  const withdraw = async <C extends NamedCase>(named: C, by: AuditActor): Promise<C> => {
    const ended = await cases.end(named.caseId, 'withdrawn', now(), by)
    const record = ended === undefined ? undefined : await cases.get(named.caseId)
    if (ended === undefined || record === undefined) throw new Problem('case-unknown')
    await replica.reached(ended.revision)
    return { ...named, record }
  }
  /** PIN and code of a handover that was done: its answer may have been lost. */
  const pinAgain = async (record: CaseRecord, caseId: string, keepsReading: boolean) => {
    const { handoverSeed, assistance } = record
    if (handoverSeed === undefined) throw new Problem('handed-over')
    refuseEnded({ record }, now())
    if (assistance?.keepsReading !== keepsReading) throw new Problem('request-invalid')
    return shownOf(await access.handoverPin(caseId, handoverSeed))
  }

  return {
    async open({ category, extendedProtection }) {
      requireOffered(extendedProtection)
      const { caseNumber, caseId } = access.newNumber()
      const { stretched, ...shown } = await access.newPin(caseId)
      const createdAtMs = now()
      const expiresAtMs = createdAtMs + retentionMs
      const added = await cases.add(caseId, {
        createdAtMs,
        expiresAtMs,
        category,
        ...stretched,
        extendedProtection,
        auditName: newAuditName(),
      })
      if (!added) throw new Error('two cases drew the same 60 random bits')
      const token = await access.newToken({ caseId, pinChanges: 0 })
      return { caseNumber, ...shown, token, expiresAtMs, remindAtMs: remindAtMs({ createdAtMs, expiresAtMs }) }
    },

    async token(caseNumber, pin) {
      const { caseId, record } = await access.byPin(caseNumber, pin, now())
      return access.newToken({ caseId, pinChanges: record.pinChanges })
    },

    own: (caseNumber, token) => access.byToken(caseNumber, token),

    async view({ caseId, caseNumber, record }) {
      const { category, createdAtMs, expiresAtMs, assistance, complaint, extendedProtection, end, erasedAtMs } = record
      const state = stateAt(record, now())
      const images = acceptsImages(state) ? await cases.countImages(caseId) : 0
      return {
        caseNumber,
        state,
        category,
        createdAtMs,
        expiresAtMs,
        remindAtMs: remindAtMs(record),
        images,
        extendedProtection,
        assistance,
        hasComplaint: complaint !== undefined,
        end,
        erasedAtMs,
      }
    },

    async renew(own) {
      const { caseId, record } = own
      const expiresAtMs = now() + retentionMs
      await change(caseId, 'renew', { expiresAtMs }, actorOf(own))
      return { expiresAtMs, remindAtMs: remindAtMs({ createdAtMs: record.createdAtMs, expiresAtMs }) }
    },

    async changePin({ caseId, by, record }) {
      // With a PIN it could get a token, which would outlive the handover.
      if (by === 'organisation') throw new Problem('handover-needed')
      const { pin, recoveryCode, stretched } = await access.newPin(caseId)
      const isBlocked = record.pinGuesses >= MAX_PIN_GUESSES
      const nextPin = isBlocked ? access.noPin() : stretched.pin
      await change(caseId, 'change-pin', { nextPin, nextRecoveryCode: stretched.recoveryCode })
      return { pin: isBlocked ? undefined : pin, recoveryCode }
    },

    async openFor({ category, complaint, extendedProtection, ...consent }) {
      requireOffered(extendedProtection)
      const { caseNumber, caseId } = access.newNumber()
      const createdAtMs = now()
      const expiresAtMs = createdAtMs + retentionMs
      const added = await cases.add(caseId, {
        createdAtMs,
        expiresAtMs,
        category,
        pin: access.noPin(),
        recoveryCode: access.noPin(),
        extendedProtection,
        auditName: newAuditName(),
        assistance: { ...consent, handedOverAtMs: undefined, keepsReading: false },
        ...(complaint !== undefined && { complaint: access.complaintOf(caseId, complaint) }),
      })
      if (!added) throw new Error('two cases drew the same 60 random bits')
      return { caseNumber, caseId, expiresAtMs, remindAtMs: remindAtMs({ createdAtMs, expiresAtMs }) }
    },

    async handOver(own, { keepsReading }) {
      const { caseId, by, record } = own
      if (by !== 'organisation') throw new Problem('not-assisted')
      if (record.assistance?.handedOverAtMs !== undefined) return pinAgain(record, caseId, keepsReading)
      const handoverSeed = access.newHandoverSeed()
      const given = await access.handoverPin(caseId, handoverSeed)
      const keeps = keepsReading ? 'yes' : 'no'
      // What was guessed before there was a PIN had no chance.
      const guesses = { ...given.stretched, pinGuesses: 0 }
      const fields = { ...guesses, handoverSeed, handedOverAtMs: now(), keepsReading: keeps } as const
      try {
        await change(caseId, 'hand-over', fields, actorOf(own))
        return shownOf(given)
      } catch (error) {
        const after = await cases.get(caseId)
        if (after?.assistance?.handedOverAtMs === undefined) throw error
        return pinAgain(after, caseId, keepsReading) // another request was faster
      }
    },

    noteComplaint: (own, reference) =>
      change(own.caseId, 'note-complaint', { complaint: access.complaintOf(own.caseId, reference) }, actorOf(own)),

    isComplaint: ({ caseId, record }, reference) => record.complaint === access.complaintOf(caseId, reference),

    ownByKey: (caseNumber, caller, purpose) => access.byKey(caseNumber, caller, purpose),
    byNumber: (caseNumber) => access.byNumber(caseNumber),

    withdraw: (own) => withdraw(own, actorOf(own)),
    withdrawByOperator: (named) => withdraw(named, 'operator'),
  }
}

function shownOf({ pin, recoveryCode }: PinAndCode): PinAndCode {
  return { pin, recoveryCode }
}

function newAuditName(): string {
  return randomBytes(8).toString('hex')
}

/** Who is recorded as having acted on a case. */
export function actorOf({ by, record }: OwnCase): AuditActor {
  return by === 'organisation' ? `org:${record.assistance?.orgId ?? ''}` : 'submitter'
}

const EVENT_OF: Partial<Readonly<Record<CaseAction, CaseEventKind>>> = {
  renew: 'renewed',
  'hand-over': 'handed-over',
  'change-pin': 'pin-asked',
}

/** @throws {Problem} case-withdrawn, case-expired: for what nothing is to be said about any more. */
export function refuseEnded({ record }: Pick<OwnCase, 'record'>, nowMs: number): void {
  const state = stateAt(record, nowMs)
  if (!acceptsImages(state)) throw refusalOf(state, record)
}

/** Why a case in this state does not do what was asked; without a state there is no case. */
export function refusalOf(state: CaseState | undefined, record: CaseRecord | undefined): Problem {
  if (state === undefined) return new Problem('case-unknown')
  const hasExpired = state === 'expired' || (state === 'erased' && record?.end?.as === 'expired')
  return new Problem(hasExpired ? 'case-expired' : 'case-withdrawn')
}
