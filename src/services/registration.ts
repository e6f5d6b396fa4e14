// Registers images: those of a case, and those of a bank. Durable and matchable here when it returns.

import { createHmac, type Hmac } from 'node:crypto'
import { type Bank, CASES_BANK_NAME } from '../domain/bank.js'
import { acceptsImages, stateAt } from '../domain/case.js'
import { formatUuid } from '../domain/ids.js'
import { Problem } from '../domain/problem.js'
import type { Category, RegisteredImage, Signal } from '../domain/signal.js'
import type { SignalType } from '../domain/signal-types.js'
import type { RegisteredDetails } from '../hash/details/details.js'
import type { Images, StoredImage } from '../store/images.js'
import type { OwnCase } from './case-access.js'
import { refusalOf } from './cases.js'
import type { Ceilings } from './ceilings.js'
import { type Detailing, kinOfCase } from './detailing.js'
import type { Replica } from './replica.js'

export interface NewImage {
  readonly signals: readonly Signal[]
  readonly category: Category | undefined
  /** Only for a case that `takesDetails`. */
  readonly details?: RegisteredDetails
}

export interface NewSignal {
  readonly signal: Signal
  readonly ref: string | undefined
  readonly category: Category | undefined
}

export interface Registration {
  /** Is extended protection on, here and for this case? */
  takesDetails(own: OwnCase): boolean
  /**
   * The same picture twice in a case is one image, which stays as it was: the same when all 256 bits of its whole PDQ are, so also
   * for every copy of the same file. Registering may therefore be repeated.
   * @returns the ids, in the order of `images`. @throws {Problem} case-withdrawn, case-expired, case-unknown, case-full,
   *   account-suspended.
   */
  forCase(own: OwnCase, images: readonly NewImage[]): Promise<string[]>
  /**
   * Each signal as an image of its own; the same signal again is the same image, so handing in may be repeated.
   * Durable when it returns, matchable once `matchable(revision)` returns.
   * @throws {Problem} account-suspended, ceiling-reached
   */
  forBank(bank: Bank, signals: readonly NewSignal[]): Promise<{ readonly ids: string[]; readonly revision: number }>
  /** Is it known to be harmless, and so not to be registered? @throws {Problem} index-cold, store-away */
  isHarmless(signals: readonly Signal[]): boolean
  /** Waits until this process matches what was registered at `revision`. */
  matchable(revision: number): Promise<void>
  /** @throws {Problem} signal-unknown, also when it is another bank's. */
  removeFromBank(bank: Bank, id: string): Promise<void>
}

export interface RegistrationParts {
  readonly images: Images
  readonly replica: Replica
  readonly ceilings: Ceilings
  readonly isHarmless: (signals: readonly Signal[]) => boolean
  /** Keys the ids, so that an id tells nothing about the hash it is made from. */
  readonly idSecret: Buffer
  /** `undefined` where extended protection is off. */
  readonly detailing: Detailing | undefined
  readonly now: () => number
}

export function registrationIn({
  images,
  replica,
  ceilings,
  isHarmless,
  idSecret,
  detailing,
  now,
}: RegistrationParts): Registration {
  return {
    takesDetails: ({ record }) => detailing !== undefined && record.extendedProtection,

    async forCase({ caseId, record, by }, added) {
      const createdAtMs = now()
      const state = stateAt(record, createdAtMs)
      if (!acceptsImages(state)) throw refusalOf(state, record)
      const org = by === 'organisation' ? record.assistance?.orgId : undefined
      await ceilings.mayReport(org === undefined ? `case:${caseId}` : `org:${org}`)
      const stored: StoredImage[] = []
      for (const { signals, category, details } of added) {
        const image: RegisteredImage = {
          bank: CASES_BANK_NAME,
          tier: by === 'organisation' && record.assistance?.isAttested === true ? 'ngo-attested' : 'self-reported',
          category: category ?? record.category,
          ref: undefined,
          caseId,
          createdAtMs,
          signals,
        }
        const kept = details === undefined ? undefined : await detailing?.keep(signals, details, kinOfCase(caseId))
        stored.push({ id: imageIdOf(idSecret, caseId, signals), image: { ...image, ...kept?.image }, ...kept?.beside })
      }
      const outcome = await images.putForCase(caseId, stored, createdAtMs)
      if (outcome === 'case-full') throw new Problem('case-full')
      if (typeof outcome !== 'object') throw refusalOf(outcome, record)
      await replica.reached(outcome.revision)
      return stored.map(({ id }) => id)
    },

    async forBank(bank, added) {
      const createdAtMs = now()
      if (bank.orgId !== undefined) {
        await ceilings.mayReport(`org:${bank.orgId}`)
        await ceilings.handIn(bank.orgId, added.length)
      }
      const stored = added.map(({ signal, ref, category }) => {
        const image: RegisteredImage = {
          bank: bank.name,
          tier: 'ngo-attested',
          category,
          ref,
          createdAtMs,
          signals: [signal],
        }
        return { id: signalIdOf(idSecret, bank.name, signal, ref), image }
      })
      return { ids: stored.map(({ id }) => id), revision: await images.put(stored) }
    },

    isHarmless,

    matchable: (revision) => replica.reached(revision),

    async removeFromBank(bank, id) {
      const [image] = await images.get([id])
      if (image === undefined || image.bank !== bank.name) throw new Problem('signal-unknown')
      const revision = await images.erase(id)
      if (revision !== undefined) await replica.reached(revision)
    },
  }
}

/** Of what makes a bank's signal itself. */
function signalIdOf(secret: Buffer, bank: string, { type, hash }: Signal, ref: string | undefined): string {
  return uuidV8(
    createHmac('sha256', secret)
      .update(`${bank}\0${type}\0`)
      .update(hash)
      .update(ref ?? ''),
  )
}

/**
 * Of what makes a picture itself, within its case: the ids of one picture in two cases have nothing in common. That is PDQ of the
 * whole; or SHA-256 of the file where a submitter gives no PDQ; or everything that she gives, in its order.
 */
function imageIdOf(secret: Buffer, caseId: string, signals: readonly Signal[]): string {
  const whole = (type: SignalType) => signals.find((signal) => signal.type === type && signal.view === 'whole')
  const itself = whole('pdq') ?? whole('sha256')
  const digest = createHmac('sha256', secret).update(`case\0${caseId}\0`)
  for (const { type, view, hash } of itself === undefined ? signals : [itself])
    digest.update(`${type}\0${view}\0`).update(hash)
  return uuidV8(digest)
}

/** RFC 9562, section 5.8. */
function uuidV8(digest: Hmac): string {
  const bytes = digest.digest()
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  return formatUuid(bytes)
}
