// Totals of 16 × 16 blocks, for blockhash.

const SIDE: i32 = 16

/** [16 × 16] f64, row by row: totals of red + green + blue, in 1/256. */
export const BLOCKS: usize = memory.data(256 * 8, 16)

/**
 * Adds four rows from `firstRow` on, of which `rows` exist. A pixel on a border counts for both blocks in proportion. Borders lie at sixteenths of
 * a pixel, so totals are multiples of 1/256 and exact.
 * @param brightness running sums of red + green + blue from the left, starting with 0; one lane for each row.
 */
export function addBlocks(brightness: usize, width: i32, height: i32, firstRow: i32, rows: i32): void {
  for (let block = 0; block < SIDE; block++) {
    const right = brightnessBefore(brightness, (block + 1) * width)
    const part = i32x4.sub(right, brightnessBefore(brightness, block * width))
    addToBlock(block, height, firstRow, i32x4.extract_lane(part, 0))
    if (rows > 1) addToBlock(block, height, firstRow + 1, i32x4.extract_lane(part, 1))
    if (rows > 2) addToBlock(block, height, firstRow + 2, i32x4.extract_lane(part, 2))
    if (rows > 3) addToBlock(block, height, firstRow + 3, i32x4.extract_lane(part, 3))
  }
}

export function wipeBlocks(): void {
  memory.fill(BLOCKS, 0, 256 * 8)
}

/** Sixteen times the brightness left of a coordinate in sixteenths of a pixel. */
@inline
function brightnessBefore(brightness: usize, sixteenths: i32): v128 {
  const at = brightness + (<usize>(sixteenths >> 4) << 4)
  const whole = v128.load(at)
  const cut = i32x4.sub(v128.load(at, 16), whole)
  return i32x4.add(i32x4.shl(whole, 4), i32x4.mul(cut, i32x4.splat(sixteenths & 15)))
}

@inline
function addToBlock(column: i32, height: i32, row: i32, value: i32): void {
  const top = row << 4
  const first = top / height
  const above = min(16, (first + 1) * height - top)
  const at = BLOCKS + (<usize>(first * SIDE + column) << 3)
  store<f64>(at, load<f64>(at) + <f64>value * <f64>above)
  if (above < 16) store<f64>(at, load<f64>(at, SIDE * 8) + <f64>value * <f64>(16 - above), SIDE * 8)
}
