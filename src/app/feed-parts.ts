// The feed parts, for platforms that match themselves: Tabir's own feed and StopNCII's interface.

import { createFeed } from '../services/feed/feed.js'
import { createFeedCursors } from '../services/feed/feed-cursor.js'
import { createFeedLines } from '../services/feed/feed-lines.js'
import { ORIGIN_BYTES } from '../services/index/image-ids.js'
import { createFetchedHashes } from '../services/interop/fetched-hashes.js'
import { createStopNcii } from '../services/interop/stopncii.js'
import { createFeedBatches, FEED_DELAY } from '../store/exchange/feed-batches.js'
import { createFetchCursorStore } from '../store/exchange/fetch-cursors.js'
import { createFetchedStore } from '../store/exchange/fetched.js'
import type { IndexParts } from './index-parts.js'
import type { IntakeParts } from './intake-parts.js'
import type { MatchParts } from './match-parts.js'
import type { StoreParts } from './store-parts.js'
import type { TrustParts } from './trust-parts.js'

export function createFeedParts(
  parts: StoreParts,
  { replica, recent }: IndexParts,
  { trust }: TrustParts,
  { services: { matcher } }: MatchParts,
  { services: { banks, registration } }: IntakeParts,
) {
  const { options, store, keyring, secrets, images, trusts, matchIds, viewIdOf, audit } = parts
  const { now, clock, onError } = options
  const cursors = createFeedCursors(secrets.feed)
  const feed = createFeed({
    store,
    lines: createFeedLines({ images, trusts, matchIds, viewIdOf, onError }),
    batches: createFeedBatches(store, options.feedDelay ?? FEED_DELAY, ORIGIN_BYTES),
    replica,
    recent,
    cursors,
    audit,
    clock,
  })
  const stopNcii = createStopNcii({
    feed,
    places: createFetchCursorStore(store),
    cursors,
    fetched: createFetchedHashes({ fetched: createFetchedStore(store, keyring), matchIds, replica, store }),
    banks,
    registration,
    matcher,
    trust,
    now,
  })
  return { services: { feed, stopNcii } }
}
