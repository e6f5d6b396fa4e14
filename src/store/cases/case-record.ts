// A case as it is stored: a hash of text fields.

import { z } from 'zod'
import { CATEGORY_NAMES, type Category } from '../../../packages/core/src/matching/signal.js'
import { type Assistance, CONSENT_KINDS, type ConsentKind } from '../../domain/cases/assistance.js'
import { CASE_STATES, type CaseEnding, type CaseState } from '../../domain/cases/case.js'

export interface CaseRecord {
  readonly state: CaseState
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly category: Category | undefined
  /** The stretched PIN, base64. */
  readonly pin: string
  /** Wrong PINs so far: at most `MAX_PIN_GUESSES` + 1. */
  readonly pinGuesses: number
  /** How often the PIN was replaced. A token is valid as long as this number has not changed. */
  readonly pinChanges: number
  /** When the case ends because somebody without the recovery code wished so; `undefined` without such a wish. */
  readonly endWishAtMs: number | undefined
  /** The PIN and code that wait for their first use: since when they may be used, and whether the recovery code was proved for them. */
  readonly nextPin: { readonly fromMs: number; readonly isByCode: boolean } | undefined
  /** Until when its images match nothing, because it was paused. */
  readonly pausedUntilMs: number | undefined
  /** Random seed of the PIN of a handover, until the submitter has used that PIN. */
  readonly handoverSeed: string | undefined
  /** The organisation that opened the case for the submitter, and the submitter's consent; `undefined` when the submitter opened it. */
  readonly assistance: Assistance | undefined
  /** Keyed hash of the number of a complaint under a law, hex. */
  readonly complaint: string | undefined
  /** Whether details of its images may be kept. Chosen when the case is opened. */
  readonly extendedProtection: boolean
  /** Version of the privacy notice that the person agreed to; `undefined` if there was none, or an organisation opened the case. */
  readonly consentVersion: string | undefined
  /** Whether an organisation has attested any of its images. */
  readonly isVouchedFor: boolean
  /** The end that assisting organisations were told of in advance [epoch ms]. */
  readonly toldEndMs: number | undefined
  /** Number of hashes registered so far, over all its images, without details. */
  readonly hashes: number
  /** `undefined` while the case is open. */
  readonly end: CaseEnd | undefined
  /** When its hashes were gone from the store's append-only file; `undefined` before that. */
  readonly erasedAtMs: number | undefined
}

export interface CaseEnd {
  readonly as: CaseEnding
  readonly atMs: number
  /** How many images were erased. */
  readonly images: number
  /** How many of them were judged harmless. They cannot be registered again until `untilMs` at the latest. */
  readonly blocked?: { readonly images: number; readonly untilMs: number }
}

export interface NewCaseRecord extends Pick<CaseRecord, 'createdAtMs' | 'expiresAtMs' | 'category' | 'pin'> {
  /** The stretched recovery code, base64. It opens the case too, also after too many wrong PINs. */
  readonly recoveryCode?: string
  readonly assistance?: Assistance
  readonly complaint?: string
  readonly consentVersion?: string | undefined
  readonly extendedProtection?: boolean
  /** Random name of the case in the audit log. It is erased with the case, so that no entry leads to the case afterwards. */
  readonly auditName?: string
}

const Moment = z.coerce.number().int()
/** Parses the fields of a stored case. @throws {z.ZodError} for a field that is missing or malformed. */
export const CaseFields = z
  .object({
    state: z.enum(CASE_STATES),
    createdAtMs: Moment,
    expiresAtMs: Moment,
    category: z.enum(CATEGORY_NAMES).optional(),
    pin: z.string(),
    pinGuesses: Moment.default(0),
    pinChanges: Moment.default(0),
    endWishAtMs: Moment.optional(),
    nextPin: z.string().optional(),
    nextFromMs: Moment.default(0),
    nextByCode: z.enum(['yes', 'no']).default('no'),
    pausedUntilMs: Moment.optional(),
    handoverSeed: z.string().optional(),
    orgId: z.string().optional(),
    consentKind: z.enum(CONSENT_KINDS).optional(),
    consentOn: z.string().optional(),
    isAttested: z.enum(['yes', 'no']).default('no'),
    vouchedFor: z.enum(['yes', 'no']).default('no'),
    handedOverAtMs: Moment.optional(),
    keepsReading: z.enum(['yes', 'no']).default('no'),
    complaint: z.string().optional(),
    toldEndMs: Moment.optional(),
    hashes: Moment.default(0),
    extendedProtection: z.enum(['yes', 'no']).default('no'),
    consentVersion: z.string().optional(),
    endedAs: z.enum(['withdrawn', 'expired']).optional(),
    endedAtMs: Moment.optional(),
    endedImages: Moment.default(0),
    endedBlocks: Moment.default(0),
    endedBlocksUntilMs: Moment.default(0),
    erasedAtMs: Moment.optional(),
  })
  .transform((fields): CaseRecord => {
    const { state, createdAtMs, expiresAtMs, category, consentVersion, pin, complaint, hashes, erasedAtMs } = fields
    const { pinGuesses, pinChanges, endWishAtMs, pausedUntilMs, handoverSeed, toldEndMs } = fields
    const isByCode = fields.nextByCode === 'yes'
    const nextPin = fields.nextPin === undefined ? undefined : { fromMs: fields.nextFromMs, isByCode }
    const end = endIn(fields)
    const assistance = assistanceIn(fields)
    const extendedProtection = fields.extendedProtection === 'yes'
    return {
      state,
      createdAtMs,
      expiresAtMs,
      category,
      consentVersion,
      pin,
      pinGuesses,
      pinChanges,
      endWishAtMs,
      nextPin,
      pausedUntilMs,
      handoverSeed,
      assistance,
      complaint,
      extendedProtection,
      isVouchedFor: fields.vouchedFor === 'yes',
      toldEndMs,
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

/** [field, value, field, value, …] as Redis takes it, without undefined values. */
export function flat(fields: Readonly<Record<string, string | number | undefined>>): (string | number)[] {
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
}

/** The fields of a new case, as Redis takes them. */
export function fieldsOf({ assistance, extendedProtection, ...record }: NewCaseRecord): (string | number)[] {
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
  return flat({ state: 'open', ...record, ...choice, ...help })
}
