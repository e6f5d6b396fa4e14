// The picture of a frame at each time at which it is shown.

import type { VideoPicture } from '../../packages/hash/src/hash-image.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'

/**
 * @param readBetween reads the picture between the frame before and this one. Called at most once, for the first time.
 * Overwrites all pixels when it ends.
 */
export async function* picturesAt(
  timesMs: readonly number[],
  { pixels, aspect }: Required<Pick<VideoPicture, 'pixels' | 'aspect'>>,
  readBetween: () => Promise<Pixels | undefined>,
): AsyncGenerator<VideoPicture> {
  let halfway: Pixels | undefined
  const between = async () => {
    halfway = await readBetween()
    return halfway
  }
  try {
    for (const [i, atMs] of timesMs.entries()) yield { atMs, pixels, aspect, ...(i === 0 && { between }) }
  } finally {
    pixels.data.fill(0)
    halfway?.data.fill(0)
  }
}
