// The life of a case, from opening to its end. The submitter identifies with a case number and a PIN and is never asked for a name.

import { randomBytes } from 'node:crypto'
import type { Category } from '../../../packages/core/src/matching/signal.js'
import type { Assistance } from '../../domain/cases/assistance.js'
import { acceptsImages, type CaseState, remindAtMs, stateAt } from '../../domain/cases/case.js'
import type { Caller } from '../../domain/organisations/access.js'
import { Problem } from '../../domain/problem.js'
import type { CaseRecord } from '../../store/cases/case-record.js'
import type { KeyPurpose, NamedCase, OwnCase, PinAndCode } from './case-access.js'
import { actorOf, type CaseParts, changeIn, refuseEnded } from './case-changes.js'
import { endReadingFrom, handoverFrom } from './handover.js'
import { type CaseWishes, wishesFrom } from './wishes.js'

export interface OpenedCase extends PinAndCode {
  readonly caseNumber: string
  readonly token: string
  readonly expiresAtMs: number
  readonly remindAtMs: number
}

export interface CaseChoices {
  readonly category: Category | undefined
  readonly consentVersion: string | undefined
  readonly extendedProtection: boolean
}

export interface AssistedCase extends Pick<Assistance, 'orgId' | 'consentKind' | 'consentOn' | 'isAttested'> {
  readonly category: Category | undefined
  /** The number of a complaint; only a keyed hash is stored. */
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
  /** As in `CaseRecord`. */
  readonly consentVersion: string | undefined
  /** As in `CaseRecord`, while the case lives. */
  readonly endWishAtMs: number | undefined
  /** Since when a PIN and a code may be used that were asked for without the recovery code. */
  readonly newPinFromMs: number | undefined
  readonly pausedUntilMs: number | undefined
  readonly assistance: CaseRecord['assistance']
  /** Name of the organisation that opened the case; `undefined` if it no longer exists, or the submitter opened the case. */
  readonly organisation: string | undefined
  readonly hasComplaint: boolean
  readonly end: CaseRecord['end']
  readonly erasedAtMs: number | undefined
}

export interface Cases extends CaseWishes {
  /** @throws {Problem} extended-protection-off */
  open(choices: CaseChoices): Promise<OpenedCase>
  /**
   * A new token, for the case number with PIN or recovery code.
   * @throws {Problem} case-unknown for a wrong PIN, for any PIN after too many wrong ones, and for an unknown case: same answer, same time.
   */
  token(caseNumber: string, pin: string): Promise<string>
  /** @throws {Problem} case-unknown, also when the token belongs to another case. */
  own(caseNumber: string, token: string): Promise<OwnCase>
  /** For the organisation that opened the case. @throws {Problem} case-unknown, also for other organisations and after a handover. */
  ownByKey(caseNumber: string, caller: Caller, purpose: KeyPurpose): Promise<OwnCase>
  /** For the operator at the command line. @throws {Problem} case-unknown */
  byNumber(caseNumber: string): Promise<NamedCase>
  /**
   * Opens a case for a person who has consented. It has no PIN until it is handed over.
   * @throws {Problem} extended-protection-off
   */
  openFor(request: AssistedCase): Promise<Omit<OpenedCase, keyof PinAndCode | 'token'> & { readonly caseId: string }>
  /**
   * Hands an assisted case to the submitter. Afterwards the organisation may only read it, or has no access.
   * @returns PIN and recovery code. Until the submitter has used one of them, a repeat returns the same, because the answer may have been lost.
   * @throws {Problem} not-assisted if the submitter makes the request; handed-over once the submitter has used PIN or code; request-invalid for a
   *   repeat with another `keepsReading`; case-withdrawn, case-expired.
   */
  handOver(own: OwnCase, options: { readonly keepsReading: boolean }): Promise<PinAndCode>
  /**
   * Ends the right of the organisation that handed the case over to read it. Safe to repeat.
   * @throws {Problem} handover-needed for an organisation: before a handover it acts, and there is no such right.
   */
  endReading(own: OwnCase): Promise<void>
  /** Stores a keyed hash of a complaint's number. @throws {Problem} case-withdrawn, case-expired */
  noteComplaint(own: OwnCase, reference: string): Promise<void>
  /** Whether this is the number of the noted complaint. */
  isComplaint(own: OwnCase, reference: string): boolean
  /** For kept answers with a PIN or a code: they end with the case. @throws {Problem} case-unknown, case-withdrawn, case-expired */
  refuseEnded(caseNumber: string): Promise<void>
  view(named: NamedCase): Promise<CaseView>
  /**
   * Extends the case by the full retention period from now. Needs only a token, so it still works after somebody blocked the PIN by wrong guesses.
   * @throws {Problem} case-withdrawn, case-expired
   */
  renew(own: OwnCase): Promise<{ readonly expiresAtMs: number; readonly remindAtMs: number }>
}

export function createCases(parts: CaseParts): Cases {
  const { access } = parts
  return {
    ...openingFrom(parts),
    ...livingFrom(parts),
    handOver: handoverFrom(parts),
    endReading: endReadingFrom(parts),
    own: (caseNumber, token) => access.byToken(caseNumber, token),
    ownByKey: (caseNumber, caller, purpose) => access.byKey(caseNumber, caller, purpose),
    byNumber: (caseNumber) => access.byNumber(caseNumber),
    refuseEnded: async (caseNumber) => refuseEnded(await access.byNumber(caseNumber), parts.now()),
    ...wishesFrom(parts),
  }
}

/** Opens cases and issues tokens. */
function openingFrom(parts: CaseParts): Pick<Cases, 'open' | 'openFor' | 'token'> {
  const { cases, access, keptUntilMs, offersExtendedProtection, now } = parts
  const requireOffered = (isWanted: boolean) => {
    if (isWanted && !offersExtendedProtection) throw new Problem('extended-protection-off')
  }
  const add = async (
    caseId: string,
    record: Omit<Parameters<typeof cases.add>[1], 'createdAtMs' | 'expiresAtMs' | 'auditName'>,
  ) => {
    const createdAtMs = now()
    const expiresAtMs = await keptUntilMs(createdAtMs)
    const added = await cases.add(caseId, { ...record, createdAtMs, expiresAtMs, auditName: newAuditName() })
    if (!added) throw new Error('two cases drew the same 60 random bits')
    return { expiresAtMs, remindAtMs: remindAtMs({ createdAtMs, expiresAtMs }) }
  }
  return {
    async open({ category, consentVersion, extendedProtection }) {
      requireOffered(extendedProtection)
      const { caseNumber, caseId } = access.newNumber()
      const { stretched, ...shown } = await access.newPin(caseId)
      const times = await add(caseId, { category, consentVersion, ...stretched, extendedProtection })
      // Counts as obtained with the code, because the same answer shows the code. It lasts twelve hours.
      const token = await access.newToken({ caseId, pinChanges: 0, byCode: true })
      return { caseNumber, ...shown, token, ...times }
    },

    async openFor({ category, complaint, extendedProtection, ...consent }) {
      requireOffered(extendedProtection)
      const { caseNumber, caseId } = access.newNumber()
      const times = await add(caseId, {
        category,
        pin: access.noPin(),
        recoveryCode: access.noPin(),
        extendedProtection,
        assistance: { ...consent, handedOverAtMs: undefined, keepsReading: false },
        ...(complaint !== undefined && { complaint: access.complaintOf(caseId, complaint) }),
      })
      return { caseNumber, caseId, ...times }
    },

    async token(caseNumber, pin) {
      const { caseId, record, byCode } = await access.byPin(caseNumber, pin, now())
      return access.newToken({ caseId, pinChanges: record.pinChanges, byCode })
    },
  }
}

/** Reads and changes a case that has been opened. */
function livingFrom(parts: CaseParts): Pick<Cases, 'view' | 'renew' | 'noteComplaint' | 'isComplaint'> {
  const { cases, access, keptUntilMs, nameOfOrg, now } = parts
  return {
    async view({ caseId, caseNumber, record }) {
      const { category, createdAtMs, expiresAtMs, assistance, complaint, extendedProtection, end, erasedAtMs } = record
      const state = stateAt(record, now())
      const lives = acceptsImages(state)
      const images = lives ? await cases.countImages(caseId) : 0
      const organisation = assistance === undefined ? undefined : await nameOfOrg(assistance.orgId)
      return {
        caseNumber,
        state,
        category,
        createdAtMs,
        expiresAtMs,
        remindAtMs: remindAtMs(record),
        images,
        extendedProtection,
        consentVersion: record.consentVersion,
        endWishAtMs: lives ? record.endWishAtMs : undefined,
        newPinFromMs: lives && record.nextPin?.isByCode === false ? record.nextPin.fromMs : undefined,
        pausedUntilMs: lives && (record.pausedUntilMs ?? 0) > now() ? record.pausedUntilMs : undefined,
        assistance,
        organisation,
        hasComplaint: complaint !== undefined,
        end,
        erasedAtMs,
      }
    },

    async renew(own) {
      const { caseId, record } = own
      const expiresAtMs = await keptUntilMs(now())
      await changeIn(parts, caseId, 'renew', { fields: { expiresAtMs }, by: actorOf(own) })
      return { expiresAtMs, remindAtMs: remindAtMs({ createdAtMs: record.createdAtMs, expiresAtMs }) }
    },

    noteComplaint: (own, reference) =>
      changeIn(parts, own.caseId, 'note-complaint', {
        fields: { complaint: access.complaintOf(own.caseId, reference) },
        by: actorOf(own),
      }),

    isComplaint: ({ caseId, record }, reference) => record.complaint === access.complaintOf(caseId, reference),
  }
}

function newAuditName(): string {
  return randomBytes(8).toString('hex')
}
