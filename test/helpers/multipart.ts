// multipart/form-data bodies (RFC 7578) for `app.inject` and `fetch`, valid and broken.

import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import type { Picture } from './pictures.js'

export interface Part {
  readonly name: string
  readonly bytes: Buffer | string
  /** Without it the part is a field, not a file. */
  readonly fileName?: string
  readonly contentType?: string
}

/** Use: `app.inject({ method: 'POST', url, ...multipart(parts) })`. */
export interface Multipart {
  readonly payload: Buffer
  readonly headers: { readonly 'content-type': string }
}

/** The size of the pieces in which a socket or a Blob hands over a large body. */
export const CHUNK_BYTES = 64 * 1024

const BOUNDARY = '----tabir-test-8f3c1d7a'

export function multipart(parts: readonly Part[], boundary = BOUNDARY): Multipart {
  const payload = Buffer.concat([...parts.flatMap((part) => pieces(part, boundary)), Buffer.from(`--${boundary}--\r\n`)])
  return { payload, headers: headersFor(boundary) }
}

/** A body of pictures, each a part named `image` unless said otherwise. */
export function images(pictures: readonly Picture[], name = 'image'): Multipart {
  return multipart(pictures.map((picture) => imagePart(picture, name)))
}

export function imagePart({ name: fileName, contentType, bytes }: Picture, name = 'image'): Part {
  return { name, fileName, contentType, bytes }
}

/** A file's bytes as a field, not a file: sent by a form whose input is not of type file. */
export function partWithoutFileName({ bytes }: Picture, name = 'image'): Multipart {
  return multipart([{ name, bytes }])
}

export function withLongField(sizeBytes: number, pictures: readonly Picture[] = [], name = 'note'): Multipart {
  return multipart([{ name, bytes: 'x'.repeat(sizeBytes) }, ...pictures.map((picture) => imagePart(picture))])
}

/** An upload that stops half way and declares the length of that half. */
export function cutHalfWay(whole: Multipart): Multipart {
  return { ...whole, payload: whole.payload.subarray(0, whole.payload.length >> 1) }
}

export function withoutFinalBoundary(parts: readonly Part[]): Multipart {
  return { payload: Buffer.concat(parts.flatMap((part) => pieces(part, BOUNDARY))), headers: headersFor(BOUNDARY) }
}

/** The header names a boundary that the body does not use. */
export function withWrongBoundary(parts: readonly Part[]): Multipart {
  return { ...multipart(parts), headers: headersFor('----another-0123456789') }
}

export function withoutBoundary(parts: readonly Part[]): Multipart {
  return { ...multipart(parts), headers: { 'content-type': 'multipart/form-data' } }
}

/** A compressed body, as some clients send all bodies. */
export function packed({ payload, headers }: Multipart): Multipart {
  return { payload: gzipSync(payload), headers: { ...headers, ...{ 'content-encoding': 'gzip' } } }
}

/** Bytes without a boundary at the start. */
export function withGarbage(): Multipart {
  return { payload: Buffer.alloc(4096, 0x2d), headers: headersFor(BOUNDARY) }
}

/** One file, padded at its end so that its last byte is the last of a chunk of the body. */
export function endingOnChunkBorder(picture: Picture, chunkBytes = CHUNK_BYTES): Multipart {
  const headBytes = head(imagePart(picture), BOUNDARY).length
  const padBytes = (chunkBytes - ((headBytes + picture.bytes.length) % chunkBytes)) % chunkBytes
  return images([{ ...picture, bytes: Buffer.concat([picture.bytes, Buffer.alloc(padBytes)]) }])
}

/**
 * The same body in the pieces in which `fetch` sends a Blob: each part's head alone, then its bytes by the chunk. A size limit
 * that is a multiple of the chunk then falls between two pieces, which a parser may take for the end of the file.
 */
export function streamed(
  parts: readonly Part[],
  chunkBytes = CHUNK_BYTES,
): { payload: Readable; headers: Multipart['headers'] } {
  const chunks = parts.flatMap((part) => {
    const [start, bytes, end] = pieces(part, BOUNDARY)
    const count = Math.ceil(bytes.length / chunkBytes)
    return [start, ...Array.from({ length: count }, (_, i) => bytes.subarray(i * chunkBytes, (i + 1) * chunkBytes)), end]
  })
  return { payload: Readable.from([...chunks, Buffer.from(`--${BOUNDARY}--\r\n`)]), headers: headersFor(BOUNDARY) }
}

function pieces(part: Part, boundary: string): [head: Buffer, bytes: Buffer, end: Buffer] {
  return [head(part, boundary), Buffer.from(part.bytes), Buffer.from('\r\n')]
}

function head({ name, fileName, contentType }: Part, boundary: string): Buffer {
  const file = fileName === undefined ? '' : `; filename="${fileName}"`
  const type = contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`
  return Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${type}\r\n`)
}

function headersFor(boundary: string): Multipart['headers'] {
  return { 'content-type': `multipart/form-data; boundary=${boundary}` }
}
