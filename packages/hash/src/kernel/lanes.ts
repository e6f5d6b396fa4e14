// Four pixels, or four rows, side by side in one vector.

export const LANES: i32 = 4

/** Loads four pixels of a row as four words: red in the lowest byte, then green, blue, and zero or alpha. */
@inline
export function pixelsAt(kind: i32, from: usize): v128 {
  if (kind == 4) return v128.load(from)
  const bytes = v128.load(from)
  if (kind == 3) return i8x16.swizzle(bytes, i8x16(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1))
  return v128.and(v128.shuffle<u8>(bytes, bytes, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3), i32x4.splat(0xff))
}

@inline
export function lumaOf(kind: i32, red: v128, green: v128, blue: v128): v128 {
  if (kind == 1) return f32x4.convert_i32x4_s(red)
  const r = f32x4.mul(f32x4.splat(0.299), f32x4.convert_i32x4_s(red))
  const g = f32x4.mul(f32x4.splat(0.587), f32x4.convert_i32x4_s(green))
  return f32x4.add(f32x4.add(r, g), f32x4.mul(f32x4.splat(0.114), f32x4.convert_i32x4_s(blue)))
}

/** Four columns of four rows, stored as rows. */
@inline
export function storeTransposed(q0: v128, q1: v128, q2: v128, q3: v128, to0: usize, to1: usize, to2: usize, to3: usize): void {
  const a = v128.shuffle<i32>(q0, q1, 0, 4, 1, 5)
  const b = v128.shuffle<i32>(q2, q3, 0, 4, 1, 5)
  const c = v128.shuffle<i32>(q0, q1, 2, 6, 3, 7)
  const d = v128.shuffle<i32>(q2, q3, 2, 6, 3, 7)
  v128.store(to0, v128.shuffle<i64>(a, b, 0, 2))
  v128.store(to1, v128.shuffle<i64>(a, b, 1, 3))
  v128.store(to2, v128.shuffle<i64>(c, d, 0, 2))
  v128.store(to3, v128.shuffle<i64>(c, d, 1, 3))
}

@inline
export function lowByte(words: v128): v128 {
  return v128.and(words, i32x4.splat(0xff))
}
