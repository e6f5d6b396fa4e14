// Differences between neighbouring pixels, and which of them are edges; see `edgePixelsOf` in ../deframe/lines.ts.
//
// Processes sixteen pixels at once. Margins of zeros stand for the 0 that the reference implementation uses beyond the ends of a line. For two pixels
// of each row it uses 0 in place of an existing step. These are computed again one by one.

const MIN_STEP: i8 = 6
const STEP_LANES: i32 = 16

/** Splits 16 pixels of interleaved red, green and blue into three rows of 16. */
@inline
export function splitColours(from: usize, red: usize, green: usize, blue: usize): void {
  const a = v128.load(from)
  const b = v128.load(from, 16)
  const c = v128.load(from, 32)
  const r = v128.shuffle<u8>(a, b, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0)
  v128.store(red, v128.shuffle<u8>(r, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29))
  const g = v128.shuffle<u8>(a, b, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0)
  v128.store(green, v128.shuffle<u8>(g, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30))
  const u = v128.shuffle<u8>(a, b, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0)
  v128.store(blue, v128.shuffle<u8>(u, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31))
}

/** The largest difference of the three colours between two pixels. */
@inline
export function largestStep(a: usize, b: usize, colour: usize): v128 {
  const red = difference(v128.load(a), v128.load(b))
  const green = difference(v128.load(a + colour), v128.load(b + colour))
  const blue = difference(v128.load(a + 2 * colour), v128.load(b + 2 * colour))
  return i8x16.max_u(red, i8x16.max_u(green, blue))
}

@inline
function difference(a: v128, b: v128): v128 {
  return v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a))
}

/** Marks the row's horizontal steps that are edges with 1. */
export function markColumnEdges(steps: usize, width: i32, to: usize): void {
  for (let x = 0; x < width; x += STEP_LANES) {
    const at = steps + <usize>x
    v128.store(to + <usize>x, edgePixels(at, at - 1, at + 1, at - 2, at - 3, at + 2, at + 3))
  }
  markNearEnd(steps, 3, width, to)
  markNearEnd(steps, width - 3, width, to)
}

/** Marks the row's vertical steps that are edges, compared with the rows above and below, with 1. */
export function markRowEdges(
  at: usize, above: usize, below: usize, above2: usize, above3: usize, below2: usize, below3: usize, width: i32, to: usize,
): void {
  for (let x: usize = 0; x < <usize>width; x += STEP_LANES) {
    v128.store(to + x, edgePixels(at + x, above + x, below + x, above2 + x, above3 + x, below2 + x, below3 + x))
  }
}

@inline
function edgePixels(at: usize, before: usize, after: usize, before2: usize, before3: usize, after2: usize, after3: usize): v128 {
  const step = v128.load(at)
  const b2 = v128.load(before2)
  const b3 = v128.load(before3)
  const a2 = v128.load(after2)
  const a3 = v128.load(after3)
  const largest = i8x16.eq(i8x16.max_u(step, i8x16.max_u(v128.load(before), v128.load(after))), step)
  const low = exceeds(
    i16x8.extend_low_i8x16_u(step),
    i16x8.add(i16x8.extend_low_i8x16_u(b2), i16x8.extend_low_i8x16_u(b3)),
    i16x8.add(i16x8.extend_low_i8x16_u(a2), i16x8.extend_low_i8x16_u(a3)),
  )
  const high = exceeds(
    i16x8.extend_high_i8x16_u(step),
    i16x8.add(i16x8.extend_high_i8x16_u(b2), i16x8.extend_high_i8x16_u(b3)),
    i16x8.add(i16x8.extend_high_i8x16_u(a2), i16x8.extend_high_i8x16_u(a3)),
  )
  const isEdge = v128.and(i8x16.gt_u(step, i8x16.splat(MIN_STEP)), v128.and(largest, i8x16.narrow_i16x8_s(low, high)))
  return v128.and(isEdge, i8x16.splat(1))
}

@inline
function exceeds(step: v128, before: v128, after: v128): v128 {
  return i16x8.gt_s(i16x8.shl(step, 2), i16x8.add(i16x8.add(before, after), i16x8.splat(8)))
}

function markNearEnd(steps: usize, x: i32, width: i32, to: usize): void {
  if (x < 1 || x >= width) return
  const at = steps + <usize>x
  const step = <i32>load<u8>(at)
  const before = x > 3 ? <i32>load<u8>(at - 2) + <i32>load<u8>(at - 3) : 0
  const after = x + 3 < width ? <i32>load<u8>(at, 2) + <i32>load<u8>(at, 3) : 0
  const largest = step > <i32>MIN_STEP && <i32>load<u8>(at - 1) <= step && <i32>load<u8>(at, 1) <= step
  store<u8>(to + <usize>x, <u8>(largest && 4 * step > before + after + 8))
}
