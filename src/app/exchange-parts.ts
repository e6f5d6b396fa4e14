// The parts put together that speak with other systems' servers: feeds that are pulled, and HMAs out of which is taken what was withdrawn.

import type { Exchange, Reconciler } from '../exchange/exchange-config.js'
import { outgoingThrough } from '../net/outgoing.js'
import type { Replica } from '../services/index/replica.js'
import type { Registration } from '../services/intake/registration.js'
import { exchangesOver } from '../services/interop/exchanges.js'
import { reconcilersOver } from '../services/interop/reconcilers.js'
import type { MatchIds } from '../services/matching/match-ids.js'
import type { Matcher } from '../services/matching/matcher.js'
import { exchangesInStore } from '../store/exchange/exchanges.js'
import { reconcilersInStore } from '../store/exchange/reconcilers.js'
import type { ApiKeys } from '../store/organisations/api-keys.js'
import type { Store } from '../store/redis/client.js'
import { pullingBy } from './pulling.js'
import type { ServiceOptions } from './service-options.js'

export interface ExchangePartsNeeded {
  readonly options: ServiceOptions
  readonly store: Store
  readonly replica: Replica
  readonly registration: Registration
  /** Asks without being a question of anybody's. */
  readonly matcher: Matcher
  readonly matchIds: MatchIds
  readonly apiKeys: ApiKeys
  /** Keys the names of records, feeds and contents. */
  readonly secret: Buffer
}

export function exchangeParts(needed: ExchangePartsNeeded) {
  const { options, store, replica, registration, matcher, matchIds, apiKeys, secret } = needed
  const { exchanges: feeds = [], reconcilers: hmas = [], now } = options
  const exchanges = exchangesOver({
    exchanges: feeds,
    store: exchangesInStore(store),
    registration,
    bankNamed: (name) => replica.bankNamed(name),
    outgoing: outgoingTo(feeds),
    secret,
    now,
  })
  const reconcilers = reconcilersOver({
    reconcilers: hmas,
    states: reconcilersInStore(store),
    store,
    replica,
    matcher,
    matchIds,
    orgNamed: (name) => apiKeys.orgByName(name),
    outgoing: outgoingTo(hmas),
    secret,
    now,
  })
  return { exchanges, reconcilers, pulling: pullingBy(exchanges, reconcilers, options) }
}

/** The operator vouches for the servers that his own file names. */
function outgoingTo(servers: readonly Pick<Exchange | Reconciler, 'origin'>[]) {
  return outgoingThrough({ trusted: new Set(servers.map(({ origin }) => origin)) })
}
