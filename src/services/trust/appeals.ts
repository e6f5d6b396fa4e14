// Appeals of those who may not register a picture because it was judged harmless, and what an operator does about them.

import type { Appealed } from '../../domain/cases/appeal.js'
import type { Signal } from '../../domain/matching/signal.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import { HARMLESS_BANK_NAME } from '../../domain/organisations/bank.js'
import type { PageCursor } from '../../domain/page-place.js'
import { Problem } from '../../domain/problem.js'
import { REFUSED_FOR_MS } from '../../domain/trust/strikes.js'
import { trustStatusOf } from '../../domain/trust/trust.js'
import type { Images } from '../../store/images/images.js'
import type { Appeals, BlockPage, WaitingAppeal } from '../../store/trust/appeals.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { Events } from '../../store/webhooks/events.js'
import type { OwnCase } from '../cases/case-access.js'
import { refuseEnded } from '../cases/case-changes.js'
import type { Replica } from '../index/replica.js'
import type { InvalidatedSignals } from '../intake/resubmission-block.js'
import { type DueError, forEachDue, isTransient } from '../load/each-due.js'
import type { TrustService } from './trust.js'

export interface AppealService {
  /**
   * Appeals against what keeps a picture from being registered. A second appeal for the same picture is the same appeal, also
   * from another case; nothing of the picture or the case is kept with it. @returns `denied` when an operator has denied it.
   * @throws {Problem} appeal-unneeded, overloaded, case-withdrawn, case-expired
   */
  make(own: OwnCase, signals: readonly Signal[]): Promise<'open' | 'denied'>
  /** For operators: a page, those that wait longest first. */
  waiting(after: PageCursor | undefined, limit: number): Promise<AppealPage>
  /**
   * granted: what blocks the picture goes, with its digest; a decision is taken back, a harmless picture of the operator's is removed.
   * denied: it cannot be appealed again for half a year, or as long as the block stands. @throws {Problem} appeal-unknown
   */
  decide(about: Appealed, outcome: 'granted' | 'denied', by: AuditActor): Promise<void>
  /** A page, of pictures of cases that were judged harmless; those that end first, first. */
  blocks(after: PageCursor | undefined, limit: number): Promise<BlockPage>
  /** Its digest is in the store no longer when it returns. @throws {Problem} block-unknown */
  lift(blockId: string, by: AuditActor): Promise<void>
}

export interface AppealPage {
  readonly appeals: readonly WaitingAppeal[]
  /** Where the next page begins; `undefined` at the end. */
  readonly next: PageCursor | undefined
}

export interface AppealParts {
  readonly appeals: Appeals
  /** The id of a harmless image that a picture is too near to. */
  readonly harmlessLike: (signals: readonly Signal[]) => string | undefined
  readonly invalidatedSignals: Pick<InvalidatedSignals, 'blocksOf'>
  readonly images: Pick<Images, 'get' | 'erase'>
  readonly trusts: Pick<Trusts, 'get'>
  readonly trust: Pick<TrustService, 'reinstate'>
  readonly replica: Pick<Replica, 'reached'>
  readonly events: Pick<Events, 'add'>
  readonly now: () => number
  /** Told of appeals that wait and cannot be read. */
  readonly onError: (error: DueError) => void
}

const TOLD_AGAIN_AFTER_S = 86_400
const WAITING_AT_ONCE = 50

export function createAppeals(parts: AppealParts): AppealService {
  const { appeals, harmlessLike, invalidatedSignals, images, trusts, trust, replica, events, now, onError } = parts

  /** Does what an appeal is about keep anything from being registered still? */
  const isBlocking = async (about: Appealed): Promise<boolean> => {
    if ('blockId' in about) return ((await appeals.blockedUntil(about.blockId)) ?? 0) > now()
    const [image] = await images.get([about.signalId])
    if (image === undefined) return false
    return image.bank === HARMLESS_BANK_NAME || trustStatusOf((await trusts.get(about.signalId)).trust).harmless
  }

  const grant = async (about: Appealed, by: AuditActor): Promise<void> => {
    if ('blockId' in about) {
      await appeals.lift(about.blockId, 'granted', by, now())
      return
    }
    const { signalId } = about
    const [image] = await images.get([signalId])
    if (image?.bank !== HARMLESS_BANK_NAME) {
      await trust.reinstate(signalId, by)
      return
    }
    const entry = { act: 'signal.removed', by, about: { bank: image.bank, signalId }, atMs: now() } as const
    const revision = await images.erase(signalId, entry)
    if (revision !== undefined) await replica.reached(revision)
  }

  return {
    async make(own, signals) {
      refuseEnded(own, now())
      const signalId = harmlessLike(signals)
      const [digest] = signalId === undefined ? await invalidatedSignals.blocksOf([signals]) : []
      const about = signalId !== undefined ? { signalId } : digest && { blockId: digest.toString('hex') }
      if (about === undefined) throw new Problem('appeal-unneeded')
      const state = await appeals.put(about, now())
      if (state === 'full') throw new Problem('overloaded', { retryAfterS: 3600 })
      if (state === 'open') await events.add('appeal.made', { ...about }, now(), TOLD_AGAIN_AFTER_S)
      return state
    },
    async waiting(after, limit) {
      const page = await appeals.waiting(after, limit)
      const found = new Set<WaitingAppeal>()
      await forEachDue({
        what: 'appeals',
        take: page,
        async handle({ appeal }) {
          if (appeal === undefined) throw new Error('what waits is no appeal')
          if (await isBlocking(appeal.about)) found.add(appeal)
          else await appeals.drop(appeal.about, now())
        },
        atOnce: WAITING_AT_ONCE,
        onError: onError,
        isNotTheEntrys: isTransient,
      })
      return {
        appeals: page.flatMap(({ appeal }) => (appeal !== undefined && found.has(appeal) ? [appeal] : [])),
        next: page.length < limit ? undefined : page.at(-1)?.place,
      }
    },
    async decide(about, outcome, by) {
      if (!(await appeals.isWaiting(about))) throw new Problem('appeal-unknown')
      // First what it asks for: should this process end between, the appeal waits still and may be decided once more.
      if (outcome === 'granted' && (await isBlocking(about))) await grant(about, by)
      const untilMs = 'blockId' in about ? await appeals.blockedUntil(about.blockId) : undefined
      const deniedUntilMs = outcome === 'denied' ? (untilMs ?? now() + REFUSED_FOR_MS) : undefined
      await appeals.settle(about, deniedUntilMs, by, now())
    },
    blocks: (after, limit) => appeals.blocks(now(), after, limit),
    async lift(blockId, by) {
      if (!(await appeals.lift(blockId, 'lifted', by, now()))) throw new Problem('block-unknown')
    },
  }
}
