// Signals in lines of JSON, as `tabir export` and other systems write them.

import { z } from 'zod'
import { UUID_PATTERN } from '../../packages/core/src/ids.js'
import { refusalOf } from '../../packages/core/src/matching/probable-hash.js'
import { CATEGORY_NAMES, TIER_NAMES, VIEW_NAMES } from '../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES, type SignalType } from '../../packages/core/src/matching/signal-types.js'
import { type TimedSignal, videoOf } from '../../packages/core/src/matching/timed-signals.js'
import { ownValue } from '../../packages/core/src/own-value.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { MAX_VIDEO_SIGNALS } from '../../packages/hash/src/video-frames.js'
import { declaresMinor } from '../domain/cases/minors.js'
import { jsonOrUndefined } from '../domain/json.js'
import type { ReadRecord, RecordRejection } from '../domain/organisations/bank-import.js'
import { isTagField, parseGivenHash, rejected, signalFrom, tagsDeclareMinor, typeNamed } from './given-signal.js'
import type { LinedRecord, RecordReader } from './record-reader.js'
import { MAX_SHORT_LINE_CHARS } from './text-lines.js'

/** Maximum size of a reference in a stored record. */
const MAX_REF_BYTES = 255
/** A picture has 194 signals at most, and takes one line. */
const MAX_LINE_SIGNALS = 200
/** Of a video: those of its frames, and the hashes of its file. */
const MAX_SIGNALS = MAX_VIDEO_SIGNALS + 2
const MAX_RECORD_LINES = 1000
const Quality = z.int().min(0).max(100)
const TimeMs = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)
const SignalId = z.string().toLowerCase().regex(UUID_PATTERN)
const Signals = z
  .array(
    z.object({
      ...{ type: z.enum(SIGNAL_TYPE_NAMES), view: z.enum(VIEW_NAMES), quality: Quality, hash: z.string() },
      atMs: TimeMs.optional(),
    }),
  )
  .min(1)
  .max(MAX_LINE_SIGNALS)
export const SignalLine = z.object({
  signalId: SignalId.optional().catch(undefined),
  type: z.enum(SIGNAL_TYPE_NAMES),
  hash: z.string(),
  quality: Quality.optional(),
  ref: z
    .string()
    .min(1)
    .refine((ref) => Buffer.byteLength(ref) <= MAX_REF_BYTES)
    .nullish(),
  category: z.enum(CATEGORY_NAMES).nullish(),
  tier: z.enum(TIER_NAMES).nullish(),
  /** The tier at registration, if organisations raised it later. An import takes this one: importing a file does not vouch for its signals. */
  registeredTier: z.enum(TIER_NAMES).nullish(),
  /** All signals of the picture or video. The line's own hash must be among them. */
  signals: Signals.optional(),
  video: z.object({ durationMs: TimeMs }).optional(),
  deleted: z.boolean().optional(),
  /** How many lines the record has, if several: this one, and those with the other signals of a video. */
  lines: z.int().min(2).max(MAX_RECORD_LINES).optional(),
})
type SignalLine = z.infer<typeof SignalLine>
/** A line with more signals of the record that began before it. */
export const NextLine = z.object({
  signalId: SignalId.optional().catch(undefined),
  line: z.int().min(2).max(MAX_RECORD_LINES),
  signals: Signals,
})
const TombstoneLine = z.object({
  signalId: SignalId,
  deleted: z.literal(true),
  hash: z.undefined().optional(),
  line: z.undefined().optional(),
})
const REASON_BY_FIELD: Readonly<Record<string, RecordRejection>> = {
  type: 'signal-type-unknown',
  hash: 'hash-malformed',
  quality: 'quality-too-low',
  ref: 'ref-malformed',
  category: 'category-unknown',
}

/** A record that has begun. */
interface Head {
  readonly line: SignalLine
  readonly hash: Hash256
  readonly signals: readonly TimedSignal[] | undefined
  /** Its own hash. Rejected only if the record removes it. */
  readonly read: ReadRecord
}

/** Reads records of one or several lines. Unknown fields are ignored. Memory: the signals of a video. */
export function createJsonReader(): RecordReader {
  let open:
    | { readonly from: number; readonly head: Head; readonly signals: TimedSignal[]; next: number; isRefused: boolean }
    | undefined

  /** Adds a line to the open record. @returns what the line completes; `undefined` if it does not belong to that record. */
  function continued(text: string, line: number): readonly LinedRecord[] | undefined {
    const value = open !== undefined && text.startsWith('{') ? jsonOrUndefined(shortOf(text)) : undefined
    const next = NextLine.safeParse(value).data
    const lines = open?.head.line.lines ?? 0
    if (open === undefined || next === undefined || next.signalId !== open.head.line.signalId || next.line !== open.next)
      return undefined
    const { head, signals, isRefused } = open
    const isLast = open.next++ === lines
    if (isLast) open = undefined
    if (isRefused) return []
    const more =
      signals.length + next.signals.length > MAX_SIGNALS
        ? 'record-too-long'
        : timedIn(next.signals, head.line.deleted === true)
    const why = value !== undefined && declaresMinor(value) ? 'minor-declared' : typeof more === 'string' ? more : undefined
    if (why !== undefined) {
      if (open !== undefined) open.isRefused = true
      return [{ line, record: rejected(why) }]
    }
    for (const signal of typeof more === 'string' ? [] : more) signals.push(signal)
    return isLast ? [{ line, record: completed({ ...head, signals }) }] : []
  }

  /** Ends a record that lacks lines. */
  function brokenOff(line: number): LinedRecord[] {
    const isNoted = open !== undefined && !open.isRefused
    open = undefined
    return isNoted ? [{ line, record: rejected('record-incomplete') }] : []
  }

  return {
    get openFrom() {
      return open?.from
    },
    read(text, line) {
      if (text === '') return []
      if (text === undefined) return [...brokenOff(line - 1), { line, record: rejected('record-too-long') }]
      const more = continued(text, line)
      if (more !== undefined) return more
      const before = brokenOff(line - 1)
      const begun = beginningIn(text)
      if ('kind' in begun) return [...before, { line, record: begun }]
      const isWhole = begun.line.lines === undefined
      if (isWhole) return [...before, { line, record: completed(begun) }]
      open = { from: line, head: begun, signals: [...(begun.signals ?? [])], next: 2, isRefused: false }
      return before
    },
    end: brokenOff,
  }
}

/** Lines of JSON that are longer have no signal that fits. Parsing them would take long. */
function shortOf(text: string): string {
  return text.length > MAX_SHORT_LINE_CHARS ? '' : text
}

/** @returns what a line of JSON begins, or the whole record if it has no signal or is refused. */
function beginningIn(text: string): Head | ReadRecord {
  if (text.length > MAX_SHORT_LINE_CHARS) return rejected('record-too-long')
  const value = jsonOrUndefined(text)
  if (typeof value !== 'object' || value === null) return rejected('record-unreadable')
  if (declaresMinor(value) || tagsIn(value).some(tagsDeclareMinor)) return rejected('minor-declared')
  const tombstone = TombstoneLine.safeParse(value)
  if (tombstone.success) return { kind: 'remove-id', signalId: tombstone.data.signalId }
  if (Object.hasOwn(value, 'line') && NextLine.safeParse(value).success) return rejected('record-incomplete')
  const line = SignalLine.safeParse(withOwnType(value))
  if (!line.success) return rejected(ownValue(REASON_BY_FIELD, String(line.error.issues[0]?.path[0])) ?? 'record-unreadable')
  const { type, hash: hex, quality, lines, video, category, tier, registeredTier = tier } = line.data
  const hash = parseGivenHash(type, hex)
  if (hash === undefined) return rejected('hash-malformed')
  const isRemoved = line.data.deleted === true
  const signals = line.data.signals === undefined ? undefined : timedIn(line.data.signals, isRemoved)
  if (typeof signals === 'string') return rejected(signals)
  if (lines !== undefined && video === undefined) return rejected('record-unreadable')
  const read = signalFrom({
    typeText: type,
    hex,
    ...(quality !== undefined && { quality }),
    ref: line.data.ref ?? undefined,
    category: category ?? undefined,
    isReviewed: registeredTier !== 'self-reported',
    isOfFrame: video !== undefined,
  })
  return read.kind === 'rejected' && !isRemoved ? read : { line: line.data, hash, signals, read }
}

/** Other systems write types in capitals, and ThreatExchange as `HASH_PDQ`. */
function withOwnType(value: object): object {
  const type = 'type' in value && typeof value.type === 'string' ? typeNamed(value.type) : undefined
  return type === undefined ? value : { ...value, type }
}

function completed({ line, hash, signals: timed, read }: Head): ReadRecord {
  const { signalId, type, deleted } = line
  const ref = line.ref ?? undefined
  if (timed !== undefined && !timed.some((signal) => isWhole(signal, type, hash))) return rejected('record-unreadable')
  const { durationMs } = line.video ?? {}
  const isTimed = timed?.some(({ atMs }) => atMs !== undefined) === true
  if (isTimed && durationMs === undefined) return rejected('record-unreadable')
  const film = durationMs === undefined || timed === undefined ? undefined : videoOf(durationMs, timed)
  const picture = film?.signals ?? timed
  if (deleted === true) return { kind: 'remove', signal: { signal: { type, hash }, picture, ref }, signalId }
  return read.kind === 'put' ? { ...read, signal: { ...read.signal, picture, video: film?.video }, signalId } : read
}

/** @returns the signals, or why one of them is invalid. Any hash can be removed: an older version may have taken it. */
function timedIn(given: z.infer<typeof Signals>, isRemoved: boolean): TimedSignal[] | RecordRejection {
  const signals: TimedSignal[] = []
  for (const { type, view, quality, hash: hex, atMs } of given) {
    const hash = parseGivenHash(type, hex)
    if (hash === undefined) return 'hash-malformed'
    // A signal with a time is of a frame.
    const refusal = refusalOf({ type, view, quality, hash, ...(atMs !== undefined && { frame: 0 }) })
    if (refusal === 'quality-too-low' || (refusal !== undefined && !isRemoved)) return refusal
    signals.push({ type, view, quality, hash, ...(atMs !== undefined && { atMs }) })
  }
  return signals
}

/** Whether it is the line's own hash. */
function isWhole({ view, type, hash }: TimedSignal, itsType: SignalType, itself: Hash256): boolean {
  return view === 'whole' && type === itsType && Buffer.compare(hash, itself) === 0
}

/** Tags that other systems add to a hash: a list, or a text with separators. */
function tagsIn(record: object): string[] {
  const named = Object.entries(record).filter(([name]) => isTagField(name.toLowerCase()))
  return named.flatMap(([, tags]) => [tags].flat().filter((tag) => typeof tag === 'string'))
}
