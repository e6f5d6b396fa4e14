// Adds verdicts, disputes and attestations to a case's time line: what happened and how many organisations, never which ones.

import type { CaseEventKind } from '../../domain/cases/case-event.js'
import { supportOf, type Trust, verdictOf } from '../../domain/trust/trust.js'
import type { CaseEvents } from '../../store/cases/case-events.js'
import type { TrustChange } from './trust-changes.js'

/** Adds a change to the time line of the picture's case. Does nothing for a picture of a bank. */
export async function tellCase(caseEvents: Pick<CaseEvents, 'add'>, change: TrustChange): Promise<void> {
  const { caseId } = change.image
  if (caseId === undefined || change.before === change.after) return
  const isDropped = change.before.dispute === 'open' && change.after.dispute === 'none'
  if (isDropped) await caseEvents.add(caseId, 'dispute-dropped', 1, change.atMs)
  const news = newsOf(change)
  if (news === undefined) return
  const about = 'pseudonym' in change.action && change.action.kind !== 'attest' ? change.action.pseudonym : undefined
  await caseEvents.add(caseId, news.kind, news.count, change.atMs, about)
}

function newsOf({
  action,
  before,
  after,
}: TrustChange): { readonly kind: CaseEventKind; readonly count: number } | undefined {
  const support = supportOf(after)
  switch (action.kind) {
    case 'verdict':
      if (!action.counts) return undefined
      if (action.verdict === 'blocked') return { kind: 'blocked', count: support.confirmations }
      if (action.verdict === 'auto-blocked') return { kind: 'auto-blocked', count: autoBlockedBy(after) }
      return action.verdict === 'not-blocked' ? { kind: 'not-blocked', count: support.notBlocked } : undefined
    case 'dispute':
      return before.dispute === 'open' && !hasDecided(before, action) ? undefined : { kind: 'disputed', count: 1 }
    case 'decide':
    case 'reinstate':
      return { kind: 'dispute-decided', count: 1 }
    case 'attest':
      return { kind: 'attested', count: 1 }
    default:
      return undefined
  }
}

const autoBlockedBy = ({ verdicts }: Trust): number =>
  verdicts.filter(({ verdict, counts }) => counts && verdict === 'auto-blocked').length

/** Whether the time line says that this platform blocked a copy, or left it up. */
function hasDecided(
  before: Trust,
  { pseudonym, counts }: { readonly pseudonym: string; readonly counts: boolean },
): boolean {
  const verdict = verdictOf(before, pseudonym)
  return counts && (verdict === 'blocked' || verdict === 'not-blocked' || verdict === 'auto-blocked')
}
