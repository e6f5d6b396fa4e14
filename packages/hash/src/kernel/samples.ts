// Computes the eight hashes and the quality from the 64 × 64 samples.

export const SIDE: i32 = 64
export const ROW_BYTES: usize = <usize>SIDE * 4
const FREQUENCIES: i32 = 16

export const SAMPLES: usize = memory.data(SIDE * SIDE * 4, 16)

/** Written by the loader: the cosines, 16 × 64. */
export const MATRIX: usize = memory.data(FREQUENCIES * SIDE * 4, 16)

/** Read by the loader: eight hashes, in the order of `transforms`. */
export const HASHES: usize = memory.data(8 * 32, 16)

const TRANSPOSED_MATRIX: usize = memory.data(FREQUENCIES * SIDE * 4, 16)
const HALF: usize = memory.data(FREQUENCIES * SIDE * 4, 16)
/** The 16 × 16 cosine coefficients. */
const COEFFICIENTS: usize = memory.data(256 * 4, 16)
const SORTED: usize = memory.data(256 * 4, 16)

/** Writes the hashes. @returns the quality. */
export function hashSamples(): i32 {
  transposeMatrix()
  transformSamples()
  writeHashes()
  return quality()
}

/** Median of the absolute values of the hash's coefficients. */
export function medianSize(): f32 {
  for (let at: usize = 0; at < 256 * 4; at += 16) v128.store(SORTED + at, f32x4.abs(v128.load(COEFFICIENTS + at)))
  return smallest(128)
}

export function wipeSamples(): void {
  memory.fill(SAMPLES, 0, SIDE * SIDE * 4)
  memory.fill(HALF, 0, FREQUENCIES * SIDE * 4)
  memory.fill(COEFFICIENTS, 0, 256 * 4)
  memory.fill(SORTED, 0, 256 * 4)
  memory.fill(HASHES, 0, 8 * 32)
}

function transposeMatrix(): void {
  for (let i = 0; i < FREQUENCIES; i++) {
    for (let j = 0; j < SIDE; j++) {
      store<f32>(TRANSPOSED_MATRIX + (<usize>(j * FREQUENCIES + i) << 2), load<f32>(MATRIX + (<usize>(i * SIDE + j) << 2)))
    }
  }
}

function quality(): i32 {
  let total = i32x4.splat(0)
  for (let at: usize = 0; at < ROW_BYTES * <usize>(SIDE - 1); at += 16) {
    total = i32x4.add(total, stepsBetween(SAMPLES + at, SAMPLES + at + ROW_BYTES))
  }
  for (let row = SAMPLES; row < SAMPLES + ROW_BYTES * <usize>SIDE; row += ROW_BYTES) {
    for (let at = row; at < row + ROW_BYTES - 16; at += 16) total = i32x4.add(total, stepsBetween(at, at + 4))
    // The last sample of a row has none beside it.
    const last = row + ROW_BYTES - 16
    total = i32x4.add(total, v128.and(stepsBetween(last, last + 4), i32x4(-1, -1, -1, 0)))
  }
  const sum =
    i32x4.extract_lane(total, 0) + i32x4.extract_lane(total, 1) + i32x4.extract_lane(total, 2) + i32x4.extract_lane(total, 3)
  return min(100, sum / 90)
}

/** Differences in percent of white, rounded towards zero. */
@inline
function stepsBetween(at: usize, other: usize): v128 {
  const difference = f32x4.sub(v128.load(at), v128.load(other))
  return i32x4.abs(i32x4.trunc_sat_f32x4_s(f32x4.div(f32x4.mul(difference, f32x4.splat(100)), f32x4.splat(255))))
}

/** Rounds each product, then each sum, in the order of k, as the reference implementation does. The lanes of a vector are different columns. */
function transformSamples(): void {
  for (let i: usize = 0; i < <usize>FREQUENCIES; i++) {
    for (let j: usize = 0; j < ROW_BYTES; j += 64) {
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
      for (let k: usize = 0; k < <usize>SIDE; k++) {
        const factor = v128.load32_splat(MATRIX + (i << 8) + (k << 2))
        const at = SAMPLES + (k << 8) + j
        s0 = f32x4.add(s0, f32x4.mul(factor, v128.load(at)))
        s1 = f32x4.add(s1, f32x4.mul(factor, v128.load(at, 16)))
        s2 = f32x4.add(s2, f32x4.mul(factor, v128.load(at, 32)))
        s3 = f32x4.add(s3, f32x4.mul(factor, v128.load(at, 48)))
      }
      const to = HALF + (i << 8) + j
      v128.store(to, s0)
      v128.store(to, s1, 16)
      v128.store(to, s2, 32)
      v128.store(to, s3, 48)
    }
  }
  for (let i: usize = 0; i < <usize>FREQUENCIES; i++) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
    for (let k: usize = 0; k < <usize>SIDE; k++) {
      const factor = v128.load32_splat(HALF + (i << 8) + (k << 2))
      const at = TRANSPOSED_MATRIX + (k << 6)
      s0 = f32x4.add(s0, f32x4.mul(factor, v128.load(at)))
      s1 = f32x4.add(s1, f32x4.mul(factor, v128.load(at, 16)))
      s2 = f32x4.add(s2, f32x4.mul(factor, v128.load(at, 32)))
      s3 = f32x4.add(s3, f32x4.mul(factor, v128.load(at, 48)))
    }
    const to = COEFFICIENTS + (i << 6)
    v128.store(to, s0)
    v128.store(to, s1, 16)
    v128.store(to, s2, 32)
    v128.store(to, s3, 48)
  }
}

/** Two orientations that differ only in exchanging rows and columns negate the same coefficients, so they share a median. */
function writeHashes(): void {
  writePair(false, false, 0, 6)
  writePair(false, true, 5, 1)
  writePair(true, false, 4, 3)
  writePair(true, true, 2, 7)
}

/** @param plain, transposed indexes into `transforms`: of the orientation that keeps rows, and of the one that exchanges them with columns. */
function writePair(topBottom: bool, leftRight: bool, plain: i32, transposed: i32): void {
  for (let k = 0; k < 256; k++) store<f32>(SORTED + (<usize>k << 2), signed(k, topBottom, leftRight))
  const median = smallest(127)
  const to = HASHES + (<usize>plain << 5)
  const toTransposed = HASHES + (<usize>transposed << 5)
  for (let k = 0; k < 256; k++) {
    if (signed(k, topBottom, leftRight) <= median) continue
    setBit(to, k)
    setBit(toTransposed, ((k & 15) << 4) | (k >> 4))
  }
}

@inline
function signed(k: i32, topBottom: bool, leftRight: bool): f32 {
  const value = load<f32>(COEFFICIENTS + (<usize>k << 2))
  const negated = (i32(topBottom) & ((k >> 4) ^ 1)) ^ (i32(leftRight) & (k ^ 1))
  return (negated & 1) != 0 ? -value : value
}

@inline
function setBit(hash: usize, k: i32): void {
  const at = hash + <usize>(k >> 3)
  store<u8>(at, load<u8>(at) | <u8>(1 << <u8>(k & 7)))
}

/** The element that would be at index `wanted` if `SORTED` were sorted (Hoare's selection). Changes the order of `SORTED`. */
function smallest(wanted: i32): f32 {
  let low = 0
  let high = 255
  while (low < high) {
    const pivot = load<f32>(SORTED + (<usize>((low + high) >> 1) << 2))
    let i = low
    let j = high
    while (i <= j) {
      while (load<f32>(SORTED + (<usize>i << 2)) < pivot) i++
      while (load<f32>(SORTED + (<usize>j << 2)) > pivot) j--
      if (i > j) break
      const a = SORTED + (<usize>i << 2)
      const b = SORTED + (<usize>j << 2)
      const value = load<f32>(a)
      store<f32>(a, load<f32>(b))
      store<f32>(b, value)
      i++
      j--
    }
    if (wanted <= j) high = j
    else if (wanted >= i) low = i
    else break
  }
  return load<f32>(SORTED + (<usize>wanted << 2))
}
