// Signal and content types by HMA's names, and the answers of a lookup.

import { createHash } from 'node:crypto'
import { maxDistanceOf } from '../../../packages/core/src/matching/grade.js'
import { parseSignalHash } from '../../../packages/core/src/matching/hash-text.js'
import type { HashedImage, HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'
import { ownValue } from '../../../packages/core/src/own-value.js'
import { formatHash, type Hash256 } from '../../../packages/hash/src/hash256.js'
import type { Caller } from '../../domain/organisations/access.js'
import { readVpdqJson, type VpdqVideo } from '../../exchange/vpdq.js'
import type { Match } from '../../services/matching/match.js'
import { rotated } from '../../services/matching/orientations.js'
import type { AskedVideo } from '../../services/matching/video/video-matcher.js'
import { HmaRefusal } from './refusals.js'

export const PDQ = 'pdq'
export const VIDEO_MD5 = 'video_md5'
export const VPDQ = 'vpdq'
/** The HMA signal types that Tabir supports. */
export const SIGNAL_TYPES = [PDQ, VIDEO_MD5, VPDQ] as const
export type HmaSignalType = (typeof SIGNAL_TYPES)[number]
export const PHOTO = 'photo'
export const VIDEO = 'video'
/** The HMA content types that Tabir knows. */
export const CONTENT_TYPES = [
  { name: PHOTO, enabled: true },
  { name: VIDEO, enabled: true },
] as const
/** The signal types that a file of each content type is hashed to. */
const HASHED_WITH: Readonly<Record<string, readonly HmaSignalType[]>> = { [PHOTO]: [PDQ], [VIDEO]: [VIDEO_MD5, VPDQ] }

/** HMA's text for an invalid PDQ hash, including the empty one of a picture with too little structure. */
export const INVALID_PDQ = 'invalid PDQ hash'

const INVALID: Readonly<Record<HmaSignalType, string>> = {
  pdq: INVALID_PDQ,
  video_md5: 'not a valid MD5 hash',
  vpdq: 'invalid VpdqCompactFeature serialization',
}

export function signalTypeNamed(name: string): HmaSignalType {
  const type = SIGNAL_TYPES.find((known) => known === name)
  if (type === undefined) throw new HmaRefusal(400, 'No such SignalType')
  return type
}

export function contentTypeNamed(name: string): void {
  if (!CONTENT_TYPES.some((known) => known.name === name)) throw new HmaRefusal(400, 'no such content_type')
}

/** As `signalTypeNamed`, with the text that HMA's index routes use. */
export function indexedTypeNamed(name: string | undefined): void {
  if (name !== undefined && !SIGNAL_TYPES.some((known) => known === name)) throw new HmaRefusal(400, 'No such signal type')
}

/** All types, or the requested one. */
export function indexedTypes(name: string | undefined): readonly HmaSignalType[] {
  return SIGNAL_TYPES.filter((type) => name === undefined || type === name)
}

/** Frames of videos are in the PDQ index. */
export function sizeOfIndex(type: HmaSignalType, rows: Readonly<Record<string, number>>): number {
  return rows[type === VPDQ ? PDQ : type] ?? 0
}

/** @param types comma-separated names, if the client selects some. @returns the selected types; `undefined` without a selection. */
export function selectedTypes(types: string | undefined, content: string = PHOTO): readonly HmaSignalType[] | undefined {
  if (types === undefined) return undefined
  const names = types.split(',').flatMap((name) => name.trim() || [])
  const selected = (ownValue(HASHED_WITH, content) ?? []).filter((type) => names.includes(type))
  if (names.some((name) => !selected.some((type) => type === name)))
    throw new HmaRefusal(400, "signal type doesn't exist or is disabled")
  if (names.length === 0) throw new HmaRefusal(400, 'empty signal type selection')
  return selected
}

/** A hash as a client sent it, parsed. */
export type GivenHash =
  | { readonly type: typeof PDQ | typeof VIDEO_MD5; readonly hash: Hash256 }
  | { readonly type: typeof VPDQ; readonly video: VpdqVideo }

/** @param prefix of HMA's error text. */
export function givenHash(type: HmaSignalType, text: unknown, prefix: string): GivenHash {
  const given = typeof text === 'string' ? read(type, text) : undefined
  if (given === undefined) throw new HmaRefusal(400, `${prefix}: ${INVALID[type]}`)
  return given
}

function read(type: HmaSignalType, text: string): GivenHash | undefined {
  if (type === VPDQ) {
    const video = readVpdqJson(text)
    return typeof video === 'string' ? undefined : { type, video }
  }
  const hash = parseSignalHash(type, type === VIDEO_MD5 ? text.trim().toLowerCase() : text)
  return hash && { type, hash }
}

export function askedByHash(type: typeof PDQ | typeof VIDEO_MD5, hash: Hash256): HashedSignal[] {
  return [{ type, view: 'whole', quality: 100, hashes: rotated(type, 'whole', hash) }]
}

/** The query for a video. Each frame has a single hash. */
export function askedByVpdq({ signals, video }: VpdqVideo): AskedVideo {
  const frames = signals.map(({ hash, quality }, frame) => ({
    atMs: video.framesAtMs[frame] ?? 0,
    signals: [{ type: PDQ, view: 'whole', quality, hashes: rotated(PDQ, 'whole', hash) } as const],
  }))
  return { frames }
}

/** PDQ of the whole picture, as HMA would return it. */
export function pdqOf({ signals }: HashedImage): string {
  const [hash] = signals.find(({ type, view }) => type === PDQ && view === 'whole')?.hashes ?? []
  return hash === undefined ? '' : formatHash(hash)
}

/** A number from 0 to 1, always the same for one seed. Only banks whose ratio is at least this number answer. */
export function coinOf(seed: string | undefined): number {
  if (seed === undefined) return Math.random()
  return createHash('sha256').update(seed).digest().readUInt32BE() / 2 ** 32
}

/**
 * The distance as text, in HMA's form. Callers without `match:distance` get the upper end of its band. File hashes have no distance. For a video: the
 * percentage of the query's frames that match; the percentage of the registered video is not disclosed.
 * @param frames of the query, if it is a video.
 */
export function distanceText({ distanceBits, signalType, segments }: Match, { scopes }: Caller, frames?: number): string {
  if (signalType === VIDEO_MD5) return NO_DISTANCE
  if (frames !== undefined) {
    const agreeing = (segments ?? []).reduce((sum, segment) => sum + segment.frames, 0)
    return `${Math.min(100, Math.round((100 * Math.max(1, agreeing)) / frames))}%[${NO_DISTANCE}]`
  }
  return String(scopes.has('match:distance') ? distanceBits : maxDistanceOf(distanceBits))
}
const NO_DISTANCE = '-'
