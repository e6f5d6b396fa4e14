// The parts of trust put together: what is said about signals, what follows from matches, and who may report how much.

import type { OrgKind } from './domain/organisations/access.js'
import { isVisibleTo } from './domain/organisations/bank.js'
import { noticesFrom } from './services/cases/notices.js'
import { proofOfWork } from './services/cases/proof-of-work.js'
import type { Replica } from './services/index/replica.js'
import { type CeilingLimits, ceilingsOf } from './services/intake/quotas.js'
import { refusalsWith } from './services/intake/resubmission-block.js'
import type { MatchIds } from './services/matching/match-ids.js'
import { sightingsKeptBy } from './services/matching/match-recorder.js'
import { attestingOver } from './services/trust/attesting.js'
import { effectsIn } from './services/trust/decision-effects.js'
import { afterMatches } from './services/trust/match-follow-up.js'
import { ownersIn } from './services/trust/owner-of.js'
import type { PartyOf } from './services/trust/parties.js'
import { type TrustService, trustOver } from './services/trust/trust.js'
import type { TrustChange } from './services/trust/trust-changes.js'
import type { CaseEvents } from './store/cases/case-events.js'
import type { Cases } from './store/cases/cases.js'
import { clocksIn } from './store/cases/clocks.js'
import { proofsIn } from './store/cases/proofs.js'
import type { Images } from './store/images/images.js'
import type { ApiKeys } from './store/organisations/api-keys.js'
import type { Store } from './store/redis/client.js'
import type { Keyring } from './store/sealing/seal.js'
import type { Secrets } from './store/sealing/secrets.js'
import { appealsIn } from './store/trust/appeals.js'
import { canariesIn } from './store/trust/canaries.js'
import { contextsIn } from './store/trust/contexts.js'
import { sightingsIn } from './store/trust/match-counts.js'
import { strikesIn } from './store/trust/strikes.js'
import type { Trusts } from './store/trust/trust.js'
import { eventsIn } from './store/webhooks/events.js'

export interface TrustLimits extends CeilingLimits {
  /** Work that opening a case costs, in rounds; 0 for none. */
  readonly proofRounds: number
}

export interface TrustPartsNeeded {
  readonly store: Store
  readonly keyring: Keyring
  readonly secrets: Secrets
  readonly images: Images
  readonly cases: Cases
  readonly apiKeys: ApiKeys
  readonly kindOf: ReturnType<typeof kindsIn>
  readonly trusts: Trusts
  readonly caseEvents: CaseEvents
  readonly replica: Replica
  readonly matchIds: MatchIds
  readonly partyOf: PartyOf
  readonly limits: TrustLimits
  /** Told of each change, before what follows from it. Waits for nothing. */
  readonly onSaid: (change: TrustChange) => void
  readonly now: () => number
  readonly onTrouble: (error: unknown) => void
}

/** How long what follows from a match may wait. */
const BATCH_EVERY_MS = 1000
const TELL_OVERDUE_EVERY_MS = 15_000
const END_BLOCKS_EVERY_MS = 60_000

export function trustParts(needed: TrustPartsNeeded) {
  const { store, keyring, secrets, images, cases, apiKeys, trusts, caseEvents, replica, matchIds, partyOf, limits } = needed
  const { kindOf, now, onTrouble } = needed
  const events = eventsIn(store)
  const strikes = strikesIn(store)
  const contexts = contextsIn(store, keyring, secrets.party)
  const clocks = clocksIn(store)
  const notices = noticesFrom({ clocks, cases, apiKeys, events, now, onTrouble })

  const ownerOf = ownersIn(cases, (bank) => replica.catalogue.banks.get(bank)?.orgId)
  const effects = effectsIn({ notices, strikes, caseEvents, ownerOf })
  const trust: TrustService = trustOver({
    trusts,
    images,
    apiKeys,
    replica,
    ownerOf,
    mayKnow(name, orgId) {
      const bank = replica.catalogue.banks.get(name)
      return bank !== undefined && isVisibleTo(bank, orgId)
    },
    matchIds,
    partyOf,
    clocksOf: notices.running,
    refusalOf: refusalsWith(secrets.signalId),
    now,
    onTrouble,
    onChange: (change) => {
      needed.onSaid(change)
      return effects(change)
    },
  })
  const sightings = sightingsKeptBy({
    keep: afterMatches({
      sightings: sightingsIn(store),
      contexts,
      images,
      trusts,
      trust,
      caseEvents,
      events,
      canaries: canariesIn(store),
      isPlatform: async (orgId) => (await kindOf(orgId)) === 'platform',
      partyOf,
      onMet: notices.met,
      now,
      onTrouble,
    }),
    everyMs: BATCH_EVERY_MS,
    onTrouble,
  })
  const telling = setInterval(() => void notices.tell().catch(onTrouble), TELL_OVERDUE_EVERY_MS).unref()
  const appeals = appealsIn(store)
  const ending = setInterval(() => void appeals.endBlocks(now()).catch(onTrouble), END_BLOCKS_EVERY_MS).unref()

  return {
    trust,
    appeals,
    notices,
    attesting: attestingOver({ cases, clocks, images, trusts, apiKeys, matchIds, partyOf }),
    events,
    strikes,
    contexts,
    sightings,
    ceilings: ceilingsOf({ strikes, limits, now }),
    proofOfWork: proofOfWork({ proofs: proofsIn(store), secret: secrets.party, rounds: limits.proofRounds, now }),
    async close(): Promise<void> {
      clearInterval(telling)
      clearInterval(ending)
      await sightings.close()
    },
  }
}

/** An organisation's kind never changes, so it is asked for once. */
export function kindsIn(apiKeys: Pick<ApiKeys, 'org'>): (orgId: string) => Promise<OrgKind | undefined> {
  const known = new Map<string, OrgKind>()
  return async (orgId) => {
    const kind = known.get(orgId) ?? (await apiKeys.org(orgId))?.kind
    if (kind !== undefined) known.set(orgId, kind)
    return kind
  }
}
