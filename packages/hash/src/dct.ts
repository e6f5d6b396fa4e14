// The matrix of PDQ's cosine transform: the 16 lowest frequencies, without the constant one, over 64 samples, rounded to float32.

export const DCT_ROWS = 16
export const DCT_COLUMNS = 64

/**
 * Row i, column j is at `64 i + j`. Every JavaScript engine computes the same table: engines may differ in the last digits of a cosine, but no
 * entry is so near to the middle of two float32 values that this changes its rounding (a test measures the margin).
 */
export function dctMatrix(): Float32Array {
  const scale = Math.fround(Math.sqrt(2 / DCT_COLUMNS))
  return Float32Array.from({ length: DCT_ROWS * DCT_COLUMNS }, (_, k) => {
    const i = Math.floor(k / DCT_COLUMNS)
    const j = k % DCT_COLUMNS
    return scale * Math.cos((Math.PI / 2 / DCT_COLUMNS) * (i + 1) * (2 * j + 1))
  })
}
