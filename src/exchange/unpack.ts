// A file as it was before it was packed. What grows without end, or out of all proportion, is stopped.

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Problem } from '../domain/problem.js'

export interface UnpackLimits {
  /** Of the plain text, packed or not. */
  readonly maxPlainBytes: number
  /** Plain bytes for one packed byte. Hashes hardly pack at all: what goes beyond this holds none. */
  readonly maxRatio: number
  /** Up to here the ratio is not looked at: a short file may repeat itself. */
  readonly freeBytes: number
}

/** 8 GiB are about 60 million lines of JSON. Gzip's own most is a ratio of about 1,030; lines with hashes reach 2 to 8. */
export const UNPACK_LIMITS: UnpackLimits = { maxPlainBytes: 8 * 2 ** 30, maxRatio: 64, freeBytes: 16 << 20 }

/**
 * Gzip is known by its first two bytes, whatever anybody says of the file. Packed once: what is packed twice stays packed.
 * @throws {Problem} body-too-large beyond the limits; body-unreadable when it does not unpack; upload-incomplete when it breaks off.
 * Memory: what gzip needs, and one chunk.
 */
export async function* unpacked(body: AsyncIterable<unknown>, limits: UnpackLimits = UNPACK_LIMITS): AsyncGenerator<Buffer> {
  const source = body[Symbol.asyncIterator]()
  const first: Buffer[] = []
  let held = 0
  while (held < MAGIC.length) {
    const { done, value } = await next(source)
    if (done === true) break
    if (!Buffer.isBuffer(value)) continue
    first.push(value)
    held += value.length
  }
  const begun = Buffer.concat(first)
  const counted = { packed: 0 }
  const packed = Readable.from(rest(begun, source, counted), { objectMode: false })
  const isPacked = begun.subarray(0, MAGIC.length).equals(MAGIC)
  let plainBytes = 0
  for await (const chunk of isPacked ? gunzipped(packed) : packed) {
    if (!Buffer.isBuffer(chunk)) continue
    plainBytes += chunk.length
    if (plainBytes > limits.maxPlainBytes) throw new Problem('body-too-large')
    if (isPacked && plainBytes > limits.freeBytes && plainBytes > counted.packed * limits.maxRatio)
      throw new Problem('body-too-large')
    yield chunk
  }
}

const MAGIC = Buffer.of(0x1f, 0x8b)

async function* rest(begun: Buffer, source: AsyncIterator<unknown>, counted: { packed: number }): AsyncGenerator<Buffer> {
  counted.packed += begun.length
  if (begun.length > 0) yield begun
  for (;;) {
    const { done, value } = await next(source)
    if (done === true) return
    if (!Buffer.isBuffer(value)) continue
    counted.packed += value.length
    yield value
  }
}

async function* gunzipped(packed: Readable): AsyncGenerator<unknown> {
  const gunzip = createGunzip()
  const feeding = pipeline(packed, gunzip).catch(() => {}) // the reader below is told as well
  try {
    for await (const chunk of gunzip) yield chunk
  } catch (error) {
    if (error instanceof Problem) throw error
    const isCut = error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR'
    throw new Problem(isCut ? 'upload-incomplete' : 'body-unreadable', { cause: error })
  } finally {
    gunzip.destroy()
    await feeding
  }
}

async function next(source: AsyncIterator<unknown>): Promise<IteratorResult<unknown>> {
  try {
    return await source.next()
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('upload-incomplete', { cause: error })
  }
}
