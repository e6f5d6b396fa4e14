// A follower of the feed, for tests: it holds exactly what the feed sent.

import type { Test } from 'tap'
import { z } from 'zod'
import { type FollowedFeed, openFeed } from '../../packages/feed/src/follow.js'
import { FeedLineView } from '../../src/http/routes/feed.js'
import { keyFor, type TestService } from './service.js'

type FeedLine = z.infer<typeof FeedLineView>

/** Strict: fails on a field that no follower should get. */
const Line = z.discriminatedUnion('op', [
  z.strictObject({ op: z.enum(['snapshot-begin', 'snapshot-end']) }),
  z.strictObject({ op: z.literal('tombstone'), id: z.string() }),
  z.strictObject({ op: z.literal('cursor'), cursor: z.string(), more: z.boolean() }),
  z.strictObject({
    op: z.literal('upsert'),
    id: z.string(),
    bank: z.string(),
    tier: z.string(),
    category: z.string().nullable(),
    disputed: z.boolean(),
    narrowed: z.boolean(),
    video: z.strictObject({ durationMs: z.int() }).optional(),
    signals: z.array(
      z.strictObject({
        ...{ type: z.string(), view: z.string(), quality: z.int(), hash: z.string() },
        atMs: z.int().optional(),
      }),
    ),
  }),
])

export async function readFeed({ app }: TestService, headers: Readonly<Record<string, string>>, query = '') {
  const answer = await app.inject({ url: `/v1/feed${query}`, headers })
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return linesIn(answer.body)
}

export function linesIn(text: string): FeedLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => FeedLineView.parse(Line.parse(JSON.parse(line))))
}

export interface Follower {
  /** Hashes by id. */
  readonly held: ReadonlyMap<string, string>
  /** How often it got a line that it already had. */
  readonly repeats: () => number
  readonly cursor: () => string | undefined
  /** Applies a page. An interrupted page changes nothing. @returns whether there is more. */
  hear(lines: readonly FeedLine[]): boolean
}

export function follower(): Follower {
  const held = new Map<string, string>()
  let named: Set<string> | undefined
  let cursor: string | undefined
  let repeats = 0
  return {
    held,
    repeats: () => repeats,
    cursor: () => cursor,
    hear(lines) {
      const last = lines.at(-1)
      if (last?.op !== 'cursor') return true
      for (const line of lines) {
        if (line.op === 'snapshot-begin') named = new Set()
        else if (line.op === 'tombstone') held.delete(line.id)
        else if (line.op === 'upsert') {
          const told = JSON.stringify([line.signals.map(({ hash }) => hash), line.tier, line.disputed, line.narrowed])
          if (held.get(line.id) === told) repeats++
          held.set(line.id, told)
          named?.add(line.id)
        } else if (line.op === 'snapshot-end') {
          for (const id of held.keys()) if (named?.has(id) === false) held.delete(id)
          named = undefined
        }
      }
      cursor = last.cursor
      return last.more
    },
  }
}

/** A platform that has followed the feed up to now, in memory. */
export async function followed(t: Test, service: TestService): Promise<FollowedFeed> {
  const baseUrl = await service.app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => service.app.server.closeAllConnections()) // fetch keeps connections for its next request
  const { key } = await keyFor(service, 'follower', ['feed'])
  const feed = await openFeed({ baseUrl, key })
  await feed.sync()
  return feed
}
