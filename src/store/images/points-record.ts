// The binary format of the points that verify a candidate, before they are sealed.

import { PLACES } from '../../../packages/hash/src/details/kept.js'
import { MAX_POINTS, type Point, type Points } from '../../../packages/hash/src/details/rows.js'
import { HASH_BYTES, hashFromBytes } from '../../../packages/hash/src/hash256.js'

/**
 * version 2:  [1] version  [1] half of the width  [1] half of the height  [1] points
 *             per point 10 bits: row × 32 + column, lowest bit first, padded to whole bytes
 *             per point [32] hash
 * version 1:  [1] version  [1] half of the width  [1] half of the height
 *             per point: [1] column  [1] row  [32] hash
 *
 * Version 2 is packed because Redis allocates memory in steps: 107 bytes less for 150 points save a kilobyte. Version 1 is only read.
 */
const PACKED = 2
const SPACED = 1
const HEAD_BYTES = 3
const SPACED_BYTES = 2 + HASH_BYTES
const PLACE_BITS = 10

/** The context that points are sealed with. It differs from the record's, so that neither can replace the other. @param id [16 bytes] */
export function pointsContext(id: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('points:'), id])
}

export function encodePoints({ width, height, points }: Points): Buffer {
  if (points.length > MAX_POINTS) throw new RangeError('too many points')
  const places = Buffer.alloc(placesBytes(points.length))
  for (const [i, { column, row }] of points.entries()) {
    const at = (i * PLACE_BITS) >> 3
    const shifted = (row * PLACES + column) << ((i * PLACE_BITS) & 7)
    places[at] = (places[at] ?? 0) | (shifted & 0xff)
    places[at + 1] = (places[at + 1] ?? 0) | (shifted >> 8)
  }
  return Buffer.concat([Buffer.of(PACKED, width / 2, height / 2, points.length), places, ...points.map(({ hash }) => hash)])
}

/** @throws {RangeError} when the bytes are not points. Bytes that were unsealed are intact, so this is a bug. */
export function decodePoints(bytes: Buffer): Points {
  const points = bytes[0] === PACKED ? packedPoints(bytes) : bytes[0] === SPACED ? spacedPoints(bytes) : undefined
  if (points === undefined) throw new RangeError('not a record of points')
  return { width: 2 * bytes.readUInt8(1), height: 2 * bytes.readUInt8(2), points }
}

function packedPoints(bytes: Buffer): Point[] | undefined {
  const count = bytes.readUInt8(HEAD_BYTES)
  const placesAt = HEAD_BYTES + 1
  const hashesAt = placesAt + placesBytes(count)
  if (bytes.length !== hashesAt + count * HASH_BYTES) return undefined
  return Array.from({ length: count }, (_, i): Point => {
    const at = placesAt + ((i * PLACE_BITS) >> 3)
    const place = (bytes.readUInt16LE(at) >> ((i * PLACE_BITS) & 7)) % PLACES ** 2
    return { column: place % PLACES, row: Math.floor(place / PLACES), hash: hashFromBytes(bytes, hashesAt + i * HASH_BYTES) }
  })
}

function spacedPoints(bytes: Buffer): Point[] | undefined {
  if ((bytes.length - HEAD_BYTES) % SPACED_BYTES !== 0) return undefined
  const points: Point[] = []
  for (let at = HEAD_BYTES; at < bytes.length; at += SPACED_BYTES) {
    points.push({ column: bytes.readUInt8(at), row: bytes.readUInt8(at + 1), hash: hashFromBytes(bytes, at + 2) })
  }
  return points
}

function placesBytes(points: number): number {
  return Math.ceil((points * PLACE_BITS) / 8)
}
