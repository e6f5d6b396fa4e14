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

/** Cost of trying a PIN: 32 MiB and about 60 ms. An attacker with the store and its secrets must pay it for each guess. */
export const STRETCHING = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 } as const satisfies ScryptOptions

export interface NamedCase {
  readonly caseId: string
  readonly caseNumber: string
  readonly record: CaseRecord
}

/** A case that the caller may act on. */
export interface OwnCase extends NamedCase {
  /** Who acts: the submitter, who has PIN or token, or the organisation that opened the case for her. */
  readonly by: 'submitter' | 'organisation'
}

/** What opens a case. The code does so as well when too many wrong PINs were tried. */
export interface PinAndCode {
  readonly pin: string
  readonly recoveryCode: string
}

/** PIN and code as they are shown, once, and as they are kept. */
export interface NewPin extends PinAndCode {
  readonly stretched: PinAndCode
}

/** What an organisation's key is used for. `hand-over` may be repeated; whether it still does anything is decided later. */
export type KeyPurpose = 'act' | 'read' | 'hand-over'

export interface CaseAccess {
  newNumber(): { readonly caseNumber: string; readonly caseId: string }
  newPin(caseId: string): Promise<NewPin>
  newHandoverSeed(): string
  /** PIN and code of a handover: the same each time for its seed, so that it can be shown again without being kept. */
  handoverPin(caseId: string, seed: string): Promise<NewPin>
  /** Kept in place of a stretched PIN where none is given out. No PIN matches it. */
  noPin(): string
  newToken(opened: OpenedByToken): Promise<string>
  /**
   * Uses a PIN or recovery code: the first use of a new one ends the PIN and code before it, and all tokens.
   * @throws {Problem} case-unknown, the same and as late for a wrong PIN, for any PIN after too many wrong ones, and for an unknown case.
   */
  byPin(caseNumber: string, pin: string, nowMs: number): Promise<OwnCase>
  /** @throws {Problem} case-unknown, the same when the case exists but the token opens another. */
  byToken(caseNumber: string, token: string): Promise<OwnCase>
  /** For the organisation that opened it. @throws {Problem} case-unknown, the same for every other one and after a handover. */
  byKey(caseNumber: string, caller: Caller, purpose: KeyPurpose): Promise<OwnCase>
  /** For the operator at the command line. @throws {Problem} case-unknown */
  byNumber(caseNumber: string): Promise<NamedCase>
  /** A keyed hash of the number of a complaint. It can be compared with a number, not turned back into one. */
  complaintOf(caseId: string, reference: string): string
}

/** @param stretching cheaper stretching is for tests of other things only: no setting of a deployment leads here. */
export function createCaseAccess(cases: CaseStore, secrets: Secrets, stretching: ScryptOptions = STRETCHING): CaseAccess {
  const keyed: KeyedByCase = {
    caseIdOf: (caseNumber) => createHmac('sha256', secrets.caseNumber).update(caseNumber).digest('hex').slice(0, 32),
    stretch: (caseId, pin) =>
      stretchPin(createHmac('sha256', secrets.pin).update(`${caseId}:${pin}`).digest(), caseId, stretching),
  }
  return { ...newSecretsOf(cases, secrets, keyed), ...openingOf(cases, keyed) }
}

/** Keyed with the deployment's secrets. */
interface KeyedByCase {
  caseIdOf(caseNumber: string): string
  stretch(caseId: string, pin: string): Promise<string>
}

type NewSecrets = Omit<CaseAccess, 'byPin' | 'byToken' | 'byKey' | 'byNumber'>

/** Numbers, PINs, codes and tokens for cases. */
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

/** Checks what a caller has of a case. */
function openingOf(
  cases: CaseStore,
  { caseIdOf, stretch }: KeyedByCase,
): Pick<CaseAccess, 'byPin' | 'byToken' | 'byKey' | 'byNumber'> {
  return {
    async byPin(text, pin, nowMs) {
      // An unknown number costs the same work, so neither the answer nor its time tells which numbers exist, or whose PINs are blocked.
      // Nothing is kept of an unknown number.
      const caseNumber = parseCaseNumber(text)
      const caseId = caseIdOf(caseNumber ?? text)
      const stretched = await stretch(caseId, pin)
      const as = isRecoveryCode(pin) ? 'recoveryCode' : 'pin'
      const pinChanges = await cases.tryPin(caseId, { as, stretched }, nowMs)
      const record = pinChanges === undefined ? undefined : await cases.get(caseId)
      if (caseNumber === undefined || pinChanges === undefined || record === undefined) throw new Problem('case-unknown')
      return { caseId, caseNumber, record: { ...record, pinChanges }, by: 'submitter' }
    },

    async byToken(text, token) {
      const caseNumber = parseCaseNumber(text)
      const caseId = caseIdOf(caseNumber ?? '')
      const [opened, record] = await Promise.all([cases.caseOfToken(hashToken(token)), cases.get(caseId)])
      const isOpened = opened?.caseId === caseId && opened.pinChanges === record?.pinChanges
      if (caseNumber === undefined || record === undefined || !isOpened) throw new Problem('case-unknown')
      return { caseId, caseNumber, record, by: 'submitter' }
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
      return { caseId, caseNumber, record, by: 'organisation' }
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
