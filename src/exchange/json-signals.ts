// Signals in lines of JSON, as `tabir export` and other systems write them.

import { z } from 'zod'
import { type Hash256, parseHash } from '../../packages/hash/src/hash256.js'
import { declaresMinor, tagDeclaresMinor } from '../domain/cases/minors.js'
import { UUID_PATTERN } from '../domain/ids.js'
import { CATEGORY_NAMES, type Signal, TIER_NAMES, VIEW_NAMES } from '../domain/matching/signal.js'
import { SIGNAL_TYPE_NAMES, SIGNAL_TYPES } from '../domain/matching/signal-types.js'
import { type TimedSignal, videoOf } from '../domain/matching/timed-signals.js'
import type { ReadRecord, RecordRejection } from '../domain/organisations/bank-import.js'
import { ownValue } from '../domain/own-value.js'
import { rejected, signalFrom } from './given-signal.js'

/** The room that a stored record has for a reference. */
const MAX_REF_BYTES = 255
const MAX_PICTURE_SIGNALS = 64
const Quality = z.int().min(0).max(100)
const TimeMs = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)
const SignalLine = z.object({
  signalId: z.string().toLowerCase().regex(UUID_PATTERN).optional().catch(undefined),
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
  signals: z
    .array(
      z.object({
        ...{ type: z.enum(SIGNAL_TYPE_NAMES), view: z.enum(VIEW_NAMES), quality: Quality, hash: z.string() },
        atMs: TimeMs.optional(),
      }),
    )
    .min(1)
    .max(MAX_PICTURE_SIGNALS)
    .optional(),
  video: z.object({ durationMs: TimeMs }).optional(),
  deleted: z.boolean().optional(),
})
const TombstoneLine = z.object({
  signalId: z.string().toLowerCase().regex(UUID_PATTERN),
  deleted: z.literal(true),
  hash: z.undefined().optional(),
})
const REASON_BY_FIELD: Readonly<Record<string, RecordRejection>> = {
  type: 'signal-type-unknown',
  hash: 'hash-malformed',
  quality: 'quality-too-low',
  ref: 'ref-unfit',
  category: 'category-unknown',
}

/** Reads one line of JSON. Unknown fields are ignored. */
export function readJson(text: string): ReadRecord {
  if (text === '') return { kind: 'blank' }
  const value = parsed(text)
  if (typeof value !== 'object' || value === null) return rejected('record-unreadable')
  if (declaresMinor(value) || tagsIn(value).some(tagDeclaresMinor)) return rejected('minor-declared')
  const tombstone = TombstoneLine.safeParse(value)
  if (tombstone.success) return { kind: 'remove-id', signalId: tombstone.data.signalId }
  const line = SignalLine.safeParse(value)
  if (!line.success) return rejected(ownValue(REASON_BY_FIELD, String(line.error.issues[0]?.path[0])) ?? 'record-unreadable')
  const { signalId, type, hash: hex, quality, category, tier, registeredTier = tier, deleted } = line.data
  const ref = line.data.ref ?? undefined
  const hash = parseHash(hex.toLowerCase())
  if (hash === undefined) return rejected('hash-malformed')
  const timed = pictureIn(line.data.signals, { type, hash })
  if (typeof timed === 'string') return rejected(timed)
  const { durationMs } = line.data.video ?? {}
  const isTimed = timed?.some(({ atMs }) => atMs !== undefined) === true
  if (isTimed && durationMs === undefined) return rejected('record-unreadable')
  const film = durationMs === undefined || timed === undefined ? undefined : videoOf(durationMs, timed)
  const picture = film?.signals ?? timed
  if (deleted === true) return { kind: 'remove', signal: { signal: { type, hash }, picture, ref }, signalId }
  const read = signalFrom({
    typeText: type,
    hex,
    ...(quality !== undefined && { quality }),
    ref,
    category: category ?? undefined,
    isReviewed: registeredTier !== 'self-reported',
  })
  return read.kind === 'put' ? { ...read, signal: { ...read.signal, picture, video: film?.video }, signalId } : read
}

/**
 * @param itself the line's own hash. One of the signals of the whole picture must be equal to it.
 * @returns the reason where the line is rejected; `undefined` where it has no list of signals.
 */
function pictureIn(
  given: z.infer<typeof SignalLine>['signals'],
  itself: Pick<Signal, 'type' | 'hash'>,
): TimedSignal[] | undefined | RecordRejection {
  if (given === undefined) return undefined
  const signals: TimedSignal[] = []
  for (const { type, view, quality, hash: hex, atMs } of given) {
    const hash = parseHash(hex.toLowerCase())
    if (hash === undefined) return 'hash-malformed'
    if (quality < SIGNAL_TYPES[type].minQuality) return 'quality-too-low'
    signals.push({ type, view, quality, hash, ...(atMs !== undefined && { atMs }) })
  }
  const isThere = signals.some(
    ({ type, view, hash }) => view === 'whole' && type === itself.type && isSame(hash, itself.hash),
  )
  return isThere ? signals : 'record-unreadable'
}

function isSame(a: Hash256, b: Hash256): boolean {
  return Buffer.compare(a, b) === 0
}

/** Tags that other systems add to a hash: a list, or a text with separators. */
function tagsIn(record: object): string[] {
  const named = Object.entries(record).filter(([name]) => TAG_FIELDS.includes(name.toLowerCase()))
  return named.flatMap(([, tags]) =>
    [tags].flat().flatMap((tag) => (typeof tag === 'string' ? [tag, ...tag.split(/[\s;|]+/)] : [])),
  )
}
const TAG_FIELDS = ['tags', 'labels', 'classification']

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
