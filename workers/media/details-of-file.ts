// From a stranger's bytes to the details of the picture; what lies between is overwritten.
import { detailedSize } from '../../packages/hash/src/details/detailed-size.js'
import { type Details, detailsWith } from '../../packages/hash/src/details/details.js'
import { loadDetailsKernelSync } from '../../packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import type { Purpose } from '../../packages/hash/src/views.js'
import type { HashedImage } from '../../src/domain/matching/hashed-image.js'
import { eachFrame } from './decode.js'
import { imageOf } from './hashes-of-file.js'

/**
 * Decoded once more, since hashes want other sizes. `bytes` stay the caller's to wipe.
 * @throws {Problem} as `eachFrame` does.
 */
export async function detailsOf(bytes: Buffer, purpose: Purpose): Promise<Pick<HashedImage, 'details' | 'asked'>> {
  const found = await eachFrame(bytes, { sizeFor: detailedSize }, ({ pixels }) => {
    loaded ??= detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())
    return purpose === 'register' ? { details: loaded.register(pixels) } : { asked: loaded.ask(pixels) }
  })
  return imageOf(found)
}

/** Only where details are asked for: the turned patterns take 128 kB and some milliseconds. */
let loaded: Details | undefined
