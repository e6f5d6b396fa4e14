// Colour spaces that a file declares without a profile: by code points of ITU-T H.273 (in PNG, AVIF and HEIF), or by the chunks gAMA and cHRM of PNG.

/** Chromaticities x and y of red, green, blue and white. */
export type Primaries = readonly [x: number, y: number, x: number, y: number, x: number, y: number, x: number, y: number]

export interface ColourSignal {
  /** Converts a code value, 0…1, to linear light: for `sdr` 0…1 of white, for `pq` nits, for `hlg` 0…1 of scene light. */
  readonly toLight: (code: number) => number
  readonly range: 'sdr' | 'pq' | 'hlg'
  /** `undefined`: those of sRGB. */
  readonly primaries: Primaries | undefined
}

// White points, x and y.
const D65 = [0.3127, 0.329] as const
const C = [0.31, 0.316] as const
const DCI = [0.314, 0.351] as const
const EQUAL = [1 / 3, 1 / 3] as const

export const BT2020: Primaries = [0.708, 0.292, 0.17, 0.797, 0.131, 0.046, ...D65]
export const SRGB: Primaries = [0.64, 0.33, 0.3, 0.6, 0.15, 0.06, ...D65]

/** By code point of H.273. Others, and 1, are those of sRGB. */
const PRIMARIES: ReadonlyMap<number, Primaries> = new Map<number, Primaries>([
  [4, [0.67, 0.33, 0.21, 0.71, 0.14, 0.08, ...C]],
  [5, [0.64, 0.33, 0.29, 0.6, 0.15, 0.06, ...D65]],
  [6, [0.63, 0.34, 0.31, 0.595, 0.155, 0.07, ...D65]],
  [7, [0.63, 0.34, 0.31, 0.595, 0.155, 0.07, ...D65]],
  [8, [0.681, 0.319, 0.243, 0.692, 0.145, 0.049, ...C]],
  [9, BT2020],
  [10, [1, 0, 0, 1, 0, 0, ...EQUAL]],
  [11, [0.68, 0.32, 0.265, 0.69, 0.15, 0.06, ...DCI]],
  [12, [0.68, 0.32, 0.265, 0.69, 0.15, 0.06, ...D65]],
  [22, [0.63, 0.34, 0.295, 0.605, 0.155, 0.077, ...D65]],
])

const power = (exponent: number) => (code: number) => code ** exponent

/** Transfer curves by code point of H.273. Others are shown as sRGB. */
const SDR_CURVES: ReadonlyMap<number, (code: number) => number> = new Map([
  [4, power(2.2)],
  [5, power(2.8)],
  [7, (code: number) => (code < 0.0913 ? code / 4 : ((code + 0.1115) / 1.1115) ** (1 / 0.45))],
  [8, power(1)],
  [17, (code: number) => (52.37 / 48) * code ** 2.6],
])
/** Code points of television curves: Chromium shows them with a gamma of 2.4 in PNG, and as sRGB in AVIF. */
const TELEVISION = [1, 6, 11, 14, 15]
const BT709 = 1
const RESERVED = 0
const PQ = 16
const HLG = 18

/**
 * @param primaries, transfer code points of H.273.
 * @param format matters, because browsers show PNG and AVIF with the same code points differently.
 * @returns `srgb` for sRGB, and for code points that browsers show as sRGB.
 */
export function signalOf(primaries: number, transfer: number, format: 'png' | 'heif'): ColourSignal | 'srgb' {
  const own = PRIMARIES.get(primaries)
  const isTold = primaries === BT709 || own !== undefined
  if (!isTold && (format === 'png' || primaries === RESERVED)) return 'srgb'
  if (transfer === PQ) return { toLight: nitsOfPq, range: 'pq', primaries: own }
  if (transfer === HLG) return { toLight: sceneOfHlg, range: 'hlg', primaries: own }
  const curve = format === 'png' && TELEVISION.includes(transfer) ? power(2.4) : SDR_CURVES.get(transfer)
  if (curve === undefined && own === undefined) return 'srgb'
  return { toLight: curve ?? lightOfSrgb, range: 'sdr', primaries: own }
}

/** @param gamma of the chunk gAMA, above 0: a code value is raised to its reciprocal. */
export function signalOfGamma(gamma: number, primaries: Primaries | undefined): ColourSignal {
  return { toLight: power(1 / gamma), range: 'sdr', primaries }
}

export function lightOfSrgb(code: number): number {
  return code <= 0.04045 ? code / 12.92 : ((code + 0.055) / 1.055) ** 2.4
}

/** SMPTE ST 2084. */
function nitsOfPq(code: number): number {
  const root = code ** (1 / 78.84375)
  return 10_000 * (Math.max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
}

/** ITU-R BT.2100: the inverse of its OETF. */
function sceneOfHlg(code: number): number {
  return code <= 0.5 ? code ** 2 / 3 : (Math.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12
}
