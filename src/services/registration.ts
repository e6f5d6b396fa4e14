// Registers images: those of a case, and those of a bank. Durable and matchable here when it returns.

import { createHmac } from 'node:crypto'
import type { AuditActor } from '../domain/audit.js'
import { type Bank, CASES_BANK_NAME } from '../domain/bank.js'
import type { BankChange, NewSignal } from '../domain/bank-change.js'
import { uuidV8 } from '../domain/ids.js'
import { Problem } from '../domain/problem.js'
import type { Category, RegisteredImage, Signal } from '../domain/signal.js'
import type { SignalType } from '../domain/signal-types.js'
import type { RegisteredDetails } from '../hash/details/details.js'
import type { Images, StoredImage } from '../store/images.js'
import type { OwnCase } from './case-access.js'
import { refusalOf, refuseEnded } from './cases.js'
import type { Ceilings } from './ceilings.js'
import { type Detailing, kinOfCase } from './detailing.js'
import type { StruckSignals } from './refusals.js'
import type { Replica } from './replica.js'

export interface NewImage {
  readonly signals: readonly Signal[]
  readonly category: Category | undefined
  /** Only for a case that `takesDetails`. */
  readonly details?: RegisteredDetails
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
   * @throws {Problem} account-suspended, ceiling-reached; bank-unknown when it was removed since it was looked up
   */
  forBank(
    bank: Bank,
    signals: readonly NewSignal[],
  ): Promise<{
    /** In the order of `signals`; `undefined` for one that was judged false and may not be handed in again. */
    readonly ids: (string | undefined)[]
    /** 0 when all were refused. */
    readonly revision: number
  }>
  /**
   * Puts and tombstones as they come, of any number up to some thousands; of several about one signal, the last one counts.
   * Durable when it returns; safe to repeat. Only signals of this bank are removed, whatever ids are named.
   * @returns how many were put, how many were there and are gone, and which were judged false and are not taken. @throws {Problem} as `forBank`.
   */
  changeBank(bank: Bank, changes: readonly BankChange[]): Promise<BankOutcome>
  /** The id that a signal has, or would have, in a bank. */
  signalIdFor(bank: Bank, signal: NewSignal): string
  /** All signals of one picture as one image; the same picture again is the same image. @throws {Problem} as `forBank`, and signal-struck */
  pictureForBank(
    bank: Bank,
    picture: NewImage & { readonly ref: string | undefined },
  ): Promise<{ readonly id: string; readonly revision: number }>
  /** Which pictures were judged harmless, and so are not to be registered, in their order. @throws {Problem} index-cold, store-away */
  harmlessAmong(pictures: readonly (readonly Signal[])[]): Promise<boolean[]>
  /** Waits until this process matches what was registered at `revision`. */
  matchable(revision: number): Promise<void>
  /** The same for what `changeBank` did: what it removed matches no more here, and is noted. */
  settled(revision: number): Promise<void>
  /** @throws {Problem} signal-unknown, also when it is another bank's. */
  removeFromBank(bank: Bank, id: string, by: AuditActor): Promise<void>
}

export interface BankOutcome {
  readonly put: number
  readonly removed: number
  readonly struck: ReadonlySet<Signal>
  /** 0 when nothing was changed. */
  readonly revision: number
}

export interface RegistrationParts {
  readonly images: Images
  readonly replica: Replica
  readonly ceilings: Ceilings
  readonly harmlessAmong: Registration['harmlessAmong']
  readonly struckSignals: StruckSignals
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
  harmlessAmong,
  struckSignals,
  idSecret,
  detailing,
  now,
}: RegistrationParts): Registration {
  /** A bank may be removed, and its name another's, while something is handed in to it: a file may take an hour. */
  const putInto = async (bank: Bank, stored: readonly StoredImage[]) => {
    if (bank.orgId === undefined) return images.put(stored) // the deployment's own are always there
    const revision = await images.putInto(bank, stored)
    if (revision === undefined) throw new Problem('bank-unknown')
    return revision
  }
  /**
   * What of this may not be handed in again, and whether the account may report at all: asked with one visit to the store, and answered by
   * `mayReport` where something is left to report.
   */
  const asked = async (bank: Bank, signals: readonly Signal[]) => {
    const may = bank.orgId === undefined ? Promise.resolve() : ceilings.mayReport(`org:${bank.orgId}`)
    may.catch(() => {}) // where nothing is left, nobody asks
    return { struck: await struckSignals.refusedOf(bank.orgId, signals), mayReport: () => may }
  }
  const store = async (bank: Bank, added: readonly { readonly id: string; readonly given: NewSignal }[]) => {
    if (bank.orgId !== undefined) await ceilings.handIn(bank.orgId, added.length)
    return putInto(bank, recordsOf(bank, added))
  }
  const recordsOf = (bank: Bank, added: readonly { readonly id: string; readonly given: NewSignal }[]): StoredImage[] => {
    const createdAtMs = now()
    return added.map(({ id, given: { signal, ref, category, tier = 'ngo-attested' } }) => ({
      id,
      image: { bank: bank.name, tier, category, ref, createdAtMs, signals: [signal] },
    }))
  }
  /** All of them with one visit to the store. @returns `undefined` when something stands against it, and it has to be asked what. */
  const storeUnasked = async (bank: Bank, added: readonly { readonly id: string; readonly given: NewSignal }[]) => {
    const { orgId } = bank
    if (orgId === undefined || ceilings.isCounted || added.length === 0) return undefined
    const digests = struckSignals.digestsOf(signalsIn(added.map(({ given }) => given)))
    const objections = { ...ceilings.reporting(`org:${orgId}`), orgId, digests, atMs: now() }
    const revision = await images.putIntoUnless(bank, recordsOf(bank, added), objections)
    if (revision === undefined) throw new Problem('bank-unknown')
    return revision === 'objected' ? undefined : revision
  }
  const erase = async (bank: Bank, named: readonly string[], ids: readonly string[]) => {
    const found = named.length === 0 ? [] : await images.get(named)
    const own = named.filter((_, i) => found[i]?.bank === bank.name)
    const revisions = await Promise.all([...ids, ...own].map((id) => images.erase(id)))
    return revisions.filter((revision) => revision !== undefined)
  }

  return {
    takesDetails: ({ record }) => detailing !== undefined && record.extendedProtection,

    async forCase({ caseId, record, by }, added) {
      const createdAtMs = now()
      refuseEnded({ record }, createdAtMs)
      const org = by === 'organisation' ? record.assistance?.orgId : undefined
      const reporting = ceilings.reporting(org === undefined ? `case:${caseId}` : `org:${org}`)
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
      const outcome = await images.putForCase(caseId, stored, createdAtMs, by, reporting)
      if (outcome === 'case-full' || outcome === 'account-suspended') throw new Problem(outcome)
      if (typeof outcome !== 'object') throw refusalOf(outcome, record)
      await replica.applied(outcome.revision)
      return stored.map(({ id }) => id)
    },

    async forBank(bank, added) {
      const given = added.map((each) => ({ id: signalIdOf(idSecret, bank.name, each.signal, each.ref), given: each }))
      const revision = await storeUnasked(bank, given)
      if (revision !== undefined) return { ids: given.map(({ id }) => id), revision }
      const { struck, mayReport } = await asked(bank, signalsIn(added))
      const taken = given.filter(({ given: { signal } }) => !struck.has(signal))
      const ids = given.map(({ id, given: { signal } }) => (struck.has(signal) ? undefined : id))
      if (taken.length === 0) return { ids, revision: 0 }
      await mayReport()
      return { ids, revision: await store(bank, taken) }
    },

    async changeBank(bank, changes) {
      const last = new Map<string, BankChange>()
      for (const change of changes) last.set(idOf(idSecret, bank.name, change), change)
      const added = changes.flatMap((change) => (change.kind === 'put' ? [change.signal] : []))
      const { struck, mayReport } = await asked(bank, signalsIn(added))
      const puts = [...last].flatMap(([id, change]) =>
        change.kind === 'put' && !struck.has(change.signal.signal) ? [{ id, given: change.signal }] : [],
      )
      const idsOf = (kind: BankChange['kind']) => [...last].flatMap(([id, change]) => (change.kind === kind ? [id] : []))
      if (puts.length > 0) await mayReport()
      const revision = puts.length === 0 ? 0 : await store(bank, puts)
      const gone = await erase(bank, idsOf('remove-id'), idsOf('remove'))
      return { put: puts.length, removed: gone.length, struck, revision: Math.max(revision, ...gone) }
    },

    signalIdFor: (bank, { signal, ref }) => signalIdOf(idSecret, bank.name, signal, ref),

    async pictureForBank(bank, { signals, category, ref }) {
      if (await struckSignals.refuses(bank.orgId, signals)) throw new Problem('signal-struck')
      if (bank.orgId !== undefined) {
        await ceilings.mayReport(`org:${bank.orgId}`)
        await ceilings.handIn(bank.orgId, 1)
      }
      const image: RegisteredImage = {
        bank: bank.name,
        tier: 'ngo-attested',
        category,
        ref,
        createdAtMs: now(),
        signals,
      }
      const id = pictureIdOf(idSecret, bank.name, signals, ref)
      return { id, revision: await putInto(bank, [{ id, image }]) }
    },

    async harmlessAmong(pictures) {
      const [alike, blocks] = await Promise.all([harmlessAmong(pictures), struckSignals.blocksOf(pictures)])
      return alike.map((isAlike, i) => isAlike || blocks[i] !== undefined)
    },

    matchable: (revision) => replica.applied(revision),

    settled: (revision) => replica.reached(revision),

    async removeFromBank(bank, id, by) {
      // An id has one bank for ever: where it is known here, the store need not be asked.
      if (replica.bankOf(id) !== bank.name) {
        const [image] = await images.get([id])
        if (image === undefined || image.bank !== bank.name) throw new Problem('signal-unknown')
      }
      const about = { bank: bank.name, signalId: id }
      const revision = await images.erase(id, { act: 'signal.removed', by, about, atMs: now() })
      if (revision !== undefined) await replica.reached(revision)
    },
  }
}

function signalsIn(added: readonly NewSignal[]): Signal[] {
  return added.map(({ signal }) => signal)
}

function idOf(secret: Buffer, bank: string, change: BankChange): string {
  if (change.kind === 'remove-id') return change.signalId
  return change.kind === 'remove'
    ? signalIdOf(secret, bank, change.signal, change.ref)
    : signalIdOf(secret, bank, change.signal.signal, change.signal.ref)
}

/** Of what makes a bank's signal itself. */
function signalIdOf(
  secret: Buffer,
  bank: string,
  { type, hash }: Pick<Signal, 'type' | 'hash'>,
  ref: string | undefined,
): string {
  return uuidV8(
    createHmac('sha256', secret)
      .update(`${bank}\0${type}\0`)
      .update(hash)
      .update(ref ?? '')
      .digest(),
  )
}

/** Apart from the ids of signals: a hash that is handed in alone must not take the place of a picture with all its views. */
function pictureIdOf(secret: Buffer, bank: string, signals: readonly Signal[], ref: string | undefined): string {
  const whole = signals.find(({ type, view }) => type === 'pdq' && view === 'whole')
  const digest = createHmac('sha256', secret).update(`picture\0${bank}\0${ref ?? ''}\0`)
  for (const { hash } of whole === undefined ? signals : [whole]) digest.update(hash)
  return uuidV8(digest.digest())
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
  return uuidV8(digest.digest())
}
