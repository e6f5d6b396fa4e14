// One signal as another system gives it, in a file or a feed, checked.

import { parseSignalHash } from '../../packages/core/src/matching/hash-text.js'
import { refusalOf } from '../../packages/core/src/matching/probable-hash.js'
import type { CATEGORY_NAMES } from '../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES, type SignalType } from '../../packages/core/src/matching/signal-types.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { tagDeclaresMinor } from '../domain/cases/minors.js'
import type { ReadRecord, RecordRejection } from '../domain/organisations/bank-import.js'

/** Reads one line of a file. Never throws: a bad line is a record of the kind `rejected`. */
export type LineReader = (text: string) => ReadRecord

export const NUL = '\0'

interface GivenFields {
  /** The name of the signal type, as other systems write it. */
  readonly typeText: string
  readonly hex: string
  /** Rejected below the minimum of the type and above 100. */
  readonly quality?: number
  readonly ref?: string | undefined
  readonly category?: (typeof CATEGORY_NAMES)[number] | undefined
  /** Whether somebody reviewed the picture; if not, the tier is `self-reported`. */
  readonly isReviewed?: boolean
  /** Whether it is the hash of a frame of a video. */
  readonly isOfFrame?: boolean
}

/**
 * Checks one signal of another system: its type, hash and quality.
 *
 * @param fields a missing `quality` counts as 100: the other system accepted the hash.
 * @returns a record of the kind `put`, or `rejected` with the reason.
 */
export function signalFrom(fields: GivenFields): ReadRecord {
  const { typeText, hex, quality = 100, ref, category, isReviewed = true, isOfFrame = false } = fields
  const type = typeNamed(typeText)
  if (type === undefined) return rejected('signal-type-unknown')
  const hash = parseGivenHash(type, hex)
  if (hash === undefined) return rejected('hash-malformed')
  if (quality > 100) return rejected('quality-too-low')
  const signal = { type, view: 'whole', quality, hash } as const
  const refusal = refusalOf(isOfFrame ? { ...signal, frame: 0 } : signal)
  if (refusal !== undefined) return rejected(refusal)
  return {
    kind: 'put',
    signal: {
      signal,
      ref,
      category,
      ...(!isReviewed && { tier: 'self-reported' }),
    },
  }
}

/** Parses a hash as other programs write it: in capitals, with `0x`, or with a space or colon between bytes. @returns as `parseSignalHash` */
export function parseGivenHash(type: SignalType, given: string): Hash256 | undefined {
  const text = given.toLowerCase()
  const digits = /^([0-9a-f]{2}[ :]){15,31}[0-9a-f]{2}$/.test(text) ? text.replaceAll(/[ :]/g, '') : text.replace(/^0x/, '')
  return parseSignalHash(type, digits)
}

/** @returns the signal type that other systems call this, in upper or lower case; `undefined` for any other name. */
export function typeNamed(text: string): SignalType | undefined {
  const name = text.toLowerCase()
  if (name === 'hash_pdq') return 'pdq'
  if (name === 'hash_video_md5' || name === 'videomd5') return 'video_md5'
  return name === 'sha-256' || name === 'hash_sha256' ? 'sha256' : SIGNAL_TYPE_NAMES.find((known) => known === name)
}

export function rejected(why: RecordRejection): ReadRecord {
  return { kind: 'rejected', why }
}

/** Whether a field of another system has tags: a list, or a text with separators. @param name in lower case. */
export function isTagField(name: string): boolean {
  return TAG_FIELDS.includes(name)
}
const TAG_FIELDS = ['tags', 'labels', 'classification']

/** Whether one of the tags in a text with separators, or the whole text, says that the picture shows a person under 18. */
export function tagsDeclareMinor(text: string): boolean {
  return tagDeclaresMinor(text) || text.split(/[\s;|]+/).some(tagDeclaresMinor)
}
