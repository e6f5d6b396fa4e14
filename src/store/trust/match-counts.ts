// How often images are matched, by the hour, and by how many organisations. Counts may be lost; names are never stored.

import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { FLOOD_WINDOW_MS, LOOKS_WINDOW_MS, type SeenMatches } from '../../domain/trust/flood.js'
import type { Store } from '../redis/client.js'
import { idBuffer, imageShard, keys } from '../redis/keys.js'
import { recordMatchEvents } from '../scripts/trust/match-events.js'

export interface PseudonymHits {
  /** A keyed hash of organisation and image. */
  readonly pseudonym: string
  readonly hits: number
}

/** How an upload looks that the flood guard counts. */
export interface PseudonymLook {
  /** A keyed hash of the look and the image. */
  readonly look: string
  /** A keyed hash of the frame that it was found by and the image; `undefined` for a picture. */
  readonly frame: string | undefined
  /** The view that alone decided (`flood.ts`). */
  readonly view: number | undefined
  /** Of the organisation that asked. */
  readonly pseudonym: string
}

export interface Seen extends SeenMatches {
  /** Organisations that have matched it so far. */
  readonly pseudonyms: number
  /** For each noted pseudonym, in order: whether it matched the image for the first time. */
  readonly isNew: readonly boolean[]
  /** Whether there is a notice about the image. */
  readonly noticed: boolean
}

export interface MatchEventStore {
  /**
   * Counts matches of one image. Also remembers which pseudonyms were told of it, as long as it is registered. Not on disk when it returns.
   * @returns `undefined` when the image does not exist (any more). Then these pseudonyms are told of its withdrawal.
   */
  note(
    imageId: string,
    counts: readonly PseudonymHits[],
    looks: readonly PseudonymLook[],
    nowMs: number,
  ): Promise<Seen | undefined>
}

/** How long after the image's last match its pseudonyms are remembered. Afterwards each counts as new again. */
const TTL_S = 35 * 86_400

const LOOKS_TTL_S = (2 * LOOKS_WINDOW_MS) / 1000

const Numbers = z.array(z.number())
const Reply = z.tuple([z.number(), Numbers, Numbers, z.number(), z.number(), z.number(), Numbers, Numbers, z.number()])

export function createMatchEventStore(store: Store): MatchEventStore {
  return {
    async note(imageId, counts, looks, nowMs) {
      const id = idBuffer(imageId)
      const hex = id.toString('hex')
      const reply: unknown = await store.ask((redis) =>
        run(redis, [
          keys.images(imageShard(id)),
          keys.matchEvents(hex),
          keys.noticed,
          keys.told(hex),
          keys.looks(hex),
          keys.looksBefore(hex),
          keys.lookFrames(hex),
          keys.lookFramesBefore(hex),
          id,
          Math.floor(nowMs / FLOOD_WINDOW_MS),
          Math.floor(nowMs / LOOKS_WINDOW_MS),
          TTL_S,
          LOOKS_TTL_S,
          keys.prefix,
          counts.length,
          ...counts.flatMap(({ pseudonym, hits }) => [pseudonym, hits]),
          ...looks.flatMap(({ look, frame = '', view = '', pseudonym }) => [look, frame, view, pseudonym]),
        ]),
      )
      if (reply === null) return undefined
      const [pseudonyms, isNew, hits, noticed, uploads, unlike, byView, looksByPlatform, hours] = Reply.parse(reply)
      const looksByView = new Map<number, number>()
      for (let i = 0; i + 1 < byView.length; i += 2) looksByView.set(byView[i] ?? 0, byView[i + 1] ?? 0)
      const facts = { pseudonyms, isNew: isNew.map((flag) => flag === 1), noticed: noticed === 1 }
      return { hits, uploads, looks: unlike, looksByView, looksByPlatform, hours, ...facts }
    },
  }
}

const KEYS = 8

/** Calls the script by its digest: its text would be most of what is sent. */
async function run(redis: Redis, args: readonly (string | number | Buffer)[]): Promise<unknown> {
  try {
    return await redis.evalsha(NOTE_SHA1, KEYS, ...args)
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return await redis.eval(recordMatchEvents, KEYS, ...args)
  }
}

const NOTE_SHA1 = createHash('sha1').update(recordMatchEvents).digest('hex')
