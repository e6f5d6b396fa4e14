// Access to a case: by number and PIN, by token, or by the key of an organisation.

import { createHash, createHmac, randomBytes, randomInt, type ScryptOptions, scrypt } from 'node:crypto'
import { organisationMay, plainReference } from '../../domain/cases/assistance.js'
import {
  CASE_TOKEN_TTL_S,
  caseNumberFrom,
  drawPin,
  drawRecoveryCode,
  isRecoveryCode,
  parseCaseNumber,
} from '../../domain/cases/case.js'
import type { Caller } from '../../domain/organisations/access.js'
import { Problem } from '../../domain/problem.js'
import type { CaseRecord } from '../../store/cases/case-record.js'
import type { Cases as CaseStore, OpenedByToken } from '../../store/cases/cases.js'
import type { Secrets } from '../../store/sealing/secrets.js'

/** Cost of one PIN attempt: 32 MiB and about 60 ms. An attacker who has the store and its secrets pays it for each guess. */
export const STRETCHING = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 } as const satisfies ScryptOptions

export interface NamedCase {
  readonly caseId: string
  readonly caseNumber: string
  readonly record: CaseRecord
}

/** A case that the caller may act on. */
export interface OwnCase extends NamedCase {
  /** Who acts: the submitter, with PIN or token; or the organisation that opened the case for the submitter. */
  readonly by: 'submitter' | 'organisation'
  /** Whether the submitter proved to have the recovery code, and not only the PIN. */
  readonly byCode: boolean
}

/** Credentials of a case. The recovery code still works after too many wrong PINs. */
export interface PinAndCode {
  readonly pin: string
  readonly recoveryCode: string
}

/** PIN and recovery code as shown once, and as stored. */
export interface NewPin extends PinAndCode {
  readonly stretched: PinAndCode
}

/** What an organisation's key is used for. `hand-over` grants access even after a handover, so that `Cases.handOver` can answer a repeat. */
export type KeyPurpose = 'act' | 'read' | 'hand-over'

export interface CaseAccess {
  newNumber(): { readonly caseNumber: string; readonly caseId: string }
  newPin(caseId: string): Promise<NewPin>
  newHandoverSeed(): string
  /** PIN and code of a handover, derived from its seed: they can be shown again without being stored. */
  handoverPin(caseId: string, seed: string): Promise<NewPin>
  /** Stored instead of a stretched PIN for a case without a PIN. No PIN matches it. */
  noPin(): string
  /** A new token for a case; it expires after `CASE_TOKEN_TTL_S`. Only its hash is stored. */
  newToken(opened: OpenedByToken): Promise<string>
  /**
   * Opens a case with a PIN or recovery code. The first use of a new PIN or code invalidates the previous ones and all tokens.
   * @throws {Problem} case-unknown for a wrong PIN, for any PIN after too many wrong ones, and for an unknown case: same answer, same time.
   */
  byPin(caseNumber: string, pin: string, nowMs: number): Promise<OwnCase>
  /** @throws {Problem} case-unknown, also when the token belongs to another case. */
  byToken(caseNumber: string, token: string): Promise<OwnCase>
  /** For the organisation that opened the case. @throws {Problem} case-unknown, also for other organisations and after a handover. */
  byKey(caseNumber: string, caller: Caller, purpose: KeyPurpose): Promise<OwnCase>
  /** For the operator at the command line. @throws {Problem} case-unknown */
  byNumber(caseNumber: string): Promise<NamedCase>
  /** A keyed hash of a complaint's number: another number can be compared with it, but it cannot be reversed. */
  complaintOf(caseId: string, reference: string): string
}

/** @param stretching tests pass a cheaper one; no setting of a deployment changes it. */
export function createCaseAccess(cases: CaseStore, secrets: Secrets, stretching: ScryptOptions = STRETCHING): CaseAccess {
  const keyed: KeyedByCase = {
    caseIdOf: (caseNumber) => createHmac('sha256', secrets.caseNumber).update(caseNumber).digest('hex').slice(0, 32),
    stretch: (caseId, pin) =>
      stretchPin(createHmac('sha256', secrets.pin).update(`${caseId}:${pin}`).digest(), caseId, stretching),
  }
  return { ...newSecretsOf(cases, secrets, keyed), ...openingOf(cases, keyed) }
}

/** Functions keyed with the deployment's secrets. */
interface KeyedByCase {
  caseIdOf(caseNumber: string): string
  stretch(caseId: string, pin: string): Promise<string>
}

type NewSecrets = Omit<CaseAccess, 'byPin' | 'byToken' | 'byKey' | 'byNumber'>

/** Makes numbers, PINs, codes and tokens. */
function newSecretsOf(cases: CaseStore, secrets: Secrets, { caseIdOf, stretch }: KeyedByCase): NewSecrets {
  const newPin = async (caseId: string, draw: (bound: number) => number): Promise<NewPin> => {
    const shown = { pin: drawPin(draw), recoveryCode: drawRecoveryCode(draw) }
    const [pin, recoveryCode] = await Promise.all([stretch(caseId, shown.pin), stretch(caseId, shown.recoveryCode)])
    return { ...shown, stretched: { pin, recoveryCode } }
  }

  return {
    newNumber() {
      const caseNumber = caseNumberFrom(randomBytes(12))
      return { caseNumber, caseId: caseIdOf(caseNumber) }
    },

    newPin: (caseId) => newPin(caseId, randomInt),

    newHandoverSeed: () => randomBytes(16).toString('base64'),

    handoverPin(caseId, seed) {
      const derived = createHmac('sha256', secrets.pin).update(`handover:${caseId}:${seed}`).digest()
      let at = 0
      return newPin(caseId, (bound) => derived.readUIntBE(6 * at++, 6) % bound)
    },

    noPin: () => randomBytes(STRETCHED_BYTES).toString('base64'),

    async newToken(opened) {
      const token = randomBytes(32).toString('base64url')
      await cases.addToken(hashToken(token), opened, CASE_TOKEN_TTL_S)
      return token
    },

    complaintOf: (caseId, reference) =>
      createHmac('sha256', secrets.complaint)
        .update(`${caseId}\0${plainReference(reference)}`)
        .digest('hex'),
  }
}

/** Checks a caller's credentials for a case. */
function openingOf(
  cases: CaseStore,
  { caseIdOf, stretch }: KeyedByCase,
): Pick<CaseAccess, 'byPin' | 'byToken' | 'byKey' | 'byNumber'> {
  return {
    async byPin(text, pin, nowMs) {
      // An unknown number costs the same work. So neither the answer nor its time reveals which numbers exist or whose PINs are blocked.
      // Nothing is stored about an unknown number.
      const caseNumber = parseCaseNumber(text)
      const caseId = caseIdOf(caseNumber ?? text)
      const stretched = await stretch(caseId, pin)
      const as = isRecoveryCode(pin) ? 'recoveryCode' : 'pin'
      const pinChanges = await cases.tryPin(caseId, { as, stretched }, nowMs)
      const record = pinChanges === undefined ? undefined : await cases.get(caseId)
      if (caseNumber === undefined || pinChanges === undefined || record === undefined) throw new Problem('case-unknown')
      return { caseId, caseNumber, record: { ...record, pinChanges }, by: 'submitter', byCode: as === 'recoveryCode' }
    },

    async byToken(text, token) {
      const caseNumber = parseCaseNumber(text)
      const caseId = caseIdOf(caseNumber ?? '')
      const [opened, record] = await Promise.all([cases.caseOfToken(hashToken(token)), cases.get(caseId)])
      const isOpened = opened?.caseId === caseId && opened.pinChanges === record?.pinChanges
      if (caseNumber === undefined || record === undefined || !isOpened) throw new Problem('case-unknown')
      return { caseId, caseNumber, record, by: 'submitter', byCode: opened.byCode }
    },

    async byKey(text, { orgId, scopes }, purpose) {
      const caseNumber = parseCaseNumber(text)
      const caseId = caseIdOf(caseNumber ?? '')
      const record = await cases.get(caseId)
      const assistance = record?.assistance
      const isTheirs = assistance?.orgId === orgId
      const may = isTheirs ? organisationMay(assistance) : 'nothing'
      const isHandover = isTheirs && purpose === 'hand-over'
      const isAllowed = scopes.has('cases:write') && (may === 'act' || may === purpose || isHandover)
      if (!isAllowed || caseNumber === undefined || record === undefined) throw new Problem('case-unknown')
      return { caseId, caseNumber, record, by: 'organisation', byCode: false }
    },

    async byNumber(text) {
      const caseNumber = parseCaseNumber(text)
      const caseId = caseIdOf(caseNumber ?? '')
      const record = caseNumber === undefined ? undefined : await cases.get(caseId)
      if (caseNumber === undefined || record === undefined) throw new Problem('case-unknown')
      return { caseId, caseNumber, record }
    },
  }
}

const STRETCHED_BYTES = 32

function stretchPin(pin: Buffer, salt: string, stretching: ScryptOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(pin, salt, STRETCHED_BYTES, stretching, (error, stretched) => {
      if (error === null) resolve(stretched.toString('base64'))
      else reject(error)
    })
  })
}

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
