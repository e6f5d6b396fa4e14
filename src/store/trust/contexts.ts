// How many distinct registered images a platform found, by the context that it named. Only that platform sees its counts.

import { createHmac } from 'node:crypto'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { deleteContext } from '../scripts/trust/delete-context.js'
import { endContexts } from '../scripts/trust/end-contexts.js'
import { type Keyring, unlessDamaged } from '../sealing/seal.js'

export interface ContextCount {
  readonly context: string
  /** Distinct registered images, to within about 1 % (HyperLogLog). */
  readonly imagesIn24h: number
  readonly imagesIn30d: number
  readonly lastSeenAtMs: number
}

export interface Contexts {
  /** Not on disk when it returns. Beyond `MAX_CONTEXTS` only the contexts that were seen last are kept. */
  note(orgId: string, context: string, imageIds: readonly string[], nowMs: number): Promise<void>
  /** All contexts of one organisation, in no order. Cost: 20 µs of the store's time for each. */
  counts(orgId: string, nowMs: number): Promise<ContextCount[]>
  /** Deletes one context and its counts. Does nothing if there is none. On disk when it returns. */
  delete(orgId: string, context: string, nowMs: number): Promise<void>
  /** Deletes the contexts of one organisation whose last match is 30 days ago. */
  end(orgId: string, nowMs: number): Promise<void>
}

/** Contexts of one organisation. */
export const MAX_CONTEXTS = 10_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const HOURS = 24
const DAYS = 30
const HOUR_TTL_S = HOURS * 3600
const DAY_TTL_S = DAYS * 86_400
/** Contexts that are counted in one batch. Redis serves other clients between batches. */
const COUNTED_AT_ONCE = 100

export function createContextStore(store: Store, keyring: Keyring, secret: Buffer): Contexts {
  const keyOf = (orgId: string, context: string) =>
    createHmac('sha256', secret).update(`context:${orgId}:${context}`).digest('base64url').slice(0, 22)
  const end = async (orgId: string, nowMs: number) => {
    const ofOrg = [keys.contexts(orgId), keys.contextNames(orgId)]
    const untilMs = nowMs - DAYS * DAY_MS
    if ((await store.ask((redis) => redis.zcount(keys.contexts(orgId), '-inf', untilMs))) === 0) return
    await store.write(endContexts, [...ofOrg, keys.erased], [untilMs])
  }

  return {
    end,
    async note(orgId, context, imageIds, nowMs) {
      const key = keyOf(orgId, context)
      const name = keyring.seal(Buffer.from(context), contextNameContext(orgId, key))
      const hour = keys.contextImages(orgId, key, `h${Math.floor(nowMs / HOUR_MS)}`)
      const day = keys.contextImages(orgId, key, `d${Math.floor(nowMs / DAY_MS)}`)
      await store.ask(async (redis) => {
        // In one step: a text without its time of the last match would never end.
        const noted = redis
          .multi()
          .pfadd(hour, ...imageIds)
          .expire(hour, HOUR_TTL_S)
          .pfadd(day, ...imageIds)
          .expire(day, DAY_TTL_S)
          .hset(keys.contextNames(orgId), key, name)
          .expire(keys.contextNames(orgId), DAYS * 86_400)
          .zadd(keys.contexts(orgId), nowMs, key)
          .expire(keys.contexts(orgId), DAYS * 86_400)
          .zrange(keys.contexts(orgId), '0', String(-MAX_CONTEXTS - 1))
        const replies = (await noted.exec()) ?? []
        const failed = replies.find(([error]) => error !== null)?.[0]
        if (failed) throw failed
        const beyond: unknown = replies.at(-1)?.[1]
        if (!Array.isArray(beyond) || beyond.length === 0) return
        // With their counts: a platform may name a new context with each query.
        await redis
          .multi()
          .zrem(keys.contexts(orgId), ...beyond)
          .hdel(keys.contextNames(orgId), ...beyond)
          .unlink(beyond.flatMap((each) => imagesOf(orgId, String(each), nowMs)))
          .exec()
      })
    },

    async delete(orgId, context, nowMs) {
      const key = keyOf(orgId, context)
      const ofOrg = [keys.contexts(orgId), keys.contextNames(orgId), keys.erased]
      await store.write(deleteContext, [...ofOrg, ...imagesOf(orgId, key, nowMs)], [key])
    },

    async counts(orgId, nowMs) {
      await end(orgId, nowMs)
      const flat = await store.ask((redis) => redis.zrange(keys.contexts(orgId), '0', '-1', 'WITHSCORES'))
      const hours = lastOf('h', nowMs / HOUR_MS, HOURS)
      const days = lastOf('d', nowMs / DAY_MS, DAYS)
      const counts: ContextCount[] = []
      for (let at = 0; at < flat.length; at += 2 * COUNTED_AT_ONCE) {
        const part = flat.slice(at, at + 2 * COUNTED_AT_ONCE)
        const found = await Promise.all(
          part.flatMap((key, i) =>
            i % 2 === 0 ? [countOf({ store, keyring }, orgId, key, Number(part[i + 1]), hours, days)] : [],
          ),
        )
        for (const count of found) if (count !== undefined) counts.push(count)
      }
      return counts
    },
  }
}

/** @param hours names of hours and @param days names of days, as `lastOf` returns them. */
async function countOf(
  { store, keyring }: { readonly store: Store; readonly keyring: Keyring },
  orgId: string,
  key: string,
  lastSeenAtMs: number,
  hours: readonly string[],
  days: readonly string[],
): Promise<ContextCount | undefined> {
  const count = (spans: readonly string[]) =>
    store.ask((redis) => redis.pfcount(...spans.map((span) => keys.contextImages(orgId, key, span))))
  const [name, imagesIn24h, imagesIn30d] = await Promise.all([
    store.ask((redis) => redis.hgetBuffer(keys.contextNames(orgId), key)),
    count(hours),
    count(days),
  ])
  if (name === null) return undefined
  const context = unlessDamaged(() => keyring.unseal(name, contextNameContext(orgId, key)))
  return context && { context: context.toString('utf8'), imagesIn24h, imagesIn30d, lastSeenAtMs }
}

/** The keys of all counts of a context. One span more: matches are counted by the store's clock, which may be ahead of this one. */
function imagesOf(orgId: string, key: string, nowMs: number): string[] {
  const spans = [...lastOf('h', nowMs / HOUR_MS + 1, HOURS + 2), ...lastOf('d', nowMs / DAY_MS + 1, DAYS + 2)]
  return spans.map((span) => keys.contextImages(orgId, key, span))
}

/** The context that an organisation's context name is sealed for: it names the organisation and the keyed hash. */
export function contextNameContext(orgId: string, key: string): Buffer {
  return Buffer.from(`context:${orgId}:${key}`)
}

/** The names of the last `count` hours or days, including the current one. */
function lastOf(letter: string, now: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${letter}${Math.floor(now) - i}`)
}
