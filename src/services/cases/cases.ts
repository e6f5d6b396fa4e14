// A case, from opening to its end. What the submitter holds are a number and a PIN; nobody is asked for a name.

import { randomBytes } from 'node:crypto'
import type { Assistance } from '../../domain/cases/assistance.js'
import { acceptsImages, type CaseState, MAX_PIN_GUESSES, remindAtMs, stateAt } from '../../domain/cases/case.js'
import type { Category } from '../../domain/matching/signal.js'
import type { Caller } from '../../domain/organisations/access.js'
import { Problem } from '../../domain/problem.js'
import type { CaseRecord } from '../../store/cases/case-record.js'
import type { KeyPurpose, NamedCase, OwnCase, PinAndCode } from './case-access.js'
import { actorOf, type CaseParts, changeIn, withdrawIn } from './case-changes.js'
import { handoverFrom } from './handover.js'

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

export function createCases(parts: CaseParts): Cases {
  const { access } = parts
  return {
    ...openingFrom(parts),
    ...livingFrom(parts),
    handOver: handoverFrom(parts),
    own: (caseNumber, token) => access.byToken(caseNumber, token),
    ownByKey: (caseNumber, caller, purpose) => access.byKey(caseNumber, caller, purpose),
    byNumber: (caseNumber) => access.byNumber(caseNumber),
    withdraw: (own) => withdrawIn(parts, own, actorOf(own)),
    withdrawByOperator: (named) => withdrawIn(parts, named, 'operator'),
  }
}

/** New cases and new tokens. */
function openingFrom(parts: CaseParts): Pick<Cases, 'open' | 'openFor' | 'token'> {
  const { cases, access, retentionMs, offersExtendedProtection, now } = parts
  const requireOffered = (isWanted: boolean) => {
    if (isWanted && !offersExtendedProtection) throw new Problem('extended-protection-off')
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

    async token(caseNumber, pin) {
      const { caseId, record } = await access.byPin(caseNumber, pin, now())
      return access.newToken({ caseId, pinChanges: record.pinChanges })
    },
  }
}

/** What is done with a living case. */
function livingFrom(parts: CaseParts): Pick<Cases, 'view' | 'renew' | 'changePin' | 'noteComplaint' | 'isComplaint'> {
  const { cases, access, retentionMs, now } = parts
  return {
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
      await changeIn(parts, caseId, 'renew', { expiresAtMs }, actorOf(own))
      return { expiresAtMs, remindAtMs: remindAtMs({ createdAtMs: record.createdAtMs, expiresAtMs }) }
    },

    async changePin({ caseId, by, record }) {
      // With a PIN the organisation could get a token, which would outlive the handover.
      if (by === 'organisation') throw new Problem('handover-needed')
      const { pin, recoveryCode, stretched } = await access.newPin(caseId)
      const isBlocked = record.pinGuesses >= MAX_PIN_GUESSES
      const nextPin = isBlocked ? access.noPin() : stretched.pin
      await changeIn(parts, caseId, 'change-pin', { nextPin, nextRecoveryCode: stretched.recoveryCode })
      return { pin: isBlocked ? undefined : pin, recoveryCode }
    },

    noteComplaint: (own, reference) =>
      changeIn(parts, own.caseId, 'note-complaint', { complaint: access.complaintOf(own.caseId, reference) }, actorOf(own)),

    isComplaint: ({ caseId, record }, reference) => record.complaint === access.complaintOf(caseId, reference),
  }
}

function newAuditName(): string {
  return randomBytes(8).toString('hex')
}
