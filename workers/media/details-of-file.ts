// Computes the details of an untrusted file's picture. All pixels are overwritten.

import type { HashedImage } from '../../packages/core/src/matching/hashed-image.js'
import { detailedSize } from '../../packages/hash/src/details/detailed-size.js'
import { type Details, detailsWith } from '../../packages/hash/src/details/details.js'
import { loadDetailsKernelSync } from '../../packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import type { Purpose } from '../../packages/hash/src/views.js'
import { eachFrame } from './decode.js'

/**
 * Decodes the file once more, because details need another size than hashes. The caller overwrites `bytes`.
 * @param mainFrame index of the frame whose details are computed.
 * @throws {Problem} as `eachFrame` does.
 */
export async function detailsOf(
  bytes: Buffer,
  purpose: Purpose,
  mainFrame: number,
): Promise<Pick<HashedImage, 'details' | 'asked'>> {
  let at = 0
  const found = await eachFrame(bytes, { sizeFor: detailedSize, purpose, maxFrames: mainFrame + 1 }, ({ pixels }) => {
    if (at++ !== mainFrame) return {}
    loaded ??= detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())
    return purpose === 'register' ? { details: loaded.register(pixels) } : { asked: loaded.ask(pixels) }
  })
  return found.at(-1) ?? {}
}

/** Loaded only when details are wanted: the rotated patterns take 128 kB and some milliseconds. */
let loaded: Details | undefined
