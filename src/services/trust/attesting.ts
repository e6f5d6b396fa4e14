// Lists the pictures that an NGO may attest: those of cases that it opened for a submitter, or whose notice names it as contact.

import { type Category, durationSOf, type RegisteredFacts, type Tier } from '../../../packages/core/src/matching/signal.js'
import { organisationMay } from '../../domain/cases/assistance.js'
import type { Caller } from '../../domain/organisations/access.js'
import { Problem } from '../../domain/problem.js'
import { tierOf } from '../../domain/trust/tier.js'
import { supportOf } from '../../domain/trust/trust.js'
import type { AssistedCase, Cases } from '../../store/cases/cases.js'
import type { DeadlineStore } from '../../store/cases/deadlines.js'
import type { StoredImage } from '../../store/images/image-reads.js'
import type { Images } from '../../store/images/images.js'
import type { ApiKeys } from '../../store/organisations/api-keys.js'
import type { Trusts } from '../../store/trust/trust.js'
import type { MatchIds } from '../matching/match-ids.js'
import type { PseudonymOf } from './pseudonyms.js'

export const ATTESTATION_REASONS = ['opened', 'contact'] as const

export interface WaitingSignal {
  readonly signalId: string
  /** This organisation's match id of the image, used to attest it. */
  readonly matchId: string
  /** As returned when the case was opened. */
  readonly caseId: string
  /** Why it is listed: the organisation opened the case, or the notice names it as contact. */
  readonly because: (typeof ATTESTATION_REASONS)[number]
  readonly category: Category | undefined
  readonly tier: Tier
  readonly disputed: boolean
  readonly registeredAtMs: number
  /** Only for videos. */
  readonly durationS: number | undefined
}

/** Cursor: the last signal of a page. */
export interface AttestingCursor extends AssistedCase {
  readonly registeredAtMs: number
  readonly signalId: string
}

export interface Attesting {
  /**
   * A page of pictures to attest: cases in the order in which the organisation got them; within a case oldest first.
   * @throws {Problem} organisation-kind-forbidden unless the caller is an NGO.
   * A page ends early after `MAX_CASES_READ` cases, because anybody may name an NGO in cases without pictures.
   * Cost: opens the sealed record of each picture of these cases.
   */
  waiting(
    caller: Caller,
    after: AttestingCursor | undefined,
    limit: number,
  ): Promise<{ readonly signals: readonly WaitingSignal[]; readonly next: AttestingCursor | undefined }>
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
const MAX_CASES_READ = 500
/** Behind all pictures of a case. */
const AFTER_ALL = { registeredAtMs: 999_999_999_999_999, signalId: 'f'.repeat(36) }

export function createAttesting({
  cases,
  deadlines,
  images,
  trusts,
  apiKeys,
  matchIds,
  pseudonymOf,
}: AttestingParts): Attesting {
  /**
   * Why the organisation may attest a case; `undefined` if it may not any more: the store's list may be outdated, after a handover or another notice.
   */
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
    const stored: Facts[] = []
    for await (const some of images.ofCase(assisted.caseId)) stored.push(...some.map(factsOf))
    // Pictures that it registered as attested need no second attestation.
    const open = stored.filter(({ image }) => because !== 'opened' || image.tier !== 'ngo-attested').sort(byTime)
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
          durationS: durationSOf(image.video),
        },
      ]
    })
  }

  const placedIn = async (assisted: AssistedCase, orgId: string) =>
    (await waitingIn(assisted, orgId)).map((signal) => {
      const { registeredAtMs, signalId } = signal
      return { signal, place: { ...assisted, registeredAtMs, signalId } }
    })

  return {
    async waiting({ orgId }, after, limit) {
      if ((await apiKeys.org(orgId))?.kind !== 'ngo') throw new Problem('organisation-kind-forbidden')
      const signals: WaitingSignal[] = []
      let last: AttestingCursor | undefined
      for await (const { signal, place } of allFrom(cases, (each) => placedIn(each, orgId), orgId, after)) {
        if (signal === undefined) return { signals, next: place }
        if (signals.length === limit) return { signals, next: last }
        signals.push(signal)
        last = place
      }
      return { signals, next: undefined }
    },
  }
}

interface Placed {
  readonly signal: WaitingSignal | undefined
  readonly place: AttestingCursor
}

/** Yields the place behind a case without a signal once `MAX_CASES_READ` were read. */
async function* allFrom(
  cases: AttestingParts['cases'],
  placedIn: (assisted: AssistedCase) => Promise<readonly Placed[]>,
  orgId: string,
  after: AttestingCursor | undefined,
): AsyncGenerator<Placed, void, void> {
  // The previous page may have ended within a case.
  if (after !== undefined) {
    const { caseId, sinceMs } = after
    for (const each of await placedIn({ caseId, sinceMs })) if (isAfter(each.place, after)) yield each
  }
  let read = 0
  for (let from: AssistedCase | undefined = after; ; ) {
    const assisted: AssistedCase[] = await cases.assistedBy(orgId, from, CASES_AT_ONCE)
    for (const each of assisted) yield* await placedIn(each)
    from = assisted.at(-1)
    if (from === undefined || assisted.length < CASES_AT_ONCE) return
    read += assisted.length
    if (read >= MAX_CASES_READ) return yield { signal: undefined, place: { ...from, ...AFTER_ALL } }
  }
}

/** The listed facts of an image, without its hashes. */
interface Facts {
  readonly id: string
  readonly image: Pick<StoredImage['image'], 'tier' | 'category' | 'createdAtMs'> & Pick<RegisteredFacts, 'video'>
}

function factsOf({ id, image: { tier, category, createdAtMs, video } }: StoredImage): Facts {
  return { id, image: { tier, category, createdAtMs, ...(video && { video: { durationMs: video.durationMs } }) } }
}

function byTime(a: Facts, b: Facts): number {
  return a.image.createdAtMs - b.image.createdAtMs || (a.id < b.id ? -1 : 1)
}

function isAfter({ registeredAtMs, signalId }: AttestingCursor, after: AttestingCursor): boolean {
  return registeredAtMs > after.registeredAtMs || (registeredAtMs === after.registeredAtMs && signalId > after.signalId)
}
