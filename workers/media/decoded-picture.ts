// What the decoder gives.

import type { Pixels } from '../../packages/hash/src/pixels.js'

/** Red, green, blue. Whoever asked for it overwrites `data` when done. */
export interface DecodedPicture extends Pixels {
  readonly data: Buffer
  readonly channels: 3
  /** Width over height of the picture as it is shown; its pixels may have been reduced more one way than the other. */
  readonly aspect: number
}
