// How often images are matched, hour by hour, and by how many. Counts that may be lost; never who.

import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { FLOOD_WINDOW_MS, type HitsByPlatform, USUAL_HOURS } from '../domain/flood.js'
import { parseUuid } from '../domain/ids.js'
import { imageShard, keys } from './keys.js'
import { noteSightings } from './scripts/sightings.js'
import type { Store } from './store.js'

export interface PartyHits {
  /** A keyed hash of organisation and image. */
  readonly party: string
  readonly hits: number
}

export interface Seen {
  /** In this hour, a number for each party. */
  readonly hits: HitsByPlatform
  /** The hours before, of the last day, in which there was a match. */
  readonly past: readonly HitsByPlatform[]
  /** Parties so far. */
  readonly parties: number
  /** Of those that were noted, in their order: was it the first time? */
  readonly isNew: readonly boolean[]
  /** Is there a notice about it? */
  readonly noticed: boolean
}

export interface SightingStore {
  /**
   * Also remembers who was told of the image, for as long as it is registered. Not on disk when it returns.
   * @returns `undefined` when there is no such image (any more): then its withdrawal is told to these.
   */
  note(imageId: string, counts: readonly PartyHits[], nowMs: number): Promise<Seen | undefined>
}

/** How long after the last match a party is remembered: then it is new again. */
const TTL_S = 35 * 86_400

const Reply = z.tuple([z.string(), z.number(), z.array(z.number()), z.array(z.number()), z.number()])

export function sightingsIn(store: Store): SightingStore {
  return {
    async note(imageId, counts, nowMs) {
      const bytes = parseUuid(imageId)
      if (bytes === undefined) throw new RangeError('an image id is a UUID')
      const id = Buffer.from(bytes)
      const hour = Math.floor(nowMs / FLOOD_WINDOW_MS)
      const reply: unknown = await store.ask((redis) =>
        run(redis, [
          keys.images(imageShard(id)),
          keys.sightings(id.toString('hex')),
          keys.noticed,
          keys.told(id.toString('hex')),
          id,
          hour,
          TTL_S,
          USUAL_HOURS,
          keys.prefix,
          ...counts.flatMap(({ party, hits }) => [party, hits]),
        ]),
      )
      if (reply === null) return undefined
      const [past, parties, isNew, hits, noticed] = Reply.parse(reply)
      return { hits, past: pastOf(past, hour), parties, isNew: isNew.map((flag) => flag === 1), noticed: noticed === 1 }
    },
  }
}

const KEYS = 4

/** By its digest: the script's text would be most of what is sent. */
async function run(redis: Redis, args: readonly (string | number | Buffer)[]): Promise<unknown> {
  try {
    return await redis.evalsha(NOTE_SHA1, KEYS, ...args)
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return await redis.eval(noteSightings, KEYS, ...args)
  }
}

const NOTE_SHA1 = createHash('sha1').update(noteSightings).digest('hex')

function pastOf(text: string, hour: number): HitsByPlatform[] {
  if (text === '') return []
  return text.split(';').flatMap((entry) => {
    const [at, hits] = entry.split('=')
    return Number(at) < hour - USUAL_HOURS || hits === undefined ? [] : [hits.split(',').map(Number)]
  })
}
