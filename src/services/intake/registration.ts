// Registers images of cases and banks. Images of a case are durable and matchable in this process when it returns.

import { type Bank, CASES_BANK_NAME } from '../../../packages/core/src/matching/bank.js'
import { withoutFalseWholes } from '../../../packages/core/src/matching/one-picture.js'
import type { Category, RegisteredImage, RegisteredVideo, Signal } from '../../../packages/core/src/matching/signal.js'
import type { RegisteredDetails } from '../../../packages/hash/src/details/details.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import type { BankChange, NewSignal } from '../../domain/organisations/bank-change.js'
import { Problem } from '../../domain/problem.js'
import type { StoredImage } from '../../store/images/image-reads.js'
import type { ImportRun } from '../../store/redis/guarded-writes.js'
import type { Events } from '../../store/webhooks/events.js'
import { absentAmong, idsOfChanges } from '../banks/bank-changes.js'
import type { OwnCase } from '../cases/case-access.js'
import { refusalOf, refuseEnded } from '../cases/case-changes.js'
import { bankedIdOf, fileIdOf, imageIdOf, pictureIdOf } from '../index/image-ids.js'
import type { Replica } from '../index/replica.js'
import {
  askStore,
  type BankStoringParts,
  eraseFrom,
  owned,
  putInto,
  storeIfAllowed,
  storeSignals,
  tierFor,
} from './bank-storing.js'
import { type Detailing, subjectGroupOfCase } from './prepare-details.js'

export interface NewImage {
  readonly signals: readonly Signal[]
  /** For a video: duration and frames. `signals` name the frame that they belong to. */
  readonly video?: RegisteredVideo
  /** Set for a video that was hashed from its file by the service, with the SHA-256 of it: the same file is the same video, sent at once or later. */
  readonly isFromFile?: true
  readonly category: Category | undefined
  /** Whether hashes were sent and no picture. */
  readonly isByHashes?: true
  /** Only for a case that `takesDetails`. */
  readonly details?: RegisteredDetails
}

export interface Registration {
  /** Whether extended protection is on in this deployment and for this case. */
  takesDetails(own: OwnCase): boolean
  /**
   * Registers pictures in a case; they are matchable in this process when it returns. Safe to repeat: a picture that the case already has (all 256
   * bits of its whole-view PDQ are equal) stays as it was. So does a video of the same file.
   * @returns the id of each image, in the order of `images`; `known-harmless` for a picture that was judged harmless, which is not registered.
   * @throws {Problem} case-withdrawn, case-expired, case-unknown, case-full, account-suspended, index-loading, store-unavailable.
   */
  forCase(own: OwnCase, images: readonly NewImage[]): Promise<(string | Problem)[]>
  /**
   * Registers each signal as an image of its own. Safe to repeat: the same signal is the same image.
   * Durable when it returns; matchable once `matchable(revision)` returns.
   * @throws {Problem} account-suspended, quota-exceeded; bank-unknown if the bank was removed meanwhile
   */
  forBank(
    bank: Bank,
    signals: readonly NewSignal[],
  ): Promise<{
    /** In the order of `signals`; `undefined` for a signal that was judged false and is blocked from resubmission. */
    readonly ids: (string | undefined)[]
    /** 0 when all signals were blocked. */
    readonly revision: number
  }>
  /**
   * Applies puts and tombstones, at most a few thousand. If several name one signal, the last one counts.
   * Durable when it returns; safe to repeat. Removes only signals of this bank, including those that currently match nothing; ignores other ids.
   * @param run the import that the changes belong to. Writes nothing once another attempt has taken over the import.
   * @throws {Problem} as `forBank`; idempotency-key-busy if another attempt has taken over.
   */
  changeBank(bank: Bank, changes: readonly BankChange[], run?: ImportRun): Promise<BankOutcome>
  /**
   * Whether this image is registered and matches nothing, because it is held, paused or invalidated. As far as this process knows.
   * @throws {Problem} index-loading, store-unavailable
   */
  isSilent(id: string): boolean
  /** The id that a signal has, or would have, in a bank. */
  signalIdFor(bank: Bank, signal: NewSignal): string
  /** Registers a picture's signals as one image; the same picture again is the same image. @throws {Problem} as `forBank`, signal-invalidated */
  pictureForBank(
    bank: Bank,
    picture: NewImage & { readonly ref: string | undefined },
  ): Promise<{ readonly id: string; readonly revision: number }>
  /** Waits until this process matches what was registered at `revision`. */
  matchable(revision: number): Promise<void>
  /** Waits until this process has applied what `changeBank` did at `revision`: removed signals no longer match. */
  settled(revision: number): Promise<void>
  /** Removes a signal; it no longer matches in this process when it returns. @throws {Problem} signal-unknown, also for another bank's signal. */
  removeFromBank(bank: Bank, id: string, by: AuditActor): Promise<void>
}

export interface BankOutcome {
  /** Number of signals that were removed. */
  readonly removed: number
  /** Indices of puts that were not applied, because the signal was judged false. */
  readonly invalidatedAt: ReadonlySet<number>
  /** Indices of removals of signals that the bank does not have. */
  readonly absentAt: ReadonlySet<number>
  /** 0 when nothing was changed. */
  readonly revision: number
}

export interface RegistrationParts extends BankStoringParts {
  readonly replica: Replica
  /** For each picture: is it near a signal of a harmless bank? @throws {Problem} index-loading, store-unavailable */
  readonly harmlessAmong: (pictures: readonly (readonly Signal[])[]) => Promise<boolean[]>
  /** Keys the ids, so that an id reveals nothing about the hash it is derived from. */
  readonly idSecret: Buffer
  /** `undefined` where extended protection is off. */
  readonly detailing: Detailing | undefined
  readonly events: Pick<Events, 'add'>
  /** Called with an error that fails no registration. */
  readonly onError: (error: unknown) => void
}

export function createRegistration(parts: RegistrationParts): Registration {
  const { replica, detailing, idSecret } = parts
  return {
    takesDetails: ({ record }) => detailing !== undefined && record.extendedProtection,
    forCase: forCaseIn(parts),
    ...bankRegistrationIn(parts),
    changeBank: changeBankIn(parts),
    isSilent: (id) => replica.catalogue.isSilent(id),

    signalIdFor: (bank, signal) => bankedIdOf(idSecret, bank.name, signal),

    matchable: (revision) => replica.applied(revision),

    settled: (revision) => replica.reached(revision),
  }
}

/** The operator is told once a day. */
const EVENT_INTERVAL_S = 2 * 86_400

function forCaseIn(parts: RegistrationParts): Registration['forCase'] {
  const { images, replica, quotas, idSecret, detailing, events, now, onError } = parts
  let toldOfDay: string | undefined
  return async ({ caseId, record, by }, given) => {
    const isVetoed = await vetoed(
      parts,
      given.map(({ signals }) => signals),
    )
    const added = given.filter((_, i) => isVetoed[i] !== true)
    if (added.length === 0) return given.map(() => new Problem('known-harmless'))
    const createdAtMs = now()
    refuseEnded({ record }, createdAtMs)
    const org = by === 'organisation' ? record.assistance?.orgId : undefined
    const reporting = quotas.reporting(org === undefined ? `case:${caseId}` : `org:${org}`)
    const stored: StoredImage[] = []
    const isVouchedFor = record.assistance !== undefined || record.isVouchedFor
    const room = added.some(({ isByHashes }) => isByHashes) ? quotas.roomOfDay(record) : undefined
    for (const { signals: given, category, video, details, isFromFile, isByHashes } of added) {
      const signals = isByHashes && !isVouchedFor ? withoutFalseWholes(given) : given
      const image: RegisteredImage = {
        bank: CASES_BANK_NAME,
        tier: by === 'organisation' && record.assistance?.isAttested === true ? 'ngo-attested' : 'self-reported',
        category: category ?? record.category,
        ref: undefined,
        caseId,
        createdAtMs,
        signals,
        ...(video !== undefined && { video }),
        ...(isByHashes && !isVouchedFor && { isByHashes }),
      }
      const kept = details === undefined ? undefined : await detailing?.keep(signals, details, subjectGroupOfCase(caseId))
      const id = isFromFile ? fileIdOf(idSecret, caseId, given) : imageIdOf(idSecret, caseId, given)
      stored.push({ id, image: { ...image, ...kept?.image }, ...kept?.beside })
    }
    const outcome = await images.putForCase(caseId, stored, createdAtMs, by, reporting, quotas.imagesOf(record), room)
    if (outcome === 'account-suspended') throw new Problem(outcome)
    if (outcome === 'day-full') {
      if (room !== undefined && toldOfDay !== room.day) {
        toldOfDay = room.day
        events.add('hashes.flooded', { day: room.day }, createdAtMs, EVENT_INTERVAL_S).catch(onError)
      }
      throw new Problem('case-full', { retryAfterS: quotas.dayEndsInS() })
    }
    if (outcome === 'case-full') {
      const retryAfterS = quotas.moreImagesInS(record)
      throw new Problem(outcome, retryAfterS === undefined ? {} : { retryAfterS })
    }
    if (typeof outcome !== 'object') throw refusalOf(outcome, record)
    await replica.applied(outcome.revision)
    const ids = stored.map(({ id }) => id).values()
    return isVetoed.map((isOut) => (isOut ? undefined : ids.next().value) ?? new Problem('known-harmless'))
  }
}

/** For each picture, whether it is near a harmless bank's signal, or blocked because an operator judged it harmless. */
async function vetoed(
  { harmlessAmong, invalidatedSignals }: RegistrationParts,
  pictures: readonly (readonly Signal[])[],
): Promise<boolean[]> {
  const [alike, blocked] = await Promise.all([harmlessAmong(pictures), invalidatedSignals.blockedInCases(pictures)])
  return alike.map((isAlike, i) => isAlike || blocked[i] === true)
}

function bankRegistrationIn(parts: RegistrationParts): Pick<Registration, 'forBank' | 'pictureForBank' | 'removeFromBank'> {
  const { images, replica, quotas, invalidatedSignals, idSecret, now } = parts
  return {
    async forBank(bank, added) {
      const given = added.map((each) => ({ id: bankedIdOf(idSecret, bank.name, each), given: each }))
      const revision = await storeIfAllowed(parts, bank, given)
      if (revision !== undefined) return { ids: given.map(({ id }) => id), revision }
      const { invalidated, mayReport } = await askStore(parts, bank, added)
      const taken = given.filter((each) => !invalidated.has(each.given))
      const ids = given.map(({ id, given }) => (invalidated.has(given) ? undefined : id))
      if (taken.length === 0) return { ids, revision: 0 }
      await mayReport()
      return { ids, revision: await storeSignals(parts, bank, taken) }
    },

    async pictureForBank(bank, { signals, category, ref, video }) {
      const [isBlocked] = await invalidatedSignals.blockedAmong(bank.orgId, [signals])
      if (isBlocked === true) throw new Problem('signal-invalidated')
      if (bank.orgId !== undefined) {
        await quotas.mayReport(`org:${bank.orgId}`)
        await quotas.handIn(bank.orgId, 1)
      }
      const image: RegisteredImage = {
        bank: bank.name,
        tier: await tierFor(parts, bank),
        category,
        ref,
        createdAtMs: now(),
        signals,
        ...(video !== undefined && { video }),
      }
      const id = pictureIdOf(idSecret, bank.name, signals, ref)
      return { id, revision: await putInto(parts, bank, [{ id, image }]) }
    },

    async removeFromBank(bank, id, by) {
      // An id never moves to another bank, so the store is asked only for an id that this process does not know.
      if (replica.bankOf(id) !== bank.name) {
        const [image] = await images.facts([id])
        if (image === undefined || image.bank !== bank.name) throw new Problem('signal-unknown')
      }
      const about = { bank: bank.name, signalId: id }
      const revision = await images.erase(id, { act: 'signal.removed', by, about, atMs: now() }, { bank: owned(bank) })
      if (revision !== undefined) await replica.reached(revision)
    },
  }
}

function changeBankIn(parts: RegistrationParts): Registration['changeBank'] {
  const { images, idSecret } = parts
  return async (bank, changes, run) => {
    const ids = await idsOfChanges({ images, secret: idSecret }, bank, changes)
    const last = new Map(ids.map((id, at) => [id, at]))
    const added = changes.flatMap((change) => (change.kind === 'put' ? [change.signal] : []))
    const { invalidated, mayReport } = await askStore(parts, bank, added)
    const invalidatedAt = new Set(
      changes.flatMap((change, at) => (change.kind === 'put' && invalidated.has(change.signal) ? [at] : [])),
    )
    const puts = [...last].flatMap(([id, at]) => {
      const change = changes[at]
      return change?.kind === 'put' && !invalidatedAt.has(at) ? [{ id, given: change.signal }] : []
    })
    if (puts.length > 0) await mayReport()
    const revision = puts.length === 0 ? 0 : await storeSignals(parts, bank, puts, run)
    const removals = [...last].flatMap(([id, at]) => (changes[at]?.kind === 'put' ? [] : [id]))
    const gone = await eraseFrom(parts, bank, removals, run)
    const absentAt = absentAmong(changes, ids, { invalidatedAt, isGone: (id) => gone.has(id) })
    return { removed: gone.size, invalidatedAt, absentAt, revision: Math.max(revision, ...gone.values()) }
  }
}
