// Where a fetcher that remembers nothing but a time had come to: for each time that it was given, its place in the feed.

import { keys } from './keys.js'
import { keepFetchPlace } from './scripts/fetch-places.js'
import type { Store } from './store.js'

export interface FetchPlaces {
  /** The place that belongs to the latest time that is not after this one. */
  at(orgId: string, timeS: number): Promise<string | undefined>
  /**
   * Keeps the first place of a time: from there on nothing is left out, whichever of its pages the fetcher had.
   * @returns the time that was given for it: `timeS`, or a later one that was given before.
   */
  keep(orgId: string, timeS: number, place: string): Promise<number>
}

export function fetchPlacesIn(store: Store): FetchPlaces {
  return {
    async at(orgId, timeS) {
      const [found] = await store.ask((redis) =>
        redis.zrevrangebyscore(keys.fetchPlaces(orgId), timeS, '-inf', 'LIMIT', 0, 1),
      )
      return found?.slice(found.indexOf(':') + 1)
    },
    async keep(orgId, timeS, place) {
      return Number(await store.write(keepFetchPlace, [keys.fetchPlaces(orgId)], [timeS, place]))
    },
  }
}
