// Effects of a decision about a signal beyond the signal itself. Each effect may safely happen twice, so repeating a decision completes effects that
// a crash interrupted.

import { accountOf } from '../../domain/trust/strikes.js'
import { isMistake, verdictOf } from '../../domain/trust/trust.js'
import type { Verdict } from '../../domain/trust/verdict.js'
import type { CaseEvents } from '../../store/cases/case-events.js'
import type { Strikes } from '../../store/trust/strikes.js'
import type { Notices } from '../cases/notices.js'
import type { OwnerOf, TrustChange } from './trust-changes.js'
import { tellCase } from './trust-news.js'

export interface EffectParts {
  readonly notices: Pick<Notices, 'decided'>
  readonly strikes: Pick<Strikes, 'add' | 'takeBack'>
  readonly caseEvents: Pick<CaseEvents, 'add'>
  readonly ownerOf: OwnerOf
}

/** Stops deadlines, adds or withdraws strikes, and adds to the time line of the case. */
export function createDecisionEffects({ notices, strikes, caseEvents, ownerOf }: EffectParts) {
  return async (change: TrustChange): Promise<void> => {
    const { action, after, image, imageId, orgId, atMs } = change
    const verdict = verdictIn(change)
    if (verdict !== undefined && orgId !== undefined) await notices.decided(imageId, image, orgId, verdict)
    if (action.kind === 'decide' && after.dispute === 'upheld' && !isMistake(after)) {
      const account = accountOf(image, await ownerOf(image))
      if (account !== undefined) await strikes.add(account, imageId, atMs)
    }
    if (action.kind === 'reinstate') {
      const account = accountOf(image, await ownerOf(image))
      if (account !== undefined) await strikes.takeBack(account, imageId)
    }
    await tellCase(caseEvents, change)
  }
}

/** The verdict that stands: a program's does not replace a person's. */
function verdictIn({ action, after }: TrustChange): Verdict | undefined {
  return action.kind === 'verdict' || action.kind === 'dispute' ? verdictOf(after, action.pseudonym) : undefined
}
