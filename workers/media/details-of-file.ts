// From a stranger's bytes to the details of the picture; what lies between is overwritten.

import { detailedSize } from '../../packages/hash/src/details/detailed-size.js'
import { type Details, detailsWith } from '../../packages/hash/src/details/details.js'
import { loadDetailsKernelSync } from '../../packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import type { Purpose } from '../../packages/hash/src/views.js'
import type { HashedImage } from '../../src/domain/matching/hashed-image.js'
import { decode } from './decode.js'

/**
 * Decoded once more, since hashes want other sizes. `bytes` stay the caller's to wipe.
 * @throws {Problem} as `decode` does.
 */
export async function detailsOf(bytes: Buffer, purpose: Purpose): Promise<Pick<HashedImage, 'details' | 'asked'>> {
  const picture = await decode(bytes, detailedSize)
  try {
    loaded ??= detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())
    return purpose === 'register' ? { details: loaded.register(picture) } : { asked: loaded.ask(picture) }
  } finally {
    picture.data.fill(0)
  }
}

/** Only where details are asked for: the turned patterns take 128 kB and some milliseconds. */
let loaded: Details | undefined
