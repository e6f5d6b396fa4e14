// Registers images: those of a case, and those of a bank. Durable and matchable here when it returns.

import { createHmac, randomBytes } from 'node:crypto'
import { type Bank, CASES_BANK_NAME } from '../domain/bank.js'
import { acceptsImages } from '../domain/case.js'
import { formatUuid, uuidV7 } from '../domain/ids.js'
import { Problem } from '../domain/problem.js'
import type { Category, RegisteredImage, Signal } from '../domain/signal.js'
import type { Images } from '../store/images.js'
import type { OwnCase } from './cases.js'
import type { Replica } from './replica.js'

export interface NewImage {
  readonly signals: readonly Signal[]
  readonly category: Category | undefined
}

export interface NewSignal {
  readonly signal: Signal
  readonly ref: string | undefined
  readonly category: Category | undefined
}

export interface Registration {
  /** @returns the ids, in the order of `images`. @throws {Problem} case-withdrawn */
  forCase(own: OwnCase, images: readonly NewImage[]): Promise<string[]>
  /**
   * Each signal as an image of its own; the same signal again is the same image, so handing in may be repeated.
   * Durable when it returns, matchable once `matchable(revision)` returns.
   */
  forBank(bank: Bank, signals: readonly NewSignal[]): Promise<{ readonly ids: string[]; readonly revision: number }>
  /** Waits until this process matches what was registered at `revision`. */
  matchable(revision: number): Promise<void>
  /** @throws {Problem} signal-unknown, also when it is another bank's. */
  removeFromBank(bank: Bank, id: string): Promise<void>
}

export interface RegistrationParts {
  readonly images: Images
  readonly replica: Replica
  /** Keys the ids of bank signals, so that an id tells nothing about the hash it is made from. */
  readonly idSecret: Buffer
  readonly now: () => number
}

export function registrationIn({ images, replica, idSecret, now }: RegistrationParts): Registration {
  return {
    async forCase({ caseId, record }, added) {
      if (!acceptsImages(record.state)) throw new Problem('case-withdrawn')
      const createdAtMs = now()
      const stored = added.map(({ signals, category }) => {
        const image: RegisteredImage = {
          bank: CASES_BANK_NAME,
          tier: 'self-reported',
          category: category ?? record.category,
          ref: undefined,
          caseId,
          createdAtMs,
          signals,
        }
        return { id: uuidV7(createdAtMs, randomBytes(10)), image }
      })
      const outcome = await images.putForCase(caseId, stored)
      if (typeof outcome === 'string') throw new Problem(outcome)
      await replica.reached(outcome.revision)
      return stored.map(({ id }) => id)
    },

    async forBank(bank, added) {
      const createdAtMs = now()
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

    matchable: (revision) => replica.reached(revision),

    async removeFromBank(bank, id) {
      const [image] = await images.get([id])
      if (image === undefined || image.bank !== bank.name) throw new Problem('signal-unknown')
      const revision = await images.erase(id)
      if (revision !== undefined) await replica.reached(revision)
    },
  }
}

/** A UUIDv8 of what makes a bank's signal itself. */
function signalIdOf(secret: Buffer, bank: string, { type, hash }: Signal, ref: string | undefined): string {
  const bytes = createHmac('sha256', secret)
    .update(`${bank}\0${type}\0`)
    .update(hash)
    .update(ref ?? '')
    .digest()
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  return formatUuid(bytes)
}
