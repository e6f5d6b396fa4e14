// The 16 lowest cosine frequencies (without the constant one) over 64 samples, as PDQ's reference rounds them to float32.

export const DCT_ROWS = 16
export const DCT_COLUMNS = 64

/**
 * Row i, column j at `64 i + j`. No entry lies near enough to the middle between two float32 values for a cosine that is
 * off by a few units in its last place to change it, so every engine makes the same table (a test measures the margin).
 */
export function dctMatrix(): Float32Array {
  const scale = Math.fround(Math.sqrt(2 / DCT_COLUMNS))
  return Float32Array.from({ length: DCT_ROWS * DCT_COLUMNS }, (_, k) => {
    const i = Math.floor(k / DCT_COLUMNS)
    const j = k % DCT_COLUMNS
    return scale * Math.cos((Math.PI / 2 / DCT_COLUMNS) * (i + 1) * (2 * j + 1))
  })
}
