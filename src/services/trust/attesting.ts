// What waits for an NGO to vouch for it: pictures of cases that it opened for somebody, or whose notice names it as her contact.

import { organisationMay } from '../../domain/cases/assistance.js'
import type { Category, Tier } from '../../domain/matching/signal.js'
import type { Caller } from '../../domain/organisations/access.js'
import { Problem } from '../../domain/problem.js'
import { tierOf } from '../../domain/trust/tier.js'
import { supportOf } from '../../domain/trust/trust.js'
import type { AssistedCase, Cases } from '../../store/cases/cases.js'
import type { DeadlineStore } from '../../store/cases/deadlines.js'
import type { Images, StoredImage } from '../../store/images/images.js'
import type { ApiKeys } from '../../store/organisations/api-keys.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { MatchIds } from '../matching/match-ids.js'
import type { PseudonymOf } from './pseudonyms.js'

export const HANDS = ['opened', 'contact'] as const

export interface WaitingSignal {
  readonly signalId: string
  /** With which it is vouched for: this organisation's own. */
  readonly matchId: string
  /** As the answer to its opening named it. */
  readonly caseId: string
  /** The organisation opened the case, or the notice names it. */
  readonly because: (typeof HANDS)[number]
  readonly category: Category | undefined
  readonly tier: Tier
  readonly disputed: boolean
  readonly registeredAtMs: number
}

/** Where a page ended. */
export interface AttestingPlace extends AssistedCase {
  readonly registeredAtMs: number
  readonly signalId: string
}

export interface Attesting {
  /**
   * Case by case, in the order in which they came into the organisation's hands; the pictures of each, the oldest first.
   * @throws {Problem} organisation-kind-forbidden: only an NGO vouches.
   * Cost: opens the sealed record of each picture of the cases that are looked through, up to the end of the page.
   */
  waiting(
    caller: Caller,
    after: AttestingPlace | undefined,
    limit: number,
  ): Promise<{ readonly signals: readonly WaitingSignal[]; readonly next: AttestingPlace | undefined }>
}

export interface AttestingParts {
  readonly cases: Pick<Cases, 'get' | 'assistedBy'>
  readonly deadlines: Pick<DeadlineStore, 'notice'>
  readonly images: Pick<Images, 'ofCase'>
  readonly trusts: Pick<Trusts, 'get'>
  readonly apiKeys: Pick<ApiKeys, 'org'>
  readonly matchIds: Pick<MatchIds, 'idFor'>
  readonly pseudonymOf: PseudonymOf
}

const CASES_AT_ONCE = 100

export function createAttesting({
  cases,
  deadlines,
  images,
  trusts,
  apiKeys,
  matchIds,
  pseudonymOf,
}: AttestingParts): Attesting {
  /** How a case is in this organisation's hands at this moment; what the store lists may be of before a handover or another notice. */
  const becauseOf = async (caseId: string, orgId: string): Promise<WaitingSignal['because'] | undefined> => {
    const record = await cases.get(caseId)
    if (record === undefined || record.end !== undefined) return undefined
    const { assistance } = record
    if (assistance?.orgId === orgId && organisationMay(assistance) !== 'nothing') return 'opened'
    const notice = await deadlines.notice(caseId)
    return notice?.contactOrgId === orgId ? 'contact' : undefined
  }

  const waitingIn = async (assisted: AssistedCase, orgId: string): Promise<WaitingSignal[]> => {
    const because = await becauseOf(assisted.caseId, orgId)
    if (because === undefined) return []
    const stored = (await images.ofCase(assisted.caseId)).toSorted(byTime)
    // What it vouched for when it handed it in does not count twice.
    const open = stored.filter(({ image }) => because !== 'opened' || image.tier !== 'ngo-attested')
    const trusted = await Promise.all(open.map(({ id }) => trusts.get(id)))
    return open.flatMap(({ id, image }, k): WaitingSignal[] => {
      const trust = trusted[k]?.trust
      if (trust === undefined || trust.circulation === 'invalidated' || trust.attestedBy.includes(pseudonymOf(orgId, id)))
        return []
      return [
        {
          signalId: id,
          matchId: matchIds.idFor(orgId, id),
          caseId: assisted.caseId,
          because,
          category: image.category,
          tier: tierOf(image.tier, supportOf(trust)),
          disputed: trust.dispute === 'open',
          registeredAtMs: image.createdAtMs,
        },
      ]
    })
  }

  async function* allFrom(orgId: string, after: AttestingPlace | undefined) {
    // A page may have ended within a case.
    if (after !== undefined) {
      const { caseId, sinceMs } = after
      for (const each of await placedIn({ caseId, sinceMs }, orgId)) if (isBehind(each.signal, after)) yield each
    }
    for (let from: AssistedCase | undefined = after; ; ) {
      const assisted: AssistedCase[] = await cases.assistedBy(orgId, from, CASES_AT_ONCE)
      for (const each of assisted) yield* await placedIn(each, orgId)
      if (assisted.length < CASES_AT_ONCE) return
      from = assisted.at(-1)
    }
  }

  const placedIn = async (assisted: AssistedCase, orgId: string) =>
    (await waitingIn(assisted, orgId)).map((signal) => {
      const { registeredAtMs, signalId } = signal
      return { signal, place: { ...assisted, registeredAtMs, signalId } }
    })

  return {
    async waiting({ orgId }, after, limit) {
      if ((await apiKeys.org(orgId))?.kind !== 'ngo') throw new Problem('organisation-kind-forbidden')
      const found: { readonly signal: WaitingSignal; readonly place: AttestingPlace }[] = []
      for await (const each of allFrom(orgId, after)) if (found.push(each) > limit) break
      const page = found.slice(0, limit)
      return { signals: page.map(({ signal }) => signal), next: found.length > limit ? page.at(-1)?.place : undefined }
    },
  }
}

function byTime(a: StoredImage, b: StoredImage): number {
  return a.image.createdAtMs - b.image.createdAtMs || (a.id < b.id ? -1 : 1)
}

function isBehind({ registeredAtMs, signalId }: WaitingSignal, after: AttestingPlace): boolean {
  return registeredAtMs > after.registeredAtMs || (registeredAtMs === after.registeredAtMs && signalId > after.signalId)
}
