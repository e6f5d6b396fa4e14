// The exchange parts, which talk to other systems: pulled feeds, reconcilers that remove withdrawn images from HMAs, and HMA's own clients.

import type { Exchange, Reconciler } from '../exchange/exchange-config.js'
import { createOutgoing } from '../net/outgoing.js'
import { createContentIds } from '../services/interop/content-ids.js'
import { createContents } from '../services/interop/contents.js'
import { createExchanges } from '../services/interop/exchanges.js'
import { createReconcilers } from '../services/interop/reconcilers.js'
import { createExchangeStore } from '../store/exchange/exchanges.js'
import { createReconcilerStore } from '../store/exchange/reconcilers.js'
import { lastRevision } from '../store/images/changes.js'
import { createHoldSchedule } from '../store/organisations/hold-expiries.js'
import type { IndexParts } from './index-parts.js'
import type { IntakeParts } from './intake-parts.js'
import type { MatchParts } from './match-parts.js'
import { createPulling } from './pulling.js'
import type { StoreParts } from './store-parts.js'
import type { TrustParts } from './trust-parts.js'

export type ExchangeParts = ReturnType<typeof createExchangeParts>

/** Maximum time to close the queues: while Redis is unavailable, closing may never finish. */
const STOP_TIMEOUT_MS = 1000

export function createExchangeParts(
  parts: StoreParts,
  { replica }: IndexParts,
  { trust }: TrustParts,
  { quiet: matcher }: MatchParts,
  { services: { registration } }: IntakeParts,
) {
  const { options, lifecycle, store, secrets, images, apiKeys, matchIds, dueTime } = parts
  const { exchanges: feeds = [], reconcilers: hmas = [], now, onError } = options
  const contents = createContents({
    images,
    replica,
    trust,
    holdSchedule: createHoldSchedule(store),
    ids: createContentIds(secrets.matchId),
    lastRevision: () => lastRevision(store),
    dueUntilMs: () => dueTime(store),
    now,
    onError,
  })
  lifecycle.keep('contents', contents)
  const exchanges = createExchanges({
    exchanges: feeds,
    store: createExchangeStore(store),
    registration,
    bankNamed: (name) => replica.bankNamed(name),
    outgoing: outgoingTo(feeds),
    secret: secrets.signalId,
    now,
  })
  const reconcilers = createReconcilers({
    reconcilers: hmas,
    states: createReconcilerStore(store),
    store,
    replica,
    matcher,
    matchIds,
    orgNamed: (name) => apiKeys.orgByName(name),
    outgoing: outgoingTo(hmas),
    secret: secrets.signalId,
    now,
  })
  const pulling = lifecycle.keep('pulling', createPulling(exchanges, reconcilers, options), STOP_TIMEOUT_MS)
  return {
    beginPulling: pulling.start,
    services: { contents, exchanges, reconcilers, pullSoon: pulling.pullSoon },
  }
}

/** The operator's file names these servers, so they are trusted. */
function outgoingTo(servers: readonly Pick<Exchange | Reconciler, 'origin'>[]) {
  return createOutgoing({ trusted: new Set(servers.map(({ origin }) => origin)) })
}
