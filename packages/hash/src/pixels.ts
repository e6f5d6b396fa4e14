// Pixels as the hashes read them.

/** Rows from the top, no padding. One channel is grey; of four, the last (alpha) is ignored: flatten before. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3 | 4
}

/** Beyond these the kernel refuses: they bound the memory that one picture can make it take. */
export const MAX_SIDE_PX = 65_535
export const MAX_PIXELS = 50_000_000

/** @throws {RangeError} when the sizes are impossible or do not fit the data: a caller's bug, never bad input. */
export function checkPixels({ data, width, height, channels }: Pixels): void {
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1 || side > MAX_SIDE_PX) throw new RangeError('a side is out of range')
  }
  if (channels !== 1 && channels !== 3 && channels !== 4) throw new RangeError('channels must be 1, 3 or 4')
  if (width * height > MAX_PIXELS) throw new RangeError('too many pixels')
  if (data.length !== width * height * channels) throw new RangeError('the data does not fit the size')
}
