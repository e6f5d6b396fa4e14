// The hash types that Tabir knows, one row each. Limits, codecs and the API's schema derive from these rows.

import { blockhashDihedralsOf, dihedralsOf } from '../../../hash/src/dihedral.js'
import type { Hash256 } from '../../../hash/src/hash256.js'

const onlyItself = (hash: Hash256): readonly Hash256[] => [hash]

/** Hashes of whole files are equal or not: their distance says nothing. */
const OF_FILES = {
  thresholdBits: 0,
  maxThresholdBits: 0,
  corroboratesBits: 0,
  decidesAlone: true,
  identifies: true,
  minQuality: 0,
  minAskedQuality: 0,
  orientationsOf: onlyItself,
} as const

/**
 * Columns:
 * - `code`: the byte in stored records. Never reuse one.
 * - `algorithm`: types of the same algorithm make the same mistakes, so they do not confirm each other.
 * - `thresholdBits`: match radius in bits, inclusive, unless the bank sets another. For `pdq-area` it is the widest one; `evidence.ts` narrows it by
 *   the compared views.
 * - `maxThresholdBits`: the widest radius a caller may ask for. Whole PDQ has its first false pair at 48 bits, of 12 million (docs/robustness.md).
 *   Beyond 90 bits unrelated rows would match by chance, which says nothing about the picture and reveals what the bank contains.
 * - `corroboratesBits`: the radius in which a type confirms a match of another type. It may be wider than `thresholdBits`, because it is compared
 *   with one picture, not with all.
 * - `decidesAlone`: whether one pair within the threshold is a match. Not for blockhash: 6 of 2.2 million pairs of unrelated pictures were within it
 *   (docs/robustness.md).
 * - `identifies`: whether distance 0 means the same picture. Not for blockhash: resized copies that differ in 16 bits of PDQ have distance 0.
 * - `provesFile`: whether equality alone is graded `exact`, because nobody can make two files with this hash. Not for MD5: a public tool makes two
 *   videos with one MD5 at once. Not for PDQ: a picture can be bent to any PDQ within seconds, with faint smudges.
 * - `minQuality`: the lowest quality that can be registered. A hash with a lower one says too little about the picture.
 * - `minAskedQuality`: the same for queries. It is lower because a darker copy, or one with less contrast, has a lower quality than the
 *   registered picture.
 * - `orientationsOf`: a hash of a query in all orientations, computed from its bits alone, so that rotated copies are found.
 */
export const SIGNAL_TYPES = {
  pdq: {
    code: 1,
    algorithm: 'pdq',
    thresholdBits: 31,
    maxThresholdBits: 90,
    corroboratesBits: 31,
    decidesAlone: true,
    identifies: true,
    provesFile: false,
    minQuality: 50,
    minAskedQuality: 25,
    orientationsOf: dihedralsOf,
  },
  'pdq-area': {
    code: 4,
    algorithm: 'pdq',
    thresholdBits: 52,
    maxThresholdBits: 56,
    corroboratesBits: 31,
    decidesAlone: true,
    identifies: false,
    provesFile: false,
    minQuality: 50,
    minAskedQuality: 25,
    orientationsOf: dihedralsOf,
  },
  blockhash: {
    code: 2,
    algorithm: 'blockhash',
    thresholdBits: 15,
    maxThresholdBits: 31,
    corroboratesBits: 31,
    decidesAlone: false,
    identifies: false,
    provesFile: false,
    minQuality: 0,
    minAskedQuality: 0,
    orientationsOf: blockhashDihedralsOf,
  },
  sha256: {
    code: 3,
    algorithm: 'sha256',
    provesFile: true,
    ...OF_FILES,
  },
  /** MD5 of a video file, by which other systems identify it. */
  video_md5: {
    code: 9,
    algorithm: 'md5',
    provesFile: false,
    ...OF_FILES,
  },
} as const

export type SignalType = keyof typeof SIGNAL_TYPES

export const SIGNAL_TYPE_NAMES = [
  'pdq',
  'pdq-area',
  'blockhash',
  'sha256',
  'video_md5',
] as const satisfies readonly SignalType[]

/**
 * The types of rows in an index. `detail` is not a signal type: one detail alone proves nothing, only the geometry of many does
 * (`src/services/matching/details/detail-finder.ts`). So nothing that derives from the signal types includes it.
 */
export const ROW_TYPES = [...SIGNAL_TYPE_NAMES, 'detail'] as const
export type RowType = (typeof ROW_TYPES)[number]

/** Makes one value for each type that is compared by distance. A bank may set the threshold of these types. */
export function byComparedType<T>(valueFor: (type: 'pdq' | 'pdq-area' | 'blockhash') => T) {
  return { pdq: valueFor('pdq'), 'pdq-area': valueFor('pdq-area'), blockhash: valueFor('blockhash') }
}

export function bySignalType<T>(valueFor: (type: SignalType) => T): Record<SignalType, T> {
  return { ...byComparedType(valueFor), sha256: valueFor('sha256'), video_md5: valueFor('video_md5') }
}

export function byRowType<T>(valueFor: (type: RowType) => T): Record<RowType, T> {
  return { ...bySignalType(valueFor), detail: valueFor('detail') }
}

/** Codes of stored rows that are not signals. `row`: one searchable detail. `head`: the data that all details of a picture share. Never reuse one. */
export const DETAIL_CODES = { row: 5, head: 6 } as const

/**
 * Codes of stored rows that make an image a video. `head`: the video itself, before all of its frames. `frame`: one frame; the signals after it
 * belong to it. Never reuse one.
 */
export const VIDEO_CODES = { head: 7, frame: 8 } as const

/** Search radius for details in bits. It finds half of the true pairs, and one in 20 million unrelated pairs. */
export const DETAIL_BITS = 24

/** @returns the type with this stored code; `undefined` for a code of a newer version. */
export function signalTypeOf(code: number): SignalType | undefined {
  return SIGNAL_TYPE_NAMES.find((name) => SIGNAL_TYPES[name].code === code)
}
