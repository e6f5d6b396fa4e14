// The trust parts: what is said about signals, what follows from matches, and who may report how much.

import type { OrgKind } from '../domain/organisations/access.js'
import { isVisibleTo } from '../domain/organisations/bank.js'
import { type Notices, noticesFrom } from '../services/cases/notices.js'
import { proofOfWork } from '../services/cases/proof-of-work.js'
import { ceilingsOf } from '../services/intake/quotas.js'
import { refusalsWith } from '../services/intake/resubmission-block.js'
import { type Sightings, sightingsKeptBy } from '../services/matching/match-recorder.js'
import { accountsFrom } from '../services/trust/accounts.js'
import { attestingOver } from '../services/trust/attesting.js'
import { type Tallies, talliesOver } from '../services/trust/daily-counts.js'
import { effectsIn } from '../services/trust/decision-effects.js'
import { insightsFrom } from '../services/trust/insights.js'
import { afterMatches } from '../services/trust/match-follow-up.js'
import { ownersIn } from '../services/trust/owner-of.js'
import { type PartyOf, partiesWith } from '../services/trust/parties.js'
import { type TrustService, trustOver } from '../services/trust/trust.js'
import { clocksIn } from '../store/cases/clocks.js'
import { proofsIn } from '../store/cases/proofs.js'
import type { ApiKeys } from '../store/organisations/api-keys.js'
import { appealsIn } from '../store/trust/appeals.js'
import { canariesIn } from '../store/trust/canaries.js'
import { type Contexts, contextsIn } from '../store/trust/contexts.js'
import { talliesIn } from '../store/trust/daily-counts.js'
import { sightingsIn } from '../store/trust/match-counts.js'
import { type Strikes, strikesIn } from '../store/trust/strikes.js'
import { type Events, eventsIn } from '../store/webhooks/events.js'
import type { IndexParts } from './index-parts.js'
import type { StoreParts } from './store-parts.js'

export type TrustParts = ReturnType<typeof createTrustParts>

/** How long what follows from a match may wait. */
const BATCH_EVERY_MS = 1000
/** How long counts for people to look at may wait. */
const TALLY_EVERY_MS = 5000
const TELL_OVERDUE_EVERY_MS = 15_000
const END_BLOCKS_EVERY_MS = 60_000

export function createTrustParts(parts: StoreParts, index: IndexParts) {
  const { options, lifecycle, store, keyring, secrets, images, cases, apiKeys, trusts, matchIds } = parts
  const { trustLimits: limits, now, onTrouble } = options
  const shared = {
    kindOf: kindsIn(apiKeys),
    partyOf: partiesWith(secrets.party),
    clocks: clocksIn(store),
    events: eventsIn(store),
    strikes: strikesIn(store),
    contexts: contextsIn(store, keyring, secrets.party),
  }
  const { kindOf, partyOf, clocks, events, strikes, contexts } = shared
  // Stopped after all that judges: what it judges last is counted too.
  const tallies = talliesOver({ tallies: talliesIn(store), everyMs: TALLY_EVERY_MS, now, onTrouble })
  lifecycle.keep('daily counts', tallies)
  const notices = noticesFrom({ clocks, cases, apiKeys, events, now, onTrouble })
  repeat('notices that are overdue', TELL_OVERDUE_EVERY_MS, () => notices.tell(), parts)
  const appeals = appealsIn(store)
  repeat('ends of blocks', END_BLOCKS_EVERY_MS, () => appeals.endBlocks(now()), parts)
  const trust = createTrust(parts, index, { ...shared, tallies, notices })
  const sightings = createSightings(parts, { ...shared, notices, trust })
  // Stopped before what it hands its last counts to.
  lifecycle.keep('sightings', sightings)
  return {
    kindOf,
    trust,
    tallies,
    appeals,
    events,
    sightings,
    ceilings: ceilingsOf({ strikes, limits, now }),
    async settled() {
      await Promise.all([sightings.flush(), tallies.flush()])
    },
    services: {
      trust,
      tallies,
      notices,
      attesting: attestingOver({ cases, clocks, images, trusts, apiKeys, matchIds, partyOf }),
      proofOfWork: proofOfWork({ proofs: proofsIn(store), secret: secrets.party, rounds: limits.proofRounds, now }),
      insights: insightsFrom({ contexts, now }),
      accounts: accountsFrom({ events, strikes, now }),
    },
  }
}

interface Shared {
  readonly kindOf: ReturnType<typeof kindsIn>
  readonly partyOf: PartyOf
  readonly events: Events
  readonly strikes: Strikes
  readonly contexts: Contexts
  readonly notices: Notices
}

function createTrust(
  { options, secrets, images, cases, apiKeys, trusts, caseEvents, matchIds }: StoreParts,
  { replica }: IndexParts,
  { partyOf, strikes, notices, tallies }: Shared & { readonly tallies: Tallies },
): TrustService {
  const { now, onTrouble } = options
  const ownerOf = ownersIn(cases, (bank) => replica.catalogue.banks.get(bank)?.orgId)
  const effects = effectsIn({ notices, strikes, caseEvents, ownerOf })
  return trustOver({
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
      tallies.said(change)
      return effects(change)
    },
  })
}

function createSightings(
  { options, store, images, trusts, caseEvents }: StoreParts,
  { kindOf, partyOf, events, contexts, notices, trust }: Shared & { readonly trust: TrustService },
): Sightings {
  const { now, onTrouble } = options
  const keep = afterMatches({
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
  })
  return sightingsKeptBy({ keep, everyMs: BATCH_EVERY_MS, onTrouble })
}

function repeat(name: string, everyMs: number, work: () => Promise<unknown>, { options, lifecycle }: StoreParts): void {
  const timer = setInterval(() => void work().catch(options.onTrouble), everyMs).unref()
  lifecycle.add(name, () => clearInterval(timer))
}

/** An organisation's kind never changes, so it is asked for once. */
function kindsIn(apiKeys: Pick<ApiKeys, 'org'>): (orgId: string) => Promise<OrgKind | undefined> {
  const known = new Map<string, OrgKind>()
  return async (orgId) => {
    const kind = known.get(orgId) ?? (await apiKeys.org(orgId))?.kind
    if (kind !== undefined) known.set(orgId, kind)
    return kind
  }
}
