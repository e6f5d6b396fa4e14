// The watch parts: what organisations watch for, compared with what is registered.

import { setTimeout as sleep } from 'node:timers/promises'
import { watchingOver } from '../services/watch/watch-evaluator.js'
import { watchIndexOver } from '../services/watch/watch-index.js'
import { watchServiceOver } from '../services/watch/watch-service.js'
import { connectForFollowing } from '../store/redis/client.js'
import type { IndexParts } from './index-parts.js'
import type { MatchParts } from './match-parts.js'
import type { StoreParts } from './store-parts.js'

export function createWatchParts(parts: StoreParts, { replica }: IndexParts, { uncounted: matcher }: MatchParts) {
  const { options, lifecycle, store, watches, images, matchIds, audit, dueTime } = parts
  const { redis, now, clock, onTrouble } = options
  const index = lifecycle.keep(
    'index of watches',
    watchIndexOver({ watches, follower: connectForFollowing(redis), clock, onTrouble }),
  )
  const watching = lifecycle.keep(
    'watching',
    watchingOver({
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
      onTrouble,
    }),
  )
  return {
    /** Follows what is registered and what is watched for, from here on. */
    start() {
      index.start()
      watching.start()
    },
    /** Erases what is watched for no longer. */
    sweep: () => watching.sweep(),
    services: { watches: watchServiceOver({ watches, audit, mostPerOrg: options.maxWatchesPerOrg, now }) },
  }
}
