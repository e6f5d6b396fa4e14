// Appeals of submitters whose picture cannot be registered because it was judged harmless, and the operator's decisions.

import { CASES_BANK_NAME } from '../../../packages/core/src/matching/bank.js'
import { durationSOf, type Signal } from '../../../packages/core/src/matching/signal.js'
import type { Appealed, AppealState } from '../../domain/cases/appeal.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import type { PageCursor } from '../../domain/page-cursor.js'
import { Problem } from '../../domain/problem.js'
import { isJudged } from '../../domain/trust/recognition.js'
import { BLOCKED_FOR_MS } from '../../domain/trust/strikes.js'
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
   * Appeals against the block or harmless signal that keeps a picture from being registered. There is one appeal per block or signal, even if several
   * cases appeal. It stores neither the picture nor the case.
   * @returns `denied` if an operator has already denied it.
   * @throws {Problem} appeal-unneeded, overloaded, case-withdrawn, case-expired
   */
  make(own: OwnCase, signals: readonly Signal[]): Promise<AppealState>
  /**
   * The same for a registered image that is not recognised: against the decision about it, or the harmless signal that an operator listed.
   * @throws {Problem} as `make`; signal-unknown for an image of another case; index-loading
   */
  makeFor(own: OwnCase, imageId: string): Promise<AppealState>
  /** For operators: a page of open appeals, longest waiting first. Drops appeals whose block no longer exists. */
  waiting(after: PageCursor | undefined, limit: number): Promise<AppealPage>
  /**
   * `granted` removes the obstacle: lifts the block and deletes its digest, reverses the decision, or removes the signal from the harmless bank.
   * `denied` refuses further appeals for as long as the block lasts; without a block, for half a year.
   * @throws {Problem} appeal-unknown
   */
  decide(about: Appealed, outcome: 'granted' | 'denied', by: AuditActor): Promise<void>
  /** A page of blocks on case pictures that were judged harmless, soonest expiry first. */
  blocks(after: PageCursor | undefined, limit: number): Promise<BlockPage>
  /** Lifts a block. Its digest is deleted from the store when this returns. @throws {Problem} block-unknown */
  lift(blockId: string, by: AuditActor): Promise<void>
}

/** An appeal, and facts about its subject. */
export type ListedAppeal = WaitingAppeal & {
  /** Only for a registered video. */
  readonly durationS: number | undefined
  /** Only for a block: how many frames it has. */
  readonly frames: number | undefined
}

export interface AppealPage {
  readonly appeals: readonly ListedAppeal[]
  /** Cursor of the next page; `undefined` on the last page. */
  readonly next: PageCursor | undefined
}

export interface AppealParts {
  readonly appeals: Appeals
  /** The id of a harmless image that the picture is near to, as `harmlessLike`. */
  readonly harmlessLike: (signals: readonly Signal[], which: 'listed' | 'judged-too') => string | undefined
  readonly invalidatedSignals: Pick<InvalidatedSignals, 'blockToAppeal'>
  readonly images: Pick<Images, 'facts' | 'get' | 'erase'>
  readonly trusts: Pick<Trusts, 'get'>
  readonly trust: Pick<TrustService, 'reinstate'>
  readonly replica: Pick<Replica, 'reached'>
  readonly events: Pick<Events, 'add'>
  readonly now: () => number
  /** Called when open appeals cannot be read. */
  readonly onError: (error: DueError) => void
}

/** Minimum time between two events about one appeal. */
const EVENT_INTERVAL_S = 86_400
const WAITING_AT_ONCE = 50

export function createAppeals(parts: AppealParts): AppealService {
  const { appeals, harmlessLike, invalidatedSignals, images, trusts, events, now, onError } = parts
  const blocking = blockingIn(parts)
  const grant = grantIn(parts)
  const put = async (about: Appealed | undefined): Promise<AppealState> => {
    if (about === undefined) throw new Problem('appeal-unneeded')
    const state = await appeals.put(about, now())
    if (state === 'full') throw new Problem('overloaded', { retryAfterS: 3600 })
    if (state === 'open') await events.add('appeal.made', { ...about }, now(), EVENT_INTERVAL_S)
    return state
  }

  return {
    async make(own, signals) {
      refuseEnded(own, now())
      const signalId = harmlessLike(signals, 'judged-too')
      const digest = signalId === undefined ? await invalidatedSignals.blockToAppeal(signals) : undefined
      return await put(
        signalId !== undefined ? { signalId } : digest && { blockId: await blockIdOf(appeals, digest.toString('hex')) },
      )
    },
    async makeFor(own, imageId) {
      refuseEnded(own, now())
      const [image] = await images.get([imageId])
      if (image?.caseId !== own.caseId) throw new Problem('signal-unknown')
      if (isJudged((await trusts.get(imageId)).trust)) return await put({ signalId: imageId })
      const signalId = harmlessLike(image.signals, 'listed')
      return await put(signalId === undefined ? undefined : { signalId })
    },
    async waiting(after, limit) {
      const page = await appeals.waiting(after, limit)
      const found = new Map<WaitingAppeal, ListedAppeal>()
      await forEachDue({
        what: 'appeals',
        take: page,
        async handle({ appeal }) {
          if (appeal === undefined) throw new Error('an open appeal cannot be read')
          const facts = await blocking(appeal.about)
          if (facts === undefined) await appeals.drop(appeal.about, now())
          else found.set(appeal, { ...appeal, ...facts })
        },
        atOnce: WAITING_AT_ONCE,
        onError,
        isNotAboutTheEntry: isTransient,
      })
      return {
        appeals: page.flatMap(({ appeal }) => (appeal && found.get(appeal)) ?? []),
        next: page.length < limit ? undefined : page.at(-1)?.cursor,
      }
    },
    async decide(about, outcome, by) {
      if (!(await appeals.isWaiting(about))) throw new Problem('appeal-unknown')
      // The grant comes first: if this process ends before the appeal is settled, the appeal stays open and can be decided again.
      if (outcome === 'granted' && (await blocking(about)) !== undefined) await grant(about, by)
      const untilMs = 'blockId' in about ? (await appeals.block(about.blockId))?.untilMs : undefined
      const deniedUntilMs = outcome === 'denied' ? (untilMs ?? now() + BLOCKED_FOR_MS) : undefined
      await appeals.settle(about, deniedUntilMs, by, now())
    },
    blocks: (after, limit) => appeals.blocks(now(), after, limit),
    async lift(blockId, by) {
      if (!(await appeals.lift(blockId, 'lifted', by, now()))) throw new Problem('block-unknown')
    },
  }
}

/** @returns facts about the block or signal; `undefined` if it no longer keeps a picture from being registered or recognised. */
function blockingIn({ appeals, images, trusts, now }: AppealParts) {
  return async (about: Appealed): Promise<Pick<ListedAppeal, 'durationS' | 'frames'> | undefined> => {
    if ('blockId' in about) {
      const block = await appeals.block(about.blockId)
      return block === undefined || block.untilMs <= now() ? undefined : { durationS: undefined, frames: block.frames }
    }
    const [image] = await images.facts([about.signalId])
    if (image === undefined) return undefined
    // Of other banks only harmless signals are appealed against.
    const isBlocking = image.bank !== CASES_BANK_NAME || isJudged((await trusts.get(about.signalId)).trust)
    return isBlocking ? { durationS: durationSOf(image.video), frames: undefined } : undefined
  }
}

function grantIn({ appeals, images, trust, replica, now }: AppealParts) {
  return async (about: Appealed, by: AuditActor): Promise<void> => {
    if ('blockId' in about) {
      await appeals.lift(about.blockId, 'granted', by, now())
      return
    }
    const { signalId } = about
    const [image] = await images.facts([signalId])
    if (image === undefined) throw new Problem('signal-unknown')
    if (image.bank === CASES_BANK_NAME) {
      await trust.reinstate(signalId, by)
      return
    }
    const entry = { act: 'signal.removed', by, about: { bank: image.bank, signalId }, atMs: now() } as const
    const revision = await images.erase(signalId, entry)
    if (revision !== undefined) await replica.reached(revision)
  }
}

/** @returns the digest itself if its block has just ended: the appeal is dropped when it is listed. */
async function blockIdOf(appeals: Pick<Appeals, 'block'>, digest: string): Promise<string> {
  return (await appeals.block(digest))?.blockId ?? digest
}
