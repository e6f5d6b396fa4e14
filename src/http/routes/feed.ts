// The feed, for platforms that match on their own systems.

import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { formatSignalHash } from '../../../packages/core/src/matching/hash-text.js'
import { CATEGORY_NAMES, TIER_NAMES } from '../../../packages/core/src/matching/signal.js'
import { timedSignals } from '../../../packages/core/src/matching/timed-signals.js'
import {
  CursorLine,
  FedSignal,
  SnapshotBegin,
  SnapshotEnd,
  TombstoneLine,
  UpsertLine,
} from '../../../packages/feed/src/feed-line.js'
import type { FeedFilter, FeedLine } from '../../domain/organisations/feed.js'
import { Problem } from '../../domain/problem.js'
import type { Feed } from '../../services/feed/feed.js'
import type { FeedReader } from '../../services/feed/feed-cursor.js'
import { createConnectionSlots } from '../connection-slots.js'
import { wantsEvents } from '../event-stream.js'
import { callerOf } from '../plugins/authentication.js'
import { may } from '../problems.js'
import { BankRef, CategoryName, Quality, SignalHashText, SignalTypeName, ViewName } from '../schemas.js'

const MAX_LIMIT = 10_000
const MAX_WAIT_S = 60
/** Maximum readers of this process, including waiting ones. A key that exceeds its own maximum loses its oldest reader. */
const MAX_READERS = 500
const MAX_READERS_PER_KEY = 20
const HEARTBEAT_INTERVAL_MS = 15_000
/** Maximum duration of a stream. The follower reconnects, so that followers spread over the processes. */
const STREAM_ENDS_AFTER_MS = 3_600_000
const RETRY_AFTER_S = 3
/** How often the key is checked again while a page is sent. After a revocation the reader gets at most this much more. */
const ASKED_AGAIN_MS = 250
/** Lines have about a hundred bytes, so they are sent in chunks of this size. */
const CHUNK_CHARS = 16_384

const Cursor = z.string().max(256).meta({ description: 'Opaque cursor from the end of the previous page.' })

const FeedParams = z.strictObject({
  after: Cursor.optional(),
  limit: z.coerce.number().pipe(z.int().min(1).max(MAX_LIMIT)).default(1000).meta({
    description: 'Approximate number of lines: a page ends with the change that reaches it.',
  }),
  wait: z.coerce.number().pipe(z.int().min(0).max(MAX_WAIT_S)).default(0).meta({
    description: 'Seconds to wait for a change.',
  }),
  banks: listOf(BankRef).optional().meta({ description: 'Names separated by commas; all if omitted.' }),
  categories: listOf(z.enum(CATEGORY_NAMES)).optional().meta({ description: 'Separated by commas; all if omitted.' }),
  tiers: listOf(z.enum(TIER_NAMES)).optional().meta({ description: 'Separated by commas; all if omitted.' }),
})

export const FeedLineView = z
  .discriminatedUnion('op', [
    SnapshotBegin,
    UpsertLine.extend({
      category: CategoryName.nullable(),
      signals: z
        .array(FedSignal.extend({ type: SignalTypeName, view: ViewName, quality: Quality, hash: SignalHashText }))
        .meta({
          description:
            'Those that match: without views that the service stopped. Without the scope feed:all-views the whole and at most eight parts of a picture; of each frame the whole and two.',
        }),
    }),
    TombstoneLine,
    SnapshotEnd,
    CursorLine.extend({ cursor: Cursor }),
  ])
  .meta({ id: 'FeedLine' })

export const feedRoutes: FastifyPluginAsyncZod<{ readonly feed: Feed }> = async (app, { feed }) => {
  const readers = new Set<AbortController>()
  const slots = createConnectionSlots({ max: MAX_READERS, maxPerOwner: [MAX_READERS_PER_KEY] })
  app.addHook('preClose', async () => {
    for (const reader of readers) reader.abort()
  })

  app.get(
    '/feed',
    {
      config: { scope: 'feed', queries: 'counted', ndjsonAnswer: true },
      schema: {
        operationId: 'readFeed',
        summary: 'Read all signals, then every change',
        description:
          'For matching on your own systems. Without `after` you get a snapshot: `snapshot-begin`, every signal, `snapshot-end`; with it, the changes since. A page is NDJSON and ends with a `cursor` line; if it breaks off, read it again. For each id the last line counts, and a `tombstone` must no longer match. Delete every signal that a snapshot does not contain. A cursor is valid only for a key that gets as many views. The order within a page has no meaning. With `Accept: text/event-stream` the same lines arrive as endless Server-Sent Events; reconnect with the cursor as Last-Event-ID.',
        tags: ['feed'],
        querystring: FeedParams,
        headers: z.object({ accept: z.string().optional(), 'last-event-id': Cursor.optional() }),
        response: {
          200: FeedLineView.or(z.custom<Readable>((value) => value instanceof Readable)),
          ...may(
            'request-invalid',
            'cursor-unknown',
            'key-missing',
            'scope-missing',
            'overloaded',
            'index-loading',
            'store-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      const { after, limit, wait, banks, categories, tiers } = request.query
      const { accept, 'last-event-id': lastEventId } = request.headers
      const filter: FeedFilter = { banks, categories, tiers }
      const { orgId, keyId, scopes } = callerOf(request)
      const reader = { orgId, keyId, filter, allViews: scopes.has('feed:all-views') }
      const leaving = new AbortController()
      request.consumeQuota(reply, 1)
      const leave = slots.acquire([keyId], () => leaving.abort())
      const sent: SentPage = { feed, request, reader, limit, signal: leaving.signal, isWithin: true }
      const page = (from: string | undefined, waitMs: number) => pageOf(sent, from, waitMs)
      const text = wantsEvents(accept)
        ? asEvents(page, lastEventId ?? after, () => sent.isWithin && !leaving.signal.aborted)
        : asLines(page(after, wait * 1000))
      const stop = () => {
        leave()
        readers.delete(leaving)
        leaving.abort()
      }
      readers.add(leaving)
      reply.raw.once('close', stop)
      try {
        const first = await text.next() // before the headers, so that a refusal can still be a problem
        reply.type(wantsEvents(accept) ? 'text/event-stream' : 'application/x-ndjson')
        reply.header('x-accel-buffering', 'no')
        return reply.send(Readable.from(beginningWith(first, text), { objectMode: false }))
      } catch (error) {
        stop()
        throw error
      }
    },
  )
}

/** A page in transit, and the reader that it is sent to. */
interface SentPage {
  readonly feed: Feed
  readonly request: FastifyRequest
  readonly reader: FeedReader
  readonly limit: number
  readonly signal: AbortSignal
  /** Whether the reader was within its limit when the last page ended. */
  isWithin: boolean
}

/** At module level, so that it is not created for each request (decision 0086). */
async function* pageOf(sent: SentPage, after: string | undefined, waitMs: number): AsyncGenerator<FeedLine, void, void> {
  const { feed, request, reader, limit, signal } = sent
  let lineCount = -1 // the request itself counted one already
  let isFirst = true
  try {
    for await (const line of feed.page(reader, { after, limit, waitMs, signal })) {
      await request.reauthorize(isFirst ? 0 : ASKED_AGAIN_MS) // the wait, or the page, may have been long
      isFirst = false
      if (line.op === 'upsert') lineCount++
      yield line
    }
  } finally {
    if (lineCount > 0) sent.isWithin = request.chargeQuota(lineCount) // also when the page broke off
  }
}

async function* beginningWith(first: IteratorResult<string, void>, rest: AsyncGenerator<string, void, void>) {
  if (first.done !== true) yield first.value
  yield* rest
}

async function* asLines(lines: AsyncGenerator<FeedLine, void, void>): AsyncGenerator<string, void, void> {
  let chunk = ''
  for await (const line of lines) {
    chunk += `${JSON.stringify(present(line))}\n`
    if (chunk.length < CHUNK_CHARS) continue
    yield chunk
    chunk = ''
  }
  if (chunk !== '') yield chunk
}

/** Sends page after page. An error, or a revoked key, ends the stream; the follower reconnects. */
async function* asEvents(
  page: (after: string | undefined, waitMs: number) => AsyncGenerator<FeedLine, void, void>,
  from: string | undefined,
  mayStill: () => boolean,
): AsyncGenerator<string, void, void> {
  const endsAtMs = performance.now() + STREAM_ENDS_AFTER_MS
  let after = from
  let isFirst = true
  while (mayStill() && performance.now() < endsAtMs) {
    let chunk = isFirst ? `retry: ${RETRY_AFTER_S * 1000}\n\n` : ''
    let lineCount = 0
    try {
      for await (const line of page(after, isFirst ? 0 : HEARTBEAT_INTERVAL_MS)) {
        if (line.op === 'cursor') after = line.cursor
        else lineCount++
        const id = line.op === 'cursor' ? `id: ${line.cursor}\n` : ''
        if (line.op !== 'cursor' || lineCount > 0 || isFirst)
          chunk += `${id}event: ${line.op}\ndata: ${JSON.stringify(present(line))}\n\n`
        if (chunk.length < CHUNK_CHARS) continue
        yield chunk
        chunk = ''
      }
    } catch (error) {
      if (isFirst || !(error instanceof Problem)) throw error
      return
    }
    isFirst = false
    yield chunk === '' ? ':\n\n' : chunk
  }
}

function present(line: FeedLine): z.infer<typeof FeedLineView> {
  if (line.op !== 'upsert') return line
  const { category, signals: _, video, ...rest } = line
  return {
    ...rest,
    category: category ?? null,
    ...(video !== undefined && { video: { durationMs: video.durationMs } }),
    signals: timedSignals(line).map((one) => ({ ...one, hash: formatSignalHash(one.type, one.hash) })),
  }
}

/** Comma-separated texts in a query string. */
function listOf<Item extends z.ZodType<string, string>>(item: Item) {
  return z
    .string()
    .max(6400)
    .transform((text) => text.split(','))
    .pipe(z.array(item).min(1).max(100))
}
