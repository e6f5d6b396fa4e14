// Cuts a file at the end of its image, for files that are too large only because of padding.

import type { IncomingMessage } from 'node:http'
import type { MultipartFile } from '@fastify/multipart'
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
 * The bytes of a part up to its limit. The parser ends the stream of a part where the part ends, however far beyond the limit that is; this ends at the
 * limit, so that nothing is held until then. The rest is read and dropped.
 */
export async function* upToItsLimit(file: MultipartFile['file']): AsyncGenerator<unknown, void> {
  const chunks: AsyncIterator<unknown> = file[Symbol.asyncIterator]()
  const atLimit = new Promise<undefined>((resolve) => file.once('limit', () => resolve(undefined)))
  let readBytes = 0
  let next = chunks.next()
  try {
    while (!file.truncated || readBytes < file.bytesRead) {
      const result = await (file.truncated ? next : Promise.race([next, atLimit]))
      if (result === undefined) continue
      if (result.done === true) return
      if (Buffer.isBuffer(result.value)) readBytes += result.value.length
      yield result.value
      next = chunks.next()
    }
  } finally {
    drop(chunks, next)
  }
}

/** An error ends the reading of the form, too, which reports it. */
async function drop(chunks: AsyncIterator<unknown>, first: Promise<IteratorResult<unknown>>): Promise<void> {
  try {
    for (let { done } = await first; done !== true; { done } = await chunks.next());
  } catch {}
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
