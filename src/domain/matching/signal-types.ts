// The kinds of hash that Tabir knows. One row per type; limits, codecs and the API's schema derive from it.

/**
 * `code`: the byte in stored records; never reused.
 * `algorithm`: types of one algorithm err together, so they do not confirm each other.
 * `thresholdBits`: the radius of a match when the bank says nothing else; of `pdq-area` the widest, which `evidence.ts` narrows by
 *   the views that are compared.
 * `maxThresholdBits`: the widest radius a caller may ask for. PDQ's first false pair in 138 M lay at 62 bits; at 90
 *   chance matches would begin to describe the bank rather than the picture.
 * `corroboratesBits`: how near a second type has to be to confirm a match of another one. Wider than its own threshold,
 *   because it is asked about one picture only and not about all of them.
 * `decidesAlone`: is a pair of these within the threshold a match by itself? Of 2.2 million pairs of unrelated pictures, by blockhash six
 *   were (docs/robustness.md).
 * `identifies`: does a distance of 0 mean the same picture? Blockhash is too coarse for that: other sizes of a picture that
 *   differ by 16 bits of PDQ are 0 apart.
 * `minQuality`: below this the hash says too little about the picture to be banked.
 * `minAskedQuality`: below this, to be asked about. A copy that is darker or has less contrast has less of it than the picture it is a
 *   copy of; half of it is still a copy, and what it is compared with has the other.
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
    minQuality: 50,
    minAskedQuality: 25,
  },
  'pdq-area': {
    code: 4,
    algorithm: 'pdq',
    thresholdBits: 52,
    maxThresholdBits: 56,
    corroboratesBits: 31,
    decidesAlone: true,
    identifies: false,
    minQuality: 50,
    minAskedQuality: 25,
  },
  blockhash: {
    code: 2,
    algorithm: 'blockhash',
    thresholdBits: 15,
    maxThresholdBits: 31,
    corroboratesBits: 31,
    decidesAlone: false,
    identifies: false,
    minQuality: 0,
    minAskedQuality: 0,
  },
  sha256: {
    code: 3,
    algorithm: 'sha256',
    thresholdBits: 0,
    maxThresholdBits: 0,
    corroboratesBits: 0,
    decidesAlone: true,
    identifies: true,
    minQuality: 0,
    minAskedQuality: 0,
  },
} as const

export type SignalType = keyof typeof SIGNAL_TYPES

export const SIGNAL_TYPE_NAMES = ['pdq', 'pdq-area', 'blockhash', 'sha256'] as const satisfies readonly SignalType[]

/**
 * What an index may hold. Rows of details are no signal: one alone says nothing, they are asked about by geometry alone
 * (`services/details`), and what derives from the types of signal must not take them for one.
 */
export const ROW_TYPES = [...SIGNAL_TYPE_NAMES, 'detail'] as const
export type RowType = (typeof ROW_TYPES)[number]

/** Stored codes of what is no signal: a detail that is searched for, and what all of a picture's have in common. Never reused. */
export const DETAIL_CODES = { row: 5, head: 6 } as const

/** Rows of details are searched for within so many bits: half of the true ones lie within, and one wrong one in 20 million. */
export const DETAIL_BITS = 24

/** @returns the type with this stored code, or `undefined` for a code of a newer version. */
export function signalTypeOf(code: number): SignalType | undefined {
  return SIGNAL_TYPE_NAMES.find((name) => SIGNAL_TYPES[name].code === code)
}
