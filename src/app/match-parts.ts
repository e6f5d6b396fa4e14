// The parts put together that compare pictures: matching, details, the look-out for searches, and the same the other way round for
// those who watch.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Replica } from '../services/index/replica.js'
import { type Detailing, detailingWith } from '../services/intake/prepare-details.js'
import type { DueTime } from '../services/load/due-time.js'
import type { TurnsOfLoop } from '../services/load/event-loop-scheduler.js'
import { commonRowsUnder } from '../services/matching/common-rows.js'
import { veilFrom } from '../services/matching/descriptor-permutation.js'
import { detailFinderWith } from '../services/matching/detail-finder.js'
import type { MatchIds } from '../services/matching/match-ids.js'
import type { Sightings } from '../services/matching/match-recorder.js'
import { type Matcher, matcherOver } from '../services/matching/matcher.js'
import { createProbingBudget } from '../services/matching/probing.js'
import { NO_PROBING, type ProbingMode, probingGuard } from '../services/matching/probing-guard.js'
import { createTurnedBits } from '../services/matching/turned-bits.js'
import { watchingOver } from '../services/watch/watch-evaluator.js'
import { watchIndexOver } from '../services/watch/watch-index.js'
import type { Images } from '../store/images/images.js'
import type { ApiKeys } from '../store/organisations/api-keys.js'
import { connectForFollowing, type RedisTarget, type Store } from '../store/redis/client.js'
import { createProbingCounts } from '../store/trust/probing.js'
import type { Watches } from '../store/watch/watches.js'
import type { Events } from '../store/webhooks/events.js'

export interface MatchPartsNeeded {
  readonly store: Store
  readonly redis: RedisTarget
  readonly images: Images
  readonly watches: Watches
  readonly apiKeys: ApiKeys
  readonly replica: Replica
  readonly matchIds: MatchIds
  readonly sightings: Sightings
  readonly events: Events
  /** Of the veil over details; undefined where none are kept. */
  readonly detailSecret: Buffer | undefined
  /** What is done about searches for what is stored; the operator is told of them when left out. */
  readonly probing: ProbingMode | undefined
  /** Of the digests under which probing is counted. */
  readonly probingSecret: Buffer
  readonly turns: Pick<TurnsOfLoop, 'pace' | 'atEndOfTurn'>
  readonly now: () => number
  readonly dueTime: DueTime
  /** Never goes back. */
  readonly clock: () => number
  readonly onTrouble: (error: unknown) => void
}

export interface MatchParts {
  readonly matcher: Matcher
  /** Says whether a picture is there, and is nobody's question: nothing follows from what it finds. */
  readonly quiet: Matcher
  /** Undefined where no details are kept. */
  readonly detailing: Detailing | undefined
  /** Follows what is registered and what is watched for, from here on. */
  start(): void
  /** Erases what is watched for no longer. */
  sweepWatches(): Promise<void>
  close(): Promise<void>
}

export function matchParts(needed: MatchPartsNeeded): MatchParts {
  const { store, redis, images, watches, apiKeys, replica, matchIds, sightings, events, turns, now, clock, onTrouble } =
    needed
  const details = needed.detailSecret && detailParts(needed.detailSecret, needed)
  const probing = probingGuard({
    budget: createProbingBudget({ counts: createProbingCounts(store), secret: needed.probingSecret, now, onTrouble }),
    turnedBits: createTurnedBits({ now }),
    mode: needed.probing ?? 'tell',
    apiKeys,
    known: () => replica.catalogue.apiKeys.values(),
    events,
    now,
    onTrouble,
  })
  const matching = { replica, matchIds, finder: details?.finder, sightings, turns }
  const index = watchIndexOver({ watches, follower: connectForFollowing(redis), clock, onTrouble })
  const watching = watchingOver({
    store,
    watches,
    index,
    images,
    replica,
    matcher: matcherOver({ ...matching, probing }),
    matchIds,
    follower: connectForFollowing(redis),
    now,
    dueTime: needed.dueTime,
    clock,
    pause: sleep,
    onTrouble,
  })
  return {
    matcher: matcherOver({ ...matching, probing }),
    quiet: matcherOver({ ...matching, finder: undefined, sightings: { note() {} }, probing: NO_PROBING }),
    detailing: details?.detailing,
    start() {
      index.start()
      watching.start()
    },
    sweepWatches: () => watching.sweep(),
    async close() {
      await watching.close()
      await index.close()
      await probing.close()
    },
  }
}

function detailParts(secret: Buffer, { images, replica, clock }: MatchPartsNeeded) {
  const veil = veilFrom(secret)
  const common = commonRowsUnder(veil)
  return {
    finder: detailFinderWith({ images, veil, common }),
    detailing: detailingWith({ replica, veil, common, clock }),
  }
}
