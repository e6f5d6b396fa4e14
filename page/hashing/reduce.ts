// Reduces a large picture in strips, so that its pixels are never all in memory at once, and rotates the small picture by its EXIF orientation.

import type { Pixels } from '../../packages/hash/src/pixels.js'
import type { Decoded } from './grouping.js'
import { createMeans } from './means.js'
import { CHANNELS, createResampler } from './resample.js'

type Size = Pick<Pixels, 'width' | 'height'>

/**
 * Reduces in the two steps of the service's workers: to the size that their decoder returns, then as libvips does.
 *
 * The browser's own scaling is not used, because browsers scale differently, so that their hashes would differ by more bits.
 *
 * @param decoded the size that the workers' decoder returns; `full` if it does not reduce the picture itself.
 * @param rowsAt returns `count` rows from row `top` on, as RGBA. They are overwritten before the next call.
 * @param stripRows number of rows to read at a time.
 * @returns RGB.
 * Cost: about 8 ns a pixel.
 */
export function reduced(
  full: Size,
  decoded: Decoded,
  target: Size,
  stripRows: number,
  rowsAt: (top: number, count: number) => Uint8ClampedArray,
): Pixels {
  const data = new Uint8ClampedArray(CHANNELS * target.width * target.height)
  let writtenBytes = 0
  const isWhole = decoded.groupPx === 1
  const last = createResampler(decoded, target, isWhole ? 4 : CHANNELS, (row) => {
    data.set(row, writtenBytes)
    writtenBytes += row.length
  })
  const first = isWhole ? last : createMeans(full, decoded, (row) => last.add(row, 0))
  try {
    for (let top = 0; top < full.height; top += stripRows) {
      const count = Math.min(stripRows, full.height - top)
      const rows = rowsAt(top, count)
      for (let row = 0; row < count; row++) first.add(rows, 4 * row * full.width)
      rows.fill(0)
    }
  } finally {
    first.wipe()
    last.wipe()
  }
  return { data, width: target.width, height: target.height, channels: CHANNELS }
}

/**
 * By orientation, 2…8: maps a pixel of the displayed picture to the stored one. `right` and `bottom` are the last column and row of the stored one.
 */
const STORED_AT: readonly ((x: number, y: number, right: number, bottom: number) => readonly [x: number, y: number])[] = [
  (x, y, right) => [right - x, y],
  (x, y, right, bottom) => [right - x, bottom - y],
  (x, y, _right, bottom) => [x, bottom - y],
  (x, y) => [y, x],
  (x, y, _right, bottom) => [y, bottom - x],
  (x, y, right, bottom) => [right - y, bottom - x],
  (x, y, right) => [right - y, x],
]

/** @param orientation as EXIF numbers it, 1…8. @returns the picture as displayed. Overwrites `stored`, unless it is already oriented so. */
export function turned(stored: Pixels, orientation: number): Pixels {
  const storedAt = STORED_AT[orientation - 2]
  if (storedAt === undefined) return stored
  const { channels } = stored
  const [width, height] = orientation > 4 ? [stored.height, stored.width] : [stored.width, stored.height]
  const data = new Uint8ClampedArray(channels * width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [column, row] = storedAt(x, y, stored.width - 1, stored.height - 1)
      const from = channels * (row * stored.width + column)
      const to = channels * (y * width + x)
      for (let k = 0; k < channels; k++) data[to + k] = stored.data[from + k] ?? 0
    }
  }
  stored.data.fill(0)
  return { data, width, height, channels }
}
