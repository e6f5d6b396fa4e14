// Who may do what with a case: its number, its PIN, its tokens.

import { createHash, createHmac, randomBytes, randomInt, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import type { Caller } from '../domain/access.js'
import { organisationMay, plainReference } from '../domain/assistance.js'
import { CASE_TOKEN_TTL_S, caseNumberFrom, PIN_BOUND, PIN_LOCK_S, PIN_TRIES, parseCaseNumber } from '../domain/case.js'
import { Problem } from '../domain/problem.js'
import type { CaseRecord, Cases as CaseStore, OpenedByToken } from '../store/cases.js'
import type { Secrets } from '../store/secrets.js'

/** What a try at a PIN costs: 32 MiB and about 60 ms, so that even whoever has both the store and its secrets must work for a PIN. */
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

/** A PIN as it is shown, once, and as it is kept. */
export interface NewPin {
  readonly pin: string
  readonly stretched: string
}

/** What an organisation's key is to do with a case. `hand-over` may be repeated afterwards: whether it still does anything is asked later. */
export type KeyPurpose = 'act' | 'read' | 'hand-over'

export interface CaseAccess {
  newNumber(): { readonly caseNumber: string; readonly caseId: string }
  newPin(caseId: string): Promise<NewPin>
  newHandoverSeed(): string
  /** The PIN of a handover: the same each time for its seed, so that it can be shown again without being kept. */
  handoverPin(caseId: string, seed: string): Promise<NewPin>
  /** What is kept where there is no PIN as yet: no PIN opens it. */
  noPin(): string
  newToken(opened: OpenedByToken): Promise<string>
  /**
   * Uses the PIN: one that is used for the first time ends the one before, and all tokens.
   * @throws {Problem} case-unknown, the same and as late for a wrong PIN as for an unknown case; pin-locked.
   */
  byPin(caseNumber: string, pin: string, nowMs: number): Promise<OwnCase>
  /** @throws {Problem} case-unknown, the same when the case exists but the token opens another. */
  byToken(caseNumber: string, token: string): Promise<OwnCase>
  /** For the organisation that opened it. @throws {Problem} case-unknown, the same for every other one and after a handover. */
  byKey(caseNumber: string, caller: Caller, purpose: KeyPurpose): Promise<OwnCase>
  /** For the operator at the command line. @throws {Problem} case-unknown */
  byNumber(caseNumber: string): Promise<NamedCase>
  /** What is kept of the number of a complaint: it can be compared with a number, and not be turned back into one. */
  complaintOf(caseId: string, reference: string): string
}

/** @param stretching less than what is promised is for tests of other things alone: no setting of a deployment leads here. */
export function caseAccessTo(cases: CaseStore, secrets: Secrets, stretching: ScryptOptions = STRETCHING): CaseAccess {
  const caseIdOf = (caseNumber: string) =>
    createHmac('sha256', secrets.caseNumber).update(caseNumber).digest('hex').slice(0, 32)
  const stretch = (caseId: string, pin: string) =>
    stretchPin(createHmac('sha256', secrets.pin).update(`${caseId}:${pin}`).digest(), caseId, stretching)
  const stretchedPin = async (caseId: string, drawn: number): Promise<NewPin> => {
    const pin = String(drawn).padStart(6, '0')
    return { pin, stretched: (await stretch(caseId, pin)).toString('base64') }
  }

  return {
    newNumber() {
      const caseNumber = caseNumberFrom(randomBytes(12))
      return { caseNumber, caseId: caseIdOf(caseNumber) }
    },

    newPin: (caseId) => stretchedPin(caseId, randomInt(PIN_BOUND)),

    newHandoverSeed: () => randomBytes(16).toString('base64'),

    handoverPin(caseId, seed) {
      const derived = createHmac('sha256', secrets.pin).update(`handover:${caseId}:${seed}`).digest()
      return stretchedPin(caseId, derived.readUIntBE(0, 6) % PIN_BOUND)
    },

    noPin: () => randomBytes(STRETCHED_BYTES).toString('base64'),

    async newToken(opened) {
      const token = randomBytes(32).toString('base64url')
      await cases.addToken(hashToken(token), opened, CASE_TOKEN_TTL_S)
      return token
    },

    async byPin(text, pin, nowMs) {
      // Tries are counted and the PIN is stretched for numbers that do not exist as well: neither the answer, nor its time,
      // nor the lock tells which numbers do.
      // What cannot be a number is counted by itself, or one person's typing errors would lock out another's.
      const caseNumber = parseCaseNumber(text)
      const caseId = caseIdOf(caseNumber ?? text)
      const { tries, lockedForS } = await cases.countPinTry(caseId, PIN_LOCK_S)
      if (tries > PIN_TRIES) throw new Problem('pin-locked', { retryAfterS: Math.max(1, lockedForS) })
      const [record, given] = await Promise.all([cases.get(caseId), stretch(caseId, pin)])
      const [isCurrent, isNext] = [record?.pin, record?.nextPin].map((kept = UNKNOWN_PIN) =>
        timingSafeEqual(Buffer.from(kept, 'base64'), given),
      )
      if (!(isCurrent || isNext) || record === undefined || caseNumber === undefined) throw new Problem('case-unknown')
      await cases.forgetPinTries(caseId)
      if (!isNext && record.handoverSeed === undefined) return { caseId, caseNumber, record, by: 'submitter' }
      const pinChanges = await cases.usePin(caseId, given.toString('base64'), nowMs)
      if (pinChanges === undefined) throw new Problem('case-unknown') // another PIN took its place in this moment
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

    complaintOf: (caseId, reference) =>
      createHmac('sha256', secrets.complaint)
        .update(`${caseId}\0${plainReference(reference)}`)
        .digest('hex'),
  }
}

const STRETCHED_BYTES = 32
/** What a PIN is compared with when there is no case: as long as a real one, equal to none. */
const UNKNOWN_PIN = Buffer.alloc(STRETCHED_BYTES).toString('base64')

function stretchPin(pin: Buffer, salt: string, stretching: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(pin, salt, STRETCHED_BYTES, stretching, (error, stretched) => {
      if (error === null) resolve(stretched)
      else reject(error)
    })
  })
}

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
