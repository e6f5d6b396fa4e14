// The trust parts: verdicts about signals, effects of matches, and quotas for reports.

import { isVisibleTo } from '../../packages/core/src/matching/bank.js'
import type { OrgKind } from '../domain/organisations/access.js'
import { createCasePauses } from '../services/cases/case-pauses.js'
import { createNotices, type Notices } from '../services/cases/notices.js'
import { proofOfWork } from '../services/cases/proof-of-work.js'
import { quotasOf } from '../services/intake/quotas.js'
import { createBlockChanges } from '../services/intake/resubmission-block.js'
import { createMatchRecorder, type MatchEvents } from '../services/matching/match-recorder.js'
import { createAccounts } from '../services/trust/accounts.js'
import { createAttesting } from '../services/trust/attesting.js'
import { createDailyCounts, type DailyCounts } from '../services/trust/daily-counts.js'
import { createDecisionEffects } from '../services/trust/decision-effects.js'
import { createInsights } from '../services/trust/insights.js'
import { afterMatches } from '../services/trust/match-follow-up.js'
import { createOtherEntries } from '../services/trust/other-entries.js'
import { createOwners } from '../services/trust/owner-of.js'
import { createPseudonyms, type PseudonymOf } from '../services/trust/pseudonyms.js'
import { createTrust, type TrustService } from '../services/trust/trust.js'
import { createDeadlineStore } from '../store/cases/deadlines.js'
import { createProofStore } from '../store/cases/proofs.js'
import type { ApiKeys } from '../store/organisations/api-keys.js'
import { createAppealStore } from '../store/trust/appeals.js'
import { createCanaryStore } from '../store/trust/canaries.js'
import { type Contexts, createContextStore } from '../store/trust/contexts.js'
import { createDailyCountStore } from '../store/trust/daily-counts.js'
import { createMatchEventStore } from '../store/trust/match-counts.js'
import { createStrikeStore, type Strikes } from '../store/trust/strikes.js'
import { createEventStore, type Events } from '../store/webhooks/events.js'
import type { IndexParts } from './index-parts.js'
import type { StoreParts } from './store-parts.js'

export type TrustParts = ReturnType<typeof createTrustParts>

/** Maximum delay of the effects of a match. */
const BATCH_INTERVAL_MS = 1000
/** Maximum delay of statistics. */
const COUNT_INTERVAL_MS = 5000
const OVERDUE_INTERVAL_MS = 15_000
const END_BLOCKS_INTERVAL_MS = 60_000

export function createTrustParts(parts: StoreParts, index: IndexParts) {
  const { options, lifecycle, store, keyring, secrets, images, cases, apiKeys, trusts, matchIds, dueTime } = parts
  const { trustLimits: limits, now, onError } = options
  const shared = {
    kindOf: createOrganisationKinds(apiKeys),
    pseudonymOf: createPseudonyms(secrets.pseudonym),
    deadlines: createDeadlineStore(store),
    events: createEventStore(store),
    strikes: createStrikeStore(store),
    contexts: createContextStore(store, keyring, secrets.pseudonym),
  }
  const { kindOf, pseudonymOf, deadlines, events, strikes, contexts } = shared
  // Stopped after everything that decides, so that the last decisions are counted.
  const dailyCounts = createDailyCounts({
    dailyCounts: createDailyCountStore(store),
    intervalMs: COUNT_INTERVAL_MS,
    now,
    onError,
  })
  lifecycle.keep('daily counts', dailyCounts)
  const dueUntilMs = () => dueTime(store)
  const notices = createNotices({ deadlines, cases, apiKeys, images, events, dueUntilMs, now, onError })
  repeat('notices that are overdue', OVERDUE_INTERVAL_MS, () => notices.announceOverdue(), parts)
  const appeals = createAppealStore(store)
  const endBlocks = async () => {
    const untilMs = await dueUntilMs()
    if (untilMs !== undefined) await appeals.endBlocks(untilMs)
  }
  repeat('ends of blocks', END_BLOCKS_INTERVAL_MS, endBlocks, parts)
  const trust = openTrust(parts, index, { ...shared, dailyCounts, notices })
  const matchEvents = createMatchEvents(parts, { ...shared, notices, trust })
  // Stopped before the parts that receive its last counts.
  lifecycle.keep('match recorder', matchEvents)
  return {
    kindOf,
    trust,
    dailyCounts,
    appeals,
    contexts,
    events,
    matchEvents,
    endBlocks,
    quotas: quotasOf({ strikes, limits, now }),
    async settled() {
      await Promise.all([matchEvents.flush(), dailyCounts.flush()])
    },
    services: {
      trust,
      dailyCounts,
      notices,
      pauses: createCasePauses({ cases, images, trust, now }),
      otherEntries: createOtherEntries({ replica: index.replica, images }),
      attesting: createAttesting({ cases, deadlines, images, trusts, apiKeys, matchIds, pseudonymOf }),
      proofOfWork: proofOfWork({
        proofs: createProofStore(store),
        secret: secrets.pseudonym,
        rounds: limits.proofRounds,
        now,
      }),
      insights: createInsights({ contexts, now }),
      accounts: createAccounts({ events, strikes, now }),
    },
  }
}

interface Shared {
  readonly kindOf: ReturnType<typeof createOrganisationKinds>
  readonly pseudonymOf: PseudonymOf
  readonly events: Events
  readonly strikes: Strikes
  readonly contexts: Contexts
  readonly notices: Notices
}

function openTrust(
  { options, secrets, images, cases, apiKeys, trusts, caseEvents, matchIds }: StoreParts,
  { replica }: IndexParts,
  { pseudonymOf, strikes, notices, dailyCounts }: Shared & { readonly dailyCounts: DailyCounts },
): TrustService {
  const { now, onError } = options
  const ownerOf = createOwners(cases, (bank) => replica.catalogue.banks.get(bank)?.orgId)
  const effects = createDecisionEffects({ notices, strikes, caseEvents, ownerOf })
  return createTrust({
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
    pseudonymOf,
    deadlinesOf: notices.running,
    blockChangeOf: createBlockChanges(secrets.signalId),
    now,
    onError,
    onChange: (change) => {
      dailyCounts.said(change)
      return effects(change)
    },
  })
}

function createMatchEvents(
  { options, store, images, trusts, caseEvents, storeTime }: StoreParts,
  { kindOf, pseudonymOf, events, contexts, notices, trust }: Shared & { readonly trust: TrustService },
): MatchEvents {
  const { now, onError } = options
  const keep = afterMatches({
    matchEvents: createMatchEventStore(store),
    contexts,
    images,
    trusts,
    trust,
    caseEvents,
    events,
    canaries: createCanaryStore(store),
    isPlatform: async (orgId) => (await kindOf(orgId)) === 'platform',
    pseudonymOf,
    onFirstMatch: notices.met,
    storeTime,
    now,
    onError,
  })
  return createMatchRecorder({ sink: keep, intervalMs: BATCH_INTERVAL_MS, onError })
}

function repeat(name: string, intervalMs: number, work: () => Promise<unknown>, { options, lifecycle }: StoreParts): void {
  const timer = setInterval(() => void work().catch(options.onError), intervalMs).unref()
  lifecycle.add(name, () => clearInterval(timer))
}

/** Reads an organisation's kind once: it never changes. */
function createOrganisationKinds(apiKeys: Pick<ApiKeys, 'org'>): (orgId: string) => Promise<OrgKind | undefined> {
  const known = new Map<string, OrgKind>()
  return async (orgId) => {
    const kind = known.get(orgId) ?? (await apiKeys.org(orgId))?.kind
    if (kind !== undefined) known.set(orgId, kind)
    return kind
  }
}
