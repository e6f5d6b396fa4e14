// The watch parts: compares watches with registered images.

import { setTimeout as sleep } from 'node:timers/promises'
import { createWatchEvaluator } from '../services/watch/watch-evaluator.js'
import { createWatchIndex } from '../services/watch/watch-index.js'
import { createWatchService } from '../services/watch/watch-service.js'
import { connectForFollowing } from '../store/redis/client.js'
import type { IndexParts } from './index-parts.js'
import type { MatchParts } from './match-parts.js'
import type { StoreParts } from './store-parts.js'

export function createWatchParts(parts: StoreParts, { replica }: IndexParts, { uncounted: matcher }: MatchParts) {
  const { options, lifecycle, store, watches, images, matchIds, audit, dueTime, storeTime } = parts
  const { redis, now, clock, onError } = options
  const index = lifecycle.keep(
    'index of watches',
    createWatchIndex({ watches, follower: connectForFollowing(redis), clock, onError }),
  )
  const watching = lifecycle.keep(
    'watching',
    createWatchEvaluator({
      store,
      watches,
      index,
      images,
      replica,
      matcher,
      matchIds,
      follower: connectForFollowing(redis),
      now,
      dueTime,
      clock,
      pause: sleep,
      onError,
    }),
  )
  return {
    /** Starts following registrations and watches. */
    start() {
      index.start()
      watching.start()
    },
    /** Erases expired watches. */
    sweep: () => watching.sweep(),
    services: { watches: createWatchService({ watches, audit, maxPerOrg: options.maxWatchesPerOrg, storeTime, now }) },
  }
}
