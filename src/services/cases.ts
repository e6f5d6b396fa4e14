// A case, from opening to withdrawal. What the submitter holds are a number and a PIN; nobody is asked for a name.

import { createHash, createHmac, randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto'
import {
  acceptsImages,
  CASE_TOKEN_TTL_S,
  type CaseState,
  caseNumberFrom,
  PIN_BOUND,
  PIN_LOCK_S,
  PIN_TRIES,
  parseCaseNumber,
} from '../domain/case.js'
import { Problem } from '../domain/problem.js'
import type { Category } from '../domain/signal.js'
import type { CaseRecord, Cases as CaseStore } from '../store/cases.js'
import type { Secrets } from '../store/secrets.js'
import type { Replica } from './replica.js'

export interface OpenedCase {
  readonly caseNumber: string
  readonly pin: string
  readonly token: string
  readonly expiresAtMs: number
}

export interface CaseView {
  readonly caseNumber: string
  readonly state: CaseState
  readonly category: Category | undefined
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly images: number
  readonly withdrawnAtMs: number | undefined
}

/** A case that the caller has shown a token for. */
export interface OwnCase {
  readonly caseId: string
  readonly caseNumber: string
  readonly record: CaseRecord
}

export interface CaseParts {
  readonly cases: CaseStore
  readonly secrets: Secrets
  readonly replica: Replica
  readonly retentionMs: number
  readonly now: () => number
}

export interface Cases {
  open(category: Category | undefined): Promise<OpenedCase>
  /** A new token for number and PIN. @throws {Problem} case-unknown, the same and as late for a wrong PIN; pin-locked. */
  token(caseNumber: string, pin: string): Promise<string>
  /** @throws {Problem} case-unknown, the same when the case exists but the token opens another. */
  own(caseNumber: string, token: string): Promise<OwnCase>
  view(own: OwnCase): Promise<CaseView>
  /** From the return on nothing of it matches here, and within a second nowhere. Twice gives the first answer again. */
  withdraw(own: OwnCase): Promise<{ readonly withdrawnAtMs: number; readonly images: number }>
}

export function casesFrom({ cases, secrets, replica, retentionMs, now }: CaseParts): Cases {
  const caseIdOf = (caseNumber: string) =>
    createHmac('sha256', secrets.caseNumber).update(caseNumber).digest('hex').slice(0, 32)
  const stretch = (caseId: string, pin: string) =>
    stretchPin(createHmac('sha256', secrets.pin).update(`${caseId}:${pin}`).digest(), caseId)
  const newToken = async (caseId: string) => {
    const token = randomBytes(32).toString('base64url')
    await cases.addToken(hashToken(token), caseId, CASE_TOKEN_TTL_S)
    return token
  }

  return {
    async open(category) {
      const caseNumber = caseNumberFrom(randomBytes(12))
      const caseId = caseIdOf(caseNumber)
      const pin = String(randomInt(PIN_BOUND)).padStart(6, '0')
      const createdAtMs = now()
      const expiresAtMs = createdAtMs + retentionMs
      const stretched = (await stretch(caseId, pin)).toString('base64')
      const added = await cases.add(caseId, {
        state: 'open',
        createdAtMs,
        expiresAtMs,
        category,
        pin: stretched,
        withdrawnAtMs: undefined,
        withdrawnImages: 0,
      })
      if (!added) throw new Error('two cases drew the same 60 random bits')
      return { caseNumber, pin, token: await newToken(caseId), expiresAtMs }
    },

    async token(text, pin) {
      // Tries are counted and the PIN is stretched for numbers that do not exist as well: neither the answer, nor its time,
      // nor the lock tells which numbers do.
      // What cannot be a number is counted by itself, or one person's typing errors would lock out another's.
      const caseId = caseIdOf(parseCaseNumber(text) ?? text)
      const { tries, lockedForS } = await cases.countPinTry(caseId, PIN_LOCK_S)
      if (tries > PIN_TRIES) throw new Problem('pin-locked', { retryAfterS: Math.max(1, lockedForS) })
      const [record, given] = await Promise.all([cases.get(caseId), stretch(caseId, pin)])
      const kept = Buffer.from(record?.pin ?? UNKNOWN_PIN, 'base64')
      if (!timingSafeEqual(kept, given) || record === undefined) throw new Problem('case-unknown')
      await cases.forgetPinTries(caseId)
      return newToken(caseId)
    },

    async own(text, token) {
      const caseNumber = parseCaseNumber(text)
      const opened = await cases.caseOfToken(hashToken(token))
      const caseId = caseIdOf(caseNumber ?? '')
      const record = await cases.get(caseId)
      if (caseNumber === undefined || record === undefined || opened !== caseId) throw new Problem('case-unknown')
      return { caseId, caseNumber, record }
    },

    async view({ caseId, caseNumber, record }) {
      const { state, category, createdAtMs, expiresAtMs, withdrawnAtMs } = record
      const images = acceptsImages(state) ? await cases.countImages(caseId) : 0
      return { caseNumber, state, category, createdAtMs, expiresAtMs, images, withdrawnAtMs }
    },

    async withdraw({ caseId }) {
      const withdrawal = await cases.withdraw(caseId, now())
      if (withdrawal === undefined) throw new Problem('case-unknown')
      await replica.reached(withdrawal.revision)
      return withdrawal
    },
  }
}

const STRETCHED_BYTES = 32
/** What a PIN is compared with when there is no case: as long as a real one, equal to none. */
const UNKNOWN_PIN = Buffer.alloc(STRETCHED_BYTES).toString('base64')

/** 32 MiB and about 60 ms a try, so that even whoever has both the store and its secrets must work for a PIN. */
function stretchPin(pin: Buffer, salt: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(pin, salt, STRETCHED_BYTES, { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 }, (error, stretched) => {
      if (error === null) resolve(stretched)
      else reject(error)
    })
  })
}

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
