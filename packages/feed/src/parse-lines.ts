// Parses the lines of a feed. They have the same form in the service's answers and in the follower's file.

import { z } from 'zod'
import { parseSignalHash } from '../../core/src/matching/hash-text.js'
import { CursorLine, FedSignal, SnapshotBegin, SnapshotEnd, TombstoneLine, UpsertLine } from './feed-line.js'

/** Twice the maximum of a video. */
const MAX_FED_SIGNALS = 20_000

/** A newer server may send types and views that this version does not know: they are left out. */
const FedSignals = z
  .array(z.unknown())
  .max(MAX_FED_SIGNALS)
  .transform((signals) => signals.flatMap((signal) => HeldHash.safeParse(signal).data ?? []))
const TimeMs = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)
const HeldHash = FedSignal.omit({ quality: true })
  .extend({ atMs: TimeMs.optional() })
  .transform(({ hash: text, type, view, atMs }, context) => {
    const hash = parseSignalHash(type, text)
    if (hash !== undefined) return { type, view, hash, ...(atMs !== undefined && { atMs }) }
    context.addIssue({ code: 'custom', message: 'is no hash' })
    return z.NEVER
  })

const Upsert = UpsertLine.extend({
  /** `null` also for a category that this version does not know. */
  category: UpsertLine.shape.category.catch(null),
  narrowed: UpsertLine.shape.narrowed.default(false),
  video: z.object({ durationMs: TimeMs }).optional(),
  signals: FedSignals,
  /** Only in files: the snapshot that was being read had not named this signal yet. */
  old: z.literal(true).optional(),
})
export type HeldSignal = Omit<z.infer<typeof Upsert>, 'op' | 'old'>

const Line = z.discriminatedUnion('op', [Upsert, TombstoneLine, SnapshotBegin, SnapshotEnd, CursorLine])
export type FedLine = z.infer<typeof Line>

/** Parses one line. @throws {FeedError} feed-unreadable */
export function parseLine(text: string): FedLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new FeedError('feed-unreadable')
  }
  const line = Line.safeParse(value)
  if (!line.success) throw new FeedError('feed-unreadable')
  return line.data
}

/**
 * - `feed-unreadable`: a line is not in the format of the feed.
 * - `feed-broken-off`: a page ended before its last line. A retry reads it again.
 * - `refused`: the server refused the request; `code` says why.
 * - `unreachable`: no connection, or no answer in time.
 * - `file-unreadable`: the follower's file is not such a file, or is cut short. Delete it to start again.
 */
export type FeedFailure = 'feed-unreadable' | 'feed-broken-off' | 'refused' | 'unreachable' | 'file-unreadable'

/** Why a feed could not be followed. Contains no hash, URL or key. */
export class FeedError extends Error {
  readonly failure: FeedFailure
  /** The problem code, if the server refused. */
  readonly code: string | undefined
  constructor(failure: FeedFailure, code?: string) {
    super(code ?? failure)
    this.name = 'FeedError'
    this.failure = failure
    this.code = code
  }
}

/** Splits chunks of bytes into lines, without empty ones. A last line without its line break is dropped. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) if (part !== '') yield part
  }
}
