// From a stranger's bytes to the details of the picture; what lies between is overwritten.

import type { HashedImage } from '../../src/domain/matching/hashed-image.js'
import { detailedSize } from '../../src/hash/details/detailed-size.js'
import { type Details, detailsWith } from '../../src/hash/details/details.js'
import { loadDetailsKernelSync } from '../../src/hash/details-kernel.js'
import { loadFrameKernelSync } from '../../src/hash/frame-kernel.js'
import type { Purpose } from '../../src/hash/views.js'
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
