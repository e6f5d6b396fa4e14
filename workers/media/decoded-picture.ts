// The result of decoding.

import type { Pixels } from '../../packages/hash/src/pixels.js'

/** Red, green, blue. The caller overwrites `data` when done. */
export interface DecodedPicture extends Pixels {
  readonly data: Buffer
  readonly channels: 3
  /** Width over height of the picture as it is shown. Reducing may have changed the ratio of its pixels. */
  readonly aspect: number
}
