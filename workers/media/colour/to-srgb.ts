// Converts pixels from a declared colour space to sRGB, as browsers do.

import { BT2020, type ColourSignal, type Primaries, SRGB } from './colour-signal.js'

/**
 * @param codes red, green, blue and alpha of each pixel, 8 or 16 bits each. Not changed.
 * @returns the pixels in sRGB, 8 bits each. Alpha keeps its upper 8 bits.
 *
 * Cost: 20 to 60 ns a pixel, and a table of all code values. So reduce the picture first.
 */
export function toSrgb(codes: Uint8Array | Uint16Array, signal: ColourSignal): Buffer {
  const highest = codes.BYTES_PER_ELEMENT === 1 ? 255 : 65_535
  const light = Float32Array.from({ length: highest + 1 }, (_, code) => signal.toLight(code / highest))
  const isHdr = signal.range !== 'sdr'
  const toLinear = isHdr ? matrixBetween(signal.primaries ?? SRGB, BT2020) : IDENTITY
  const [a, b, c, d, e, f, g, h, i] = isHdr ? matrixBetween(BT2020, SRGB) : matrixBetween(signal.primaries ?? SRGB, SRGB)
  const shown = Buffer.alloc(codes.length)
  const rgb = new Float64Array(3)
  for (let at = 0; at < codes.length; at += 4) {
    for (let channel = 0; channel < 3; channel++) rgb[channel] = light[codes[at + channel] ?? 0] ?? 0
    if (isHdr) toneMap(rgb, toLinear, signal.range)
    const [red = 0, green = 0, blue = 0] = rgb
    shown[at] = encoded(a * red + b * green + c * blue)
    shown[at + 1] = encoded(d * red + e * green + f * blue)
    shown[at + 2] = encoded(g * red + h * green + i * blue)
    const alpha = codes[at + 3] ?? highest
    shown[at + 3] = highest === 255 ? alpha : alpha >> 8
  }
  light.fill(0)
  return shown
}

/** The sRGB level, 0…255, of each of 65,536 steps of linear light. */
const ENCODED = Uint8Array.from({ length: 65_536 }, (_, step) => {
  const light = step / 65_535
  return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055))
})

function encoded(light: number): number {
  return ENCODED[Math.round(65_535 * Math.min(1, Math.max(0, light)))] ?? 0
}

const PEAK_NITS = 1000
/** System gamma of HLG for a peak of `PEAK_NITS` (BT.2100). */
const HLG_GAMMA = 1.2

/**
 * Maps light of up to `PEAK_NITS` to 0…1 of sRGB's white. Scales the three channels by the same factor, which depends on the brightest of them in
 * BT.2020. The factors are those of Chromium 156, and the result is within 3 of its 255 levels. The white of a page (203 nits) becomes half of white;
 * darker light is scaled by the same factor, brighter light is compressed.
 */
function toneMap(rgb: Float64Array, toBt2020: Matrix, range: 'pq' | 'hlg' | 'sdr'): void {
  const [r = 0, g = 0, b = 0] = rgb
  const red = toBt2020[0] * r + toBt2020[1] * g + toBt2020[2] * b
  const green = toBt2020[3] * r + toBt2020[4] * g + toBt2020[5] * b
  const blue = toBt2020[6] * r + toBt2020[7] * g + toBt2020[8] * b
  const luminance = Math.max(0, 0.2627 * red + 0.678 * green + 0.0593 * blue)
  const gain = range === 'pq' ? 1 : PEAK_NITS * luminance ** (HLG_GAMMA - 1)
  const brightest = gain * Math.max(red, green, blue)
  const factor = brightest <= 0 ? 0 : (gain * shownLight(brightest)) / brightest
  rgb[0] = red * factor
  rgb[1] = green * factor
  rgb[2] = blue * factor
}

/** Pairs of nits and linear light of sRGB, 0…1. Values between them are interpolated. */
const SHOWN = [
  [0, 0],
  [203, 0.5],
  [305, 0.6584],
  [455, 0.7758],
  [567, 0.8469],
  [681, 0.8963],
  [PEAK_NITS, 1],
] as const

function shownLight(nits: number): number {
  for (let k = 1; k < SHOWN.length; k++) {
    const [[fromNits, from], [toNits, to]] = [SHOWN[k - 1] ?? SHOWN[0], SHOWN[k] ?? SHOWN[0]]
    if (nits <= toNits) return from + ((to - from) * (nits - fromNits)) / (toNits - fromNits)
  }
  return 1
}

type Matrix = readonly [number, number, number, number, number, number, number, number, number]
const IDENTITY: Matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1]
/** From CIE XYZ to the cone responses of Bradford, in which white points are adapted. */
const BRADFORD: Matrix = [0.8951, 0.2664, -0.1614, -0.7502, 1.7135, 0.0367, 0.0389, -0.0685, 1.0296]

function matrixBetween(from: Primaries, to: Primaries): Matrix {
  if (from === to) return IDENTITY
  return times(inverse(toXyzD65(to)), toXyzD65(from))
}

/** @returns the matrix from linear light to CIE XYZ, adapted to the white point of sRGB. */
function toXyzD65(primaries: Primaries): Matrix {
  const [rx, ry, gx, gy, bx, by, wx, wy] = primaries
  const columns: Matrix = [rx, gx, bx, ry, gy, by, 1 - rx - ry, 1 - gx - gy, 1 - bx - by]
  const white = [wx / wy, 1, (1 - wx - wy) / wy] as const
  const [r, g, b] = applied(inverse(columns), white)
  const scaled = times(columns, [r, 0, 0, 0, g, 0, 0, 0, b])
  const d65 = [SRGB[6] / SRGB[7], 1, (1 - SRGB[6] - SRGB[7]) / SRGB[7]] as const
  const [own, wanted] = [applied(BRADFORD, white), applied(BRADFORD, d65)]
  const adapted: Matrix = [wanted[0] / own[0], 0, 0, 0, wanted[1] / own[1], 0, 0, 0, wanted[2] / own[2]]
  return times(times(inverse(BRADFORD), times(adapted, BRADFORD)), scaled)
}

function times(a: Matrix, b: Matrix): Matrix {
  const column = (k: 0 | 1 | 2) => applied(a, [b[k], b[(k + 3) as 3], b[(k + 6) as 6]])
  const [p, q, r] = [column(0), column(1), column(2)]
  return [p[0], q[0], r[0], p[1], q[1], r[1], p[2], q[2], r[2]]
}

function applied(m: Matrix, [x, y, z]: readonly [number, number, number]): readonly [number, number, number] {
  return [m[0] * x + m[1] * y + m[2] * z, m[3] * x + m[4] * y + m[5] * z, m[6] * x + m[7] * y + m[8] * z]
}

function inverse([a, b, c, d, e, f, g, h, i]: Matrix): Matrix {
  const [p, q, r] = [e * i - f * h, f * g - d * i, d * h - e * g]
  const k = 1 / (a * p + b * q + c * r)
  return [
    p * k,
    (c * h - b * i) * k,
    (b * f - c * e) * k,
    q * k,
    (a * i - c * g) * k,
    (c * d - a * f) * k,
    r * k,
    (b * g - a * h) * k,
    (a * e - b * d) * k,
  ]
}
