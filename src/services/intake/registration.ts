// Registers images: those of a case, and those of a bank. Durable and matchable here when it returns.

import type { RegisteredDetails } from '../../../packages/hash/src/details/details.js'
import type { Category, RegisteredImage, Signal, Tier } from '../../domain/matching/signal.js'
import type { OrgKind } from '../../domain/organisations/access.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import { type Bank, CASES_BANK_NAME } from '../../domain/organisations/bank.js'
import type { BankChange, NewSignal } from '../../domain/organisations/bank-change.js'
import { Problem } from '../../domain/problem.js'
import type { Images, StoredImage } from '../../store/images/images.js'
import type { ImportRun } from '../../store/redis/guarded-writes.js'
import { absentAmong, idsOfChanges, itselfIn } from '../banks/bank-changes.js'
import type { OwnCase } from '../cases/case-access.js'
import { refusalOf, refuseEnded } from '../cases/cases.js'
import { bankedIdOf, imageIdOf, pictureIdOf } from '../index/image-ids.js'
import type { Replica } from '../index/replica.js'
import { type Detailing, kinOfCase } from './prepare-details.js'
import type { Ceilings } from './quotas.js'
import type { InvalidatedSignals } from './resubmission-block.js'

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
   * @returns in the order of `images` the id of each, or `known-harmless` for one that was judged harmless: that one is not registered.
   * @throws {Problem} case-withdrawn, case-expired, case-unknown, case-full, account-suspended, index-loading, store-unavailable.
   */
  forCase(own: OwnCase, images: readonly NewImage[]): Promise<(string | Problem)[]>
  /**
   * Each signal as an image of its own; the same signal again is the same image, so handing in may be repeated.
   * Durable when it returns, matchable once `matchable(revision)` returns.
   * @throws {Problem} account-suspended, quota-exceeded; bank-unknown when it was removed since it was looked up
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
   * Durable when it returns; safe to repeat. Only signals of this bank are removed, whatever ids are named, and whether they match or not.
   * @param run of the import they come by: once another has taken over, nothing more is written.
   * @throws {Problem} as `forBank`; idempotency-key-busy.
   */
  changeBank(bank: Bank, changes: readonly BankChange[], run?: ImportRun): Promise<BankOutcome>
  /** Was this image there before, and matches nothing: held, paused, or judged false? As far as this process knows. @throws {Problem} index-loading, store-unavailable */
  isHeld(id: string): boolean
  /** The id that a signal has, or would have, in a bank. */
  signalIdFor(bank: Bank, signal: NewSignal): string
  /** All signals of one picture as one image; the same picture again is the same image. @throws {Problem} as `forBank`, and signal-invalidated */
  pictureForBank(
    bank: Bank,
    picture: NewImage & { readonly ref: string | undefined },
  ): Promise<{ readonly id: string; readonly revision: number }>
  /** Waits until this process matches what was registered at `revision`. */
  matchable(revision: number): Promise<void>
  /** The same for what `changeBank` did: what it removed matches no more here, and is noted. */
  settled(revision: number): Promise<void>
  /** @throws {Problem} signal-unknown, also when it is another bank's. */
  removeFromBank(bank: Bank, id: string, by: AuditActor): Promise<void>
}

export interface BankOutcome {
  /** Signals that were there and are gone. */
  readonly removed: number
  /** Which of the changes, by their places, put what was judged false: that is not taken. */
  readonly invalidatedAt: ReadonlySet<number>
  /** Which of them were to remove what the bank does not have. */
  readonly absentAt: ReadonlySet<number>
  /** 0 when nothing was changed. */
  readonly revision: number
}

export interface RegistrationParts {
  readonly images: Images
  readonly replica: Replica
  readonly ceilings: Ceilings
  /** Which pictures are near a harmless bank's signal, in their order. @throws {Problem} index-loading, store-unavailable */
  readonly harmlessAmong: (pictures: readonly (readonly Signal[])[]) => Promise<boolean[]>
  readonly invalidatedSignals: InvalidatedSignals
  /** Keys the ids, so that an id tells nothing about the hash it is made from. */
  readonly idSecret: Buffer
  /** Of an organisation; `undefined` for one that is unknown. */
  readonly kindOf: (orgId: string) => Promise<OrgKind | undefined>
  /** `undefined` where extended protection is off. */
  readonly detailing: Detailing | undefined
  readonly now: () => number
}

export function registrationIn({
  images,
  replica,
  ceilings,
  harmlessAmong,
  invalidatedSignals,
  idSecret,
  kindOf,
  detailing,
  now,
}: RegistrationParts): Registration {
  /** A bank may be removed, and its name another's, while something is handed in to it: a file may take an hour. */
  const putInto = async (bank: Bank, stored: readonly StoredImage[], run?: ImportRun) => {
    if (bank.orgId === undefined) return images.put(stored, run) // the deployment's own are always there
    const revision = await images.putInto(bank, stored, run)
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
    return { invalidated: await invalidatedSignals.refusedOf(bank.orgId, signals), mayReport: () => may }
  }
  const store = async (
    bank: Bank,
    added: readonly { readonly id: string; readonly given: NewSignal }[],
    run?: ImportRun,
  ) => {
    if (bank.orgId !== undefined) await ceilings.handIn(bank.orgId, added.length)
    return putInto(bank, await recordsOf(bank, added), run)
  }
  /** What a platform hands in is its own report: nobody who knows the person has vouched for it. */
  const tierFor = async ({ orgId }: Bank) =>
    orgId !== undefined && (await kindOf(orgId)) === 'platform' ? 'self-reported' : 'ngo-attested'
  const recordsOf = async (
    bank: Bank,
    added: readonly { readonly id: string; readonly given: NewSignal }[],
  ): Promise<StoredImage[]> => {
    const createdAtMs = now()
    const most = await tierFor(bank)
    const tierOf = (given: Tier | undefined) => (given === 'self-reported' ? given : most)
    return added.map(({ id, given: { signal, picture: signals = [signal], ref, category, tier: given } }) => ({
      id,
      image: { bank: bank.name, tier: tierOf(given), category, ref, createdAtMs, signals },
    }))
  }
  /** All of them with one visit to the store. @returns `undefined` when something stands against it, and it has to be asked what. */
  const storeUnasked = async (bank: Bank, added: readonly { readonly id: string; readonly given: NewSignal }[]) => {
    const { orgId } = bank
    if (orgId === undefined || ceilings.isCounted || added.length === 0) return undefined
    const digests = invalidatedSignals.digestsOf(signalsIn(added.map(({ given }) => given)))
    const objections = { ...ceilings.reporting(`org:${orgId}`), orgId, digests, atMs: now() }
    const revision = await images.putIntoUnless(bank, await recordsOf(bank, added), objections)
    if (revision === undefined) throw new Problem('bank-unknown')
    return revision === 'objected' ? undefined : revision
  }
  /** Is each picture near a harmless bank's signal, or blocked since an operator judged it harmless? */
  const vetoed = async (pictures: readonly (readonly Signal[])[]): Promise<boolean[]> => {
    const [alike, blocks] = await Promise.all([harmlessAmong(pictures), invalidatedSignals.blocksOf(pictures)])
    return alike.map((isAlike, i) => isAlike || blocks[i] !== undefined)
  }
  /** @returns the revisions of the tombstones, by the ids of what was there. */
  const erase = async (bank: Bank, ids: readonly string[], run: ImportRun | undefined): Promise<Map<string, number>> => {
    const found = ids.length === 0 ? [] : await images.get(ids)
    const own = ids.filter((_, i) => found[i]?.bank === bank.name)
    const guard = { bank: owned(bank), run }
    const revisions = await Promise.all(own.map((id) => images.erase(id, undefined, guard)))
    return new Map(own.flatMap((id, i) => (revisions[i] === undefined ? [] : [[id, revisions[i]]])))
  }

  return {
    takesDetails: ({ record }) => detailing !== undefined && record.extendedProtection,

    async forCase({ caseId, record, by }, given) {
      const isVetoed = await vetoed(given.map(({ signals }) => signals))
      const added = given.filter((_, i) => isVetoed[i] !== true)
      if (added.length === 0) return given.map(() => new Problem('known-harmless'))
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
      const outcome = await images.putForCase(caseId, stored, createdAtMs, by, reporting, ceilings.imagesOf(record))
      if (outcome === 'case-full' || outcome === 'account-suspended') throw new Problem(outcome)
      if (typeof outcome !== 'object') throw refusalOf(outcome, record)
      await replica.applied(outcome.revision)
      const ids = stored.map(({ id }) => id).values()
      return isVetoed.map((vetoed) => (vetoed ? undefined : ids.next().value) ?? new Problem('known-harmless'))
    },

    async forBank(bank, added) {
      const given = added.map((each) => ({ id: bankedIdOf(idSecret, bank.name, each), given: each }))
      const revision = await storeUnasked(bank, given)
      if (revision !== undefined) return { ids: given.map(({ id }) => id), revision }
      const { invalidated, mayReport } = await asked(bank, signalsIn(added))
      const taken = given.filter(({ given: { signal } }) => !invalidated.has(signal))
      const ids = given.map(({ id, given: { signal } }) => (invalidated.has(signal) ? undefined : id))
      if (taken.length === 0) return { ids, revision: 0 }
      await mayReport()
      return { ids, revision: await store(bank, taken) }
    },

    async changeBank(bank, changes, run) {
      const ids = await idsOfChanges({ images, secret: idSecret }, bank, changes)
      const last = new Map(ids.map((id, at) => [id, at]))
      const added = changes.flatMap((change) => (change.kind === 'put' ? itselfIn(change.signal) : []))
      const { invalidated, mayReport } = await asked(bank, added)
      const isInvalidated = (change: BankChange) =>
        change.kind === 'put' && itselfIn(change.signal).some((each) => invalidated.has(each))
      const invalidatedAt = new Set(changes.flatMap((change, at) => (isInvalidated(change) ? [at] : [])))
      const puts = [...last].flatMap(([id, at]) => {
        const change = changes[at]
        return change?.kind === 'put' && !invalidatedAt.has(at) ? [{ id, given: change.signal }] : []
      })
      if (puts.length > 0) await mayReport()
      const revision = puts.length === 0 ? 0 : await store(bank, puts, run)
      const removals = [...last].flatMap(([id, at]) => (changes[at]?.kind === 'put' ? [] : [id]))
      const gone = await erase(bank, removals, run)
      const absentAt = absentAmong(changes, ids, { invalidatedAt, isGone: (id) => gone.has(id) })
      return { removed: gone.size, invalidatedAt, absentAt, revision: Math.max(revision, ...gone.values()) }
    },

    isHeld: (id) => replica.catalogue.isSilent(id),

    signalIdFor: (bank, signal) => bankedIdOf(idSecret, bank.name, signal),

    async pictureForBank(bank, { signals, category, ref }) {
      if (await invalidatedSignals.refuses(bank.orgId, signals)) throw new Problem('signal-invalidated')
      if (bank.orgId !== undefined) {
        await ceilings.mayReport(`org:${bank.orgId}`)
        await ceilings.handIn(bank.orgId, 1)
      }
      const image: RegisteredImage = {
        bank: bank.name,
        tier: await tierFor(bank),
        category,
        ref,
        createdAtMs: now(),
        signals,
      }
      const id = pictureIdOf(idSecret, bank.name, signals, ref)
      return { id, revision: await putInto(bank, [{ id, image }]) }
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
      const revision = await images.erase(id, { act: 'signal.removed', by, about, atMs: now() }, { bank: owned(bank) })
      if (revision !== undefined) await replica.reached(revision)
    },
  }
}

/** The deployment's own banks are always the same. */
function owned(bank: Bank): Bank | undefined {
  return bank.orgId === undefined ? undefined : bank
}

function signalsIn(added: readonly NewSignal[]): Signal[] {
  return added.map(({ signal }) => signal)
}
