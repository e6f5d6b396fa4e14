// Finds the video that a case has of a file. Of a heavy video, the frames that are decoded depend on how busy the worker is, so the same file may give
// other hashes the next time.

import { distance } from '../../../packages/hash/src/hash256.js'
import type { Signal } from '../../domain/matching/signal.js'
import type { Images } from '../../store/images/images.js'

/**
 * @param signals of a video, with the SHA-256 of its file.
 * @returns the id of the case's video of the same file.
 * Cost: reads all hashes of the case, which is little beside decoding a video.
 */
export async function sameFileIn(
  images: Pick<Images, 'ofCase'>,
  caseId: string,
  signals: readonly Signal[],
): Promise<string | undefined> {
  const file = signals.find(isOfFile)
  if (file === undefined) return undefined
  for await (const piece of images.ofCase(caseId)) {
    const same = piece.find(
      ({ image }) =>
        image.video !== undefined && image.signals.some((one) => isOfFile(one) && distance(one.hash, file.hash) === 0),
    )
    if (same !== undefined) return same.id
  }
  return undefined
}

function isOfFile({ type, frame }: Signal): boolean {
  return type === 'sha256' && frame === undefined
}
