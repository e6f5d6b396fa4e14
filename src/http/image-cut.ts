// Keeps the image of a file that is too large only because of what follows its image.

import type { IncomingMessage } from 'node:http'
import { imageEnd } from '../domain/media/image-end.js'
import { Problem } from '../domain/problem.js'

/**
 * @param kept the beginning of a file, in pieces. Those behind the end of its image are overwritten.
 * @returns the pieces of the image; `undefined`, with all pieces untouched, when its end is not among them.
 */
export function cutAtImageEnd(kept: readonly Buffer[]): Buffer[] | undefined {
  const end = imageEnd(kept)
  if (end === undefined) return undefined
  const image: Buffer[] = []
  let left = end
  for (const piece of kept) {
    if (left > 0) image.push(piece.subarray(0, left))
    piece.fill(0, Math.min(left, piece.length))
    left -= Math.min(left, piece.length)
  }
  return image
}

/**
 * Refuses a body with `body-too-large` once more than `maxBytes` of it arrived, so that what is dropped of it is bounded too. The parser of the
 * form and the part being read get this error. Call it before the body is read.
 */
export function limitBody(raw: IncomingMessage, maxBytes: number): void {
  let bytes = 0
  const count = (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= maxBytes) return
    raw.off('data', count)
    raw.emit('error', new Problem('body-too-large'))
  }
  raw.on('data', count)
}
