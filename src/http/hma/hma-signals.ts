// Signal and content types by HMA's names, and the answers of a lookup.

import { createHash } from 'node:crypto'
import { formatHash, type Hash256, parseHash } from '../../../packages/hash/src/hash256.js'
import { maxDistanceOf } from '../../domain/matching/grade.js'
import type { HashedImage, HashedSignal } from '../../domain/matching/hashed-image.js'
import type { Caller } from '../../domain/organisations/access.js'
import type { Match } from '../../services/matching/match.js'
import { rotated } from '../../services/matching/orientations.js'
import { HmaRefusal } from './refusals.js'

/** The only one of HMA's signal types that Tabir has. */
export const PDQ = 'pdq'
export const PHOTO = 'photo'
export const VIDEO = 'video'
/** Of HMA's content types, those that are known; which of them are taken. */
export const CONTENT_TYPES = [
  { name: PHOTO, enabled: true },
  { name: VIDEO, enabled: false },
] as const

/** HMA's own text for a hash that is none; also for the empty one that a plain picture gives. */
export const INVALID_PDQ = 'invalid PDQ hash'

export function signalTypeNamed(name: string): void {
  if (name !== PDQ) throw new HmaRefusal(400, 'No such SignalType')
}

export function contentTypeNamed(name: string): void {
  const type = CONTENT_TYPES.find((known) => known.name === name)
  if (type === undefined) throw new HmaRefusal(400, 'no such content_type')
  if (!type.enabled) throw new HmaRefusal(400, `content_type ${type.name} is disabled`)
}

/** The same, as HMA says it of its indices. */
export function indexedTypeNamed(name: string | undefined): void {
  if (name !== undefined && name !== PDQ) throw new HmaRefusal(400, 'No such signal type')
}

/** `types`, where a client selects some: names with commas between. */
export function selectedTypes(types: string | undefined): void {
  if (types === undefined) return
  const names = types.split(',').flatMap((name) => name.trim() || [])
  if (names.some((name) => name !== PDQ)) throw new HmaRefusal(400, "signal type doesn't exist or is disabled")
  if (names.length === 0) throw new HmaRefusal(400, 'empty signal type selection')
}

/** @param before what stands before HMA's text. */
export function pdqHash(text: unknown, before: string): Hash256 {
  const hash = typeof text === 'string' ? parseHash(text) : undefined
  if (hash === undefined) throw new HmaRefusal(400, `${before}: ${INVALID_PDQ}`)
  return hash
}

export function askedByHash(hash: Hash256): HashedSignal[] {
  return [{ type: PDQ, view: 'whole', quality: 100, hashes: rotated(PDQ, 'whole', hash) }]
}

/** The PDQ of the picture as a whole, as HMA would give it. */
export function pdqOf({ signals }: HashedImage): string {
  const [hash] = signals.find(({ type, view }) => type === PDQ && view === 'whole')?.hashes ?? []
  return hash === undefined ? '' : formatHash(hash)
}

/** 0…1, the same for the same seed. A bank answers when its ratio is not under it. */
export function coinOf(seed: string | undefined): number {
  if (seed === undefined) return Math.random()
  return createHash('sha256').update(seed).digest().readUInt32BE() / 2 ** 32
}

/** As HMA has distances, a text; and in bands for who may not know them exactly: how far it is at most. */
export function distanceText({ distanceBits }: Match, { scopes }: Caller): string {
  return String(scopes.has('match:distance') ? distanceBits : maxDistanceOf(distanceBits))
}
