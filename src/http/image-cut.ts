// Cuts a file at the end of its image, for files that are too large only because of padding.

import type { IncomingMessage } from 'node:http'
import type { MultipartFile } from '@fastify/multipart'
import { imageEnd } from '../domain/media/image-end.js'
import { Problem } from '../domain/problem.js'

/**
 * @param kept the beginning of a file, in pieces. Overwrites what follows the end of the image.
 * @returns the pieces of the image; `undefined` if its end is not in `kept`, and then overwrites nothing.
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
 * Yields the bytes of a part up to its limit, and ends there, so that the image is not held until the rest has arrived. The parser's own stream ends
 * only with the part. The rest is read and dropped.
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

/** Ignores errors: the parser reports them to the reader of the form. */
async function drop(chunks: AsyncIterator<unknown>, first: Promise<IteratorResult<unknown>>): Promise<void> {
  try {
    for (let { done } = await first; done !== true; { done } = await chunks.next());
  } catch {}
}

/**
 * Refuses a body with `body-too-large` once more than `maxBytes` have arrived. This bounds the dropped bytes as well. Both the form parser and the
 * part being read get this error. Call it before reading the body.
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
