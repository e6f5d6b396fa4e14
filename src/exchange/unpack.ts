// Unpacks uploaded files, with limits against files that unpack to far more than their size.

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Problem } from '../domain/problem.js'

export interface UnpackLimits {
  /** Limit on the unpacked size; applies to plain files as well. */
  readonly maxPlainBytes: number
  /** Unpacked bytes for each packed byte. Hashes compress badly, so a file beyond this ratio has no hashes. */
  readonly maxRatio: number
  /** Below this unpacked size the ratio is not checked, because short files may repeat themselves. */
  readonly freeBytes: number
}

/** 8 GiB are about 60 million lines of JSON. Files of hashes have ratios of 2 to 8; the highest that gzip can reach is about 1,030. */
export const UNPACK_LIMITS: UnpackLimits = { maxPlainBytes: 8 * 2 ** 30, maxRatio: 64, freeBytes: 16 << 20 }

/**
 * Unpacks a body if its first two bytes are those of gzip; passes other bodies through. Unpacks once only.
 *
 * Memory: one chunk and gzip's own state.
 * @throws {Problem} body-too-large beyond the limits; body-unreadable when it is damaged; upload-incomplete when it breaks off.
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
  const feeding = pipeline(packed, gunzip).catch(() => {}) // the loop below gets the same error
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
