// The bytes of the points that a candidate is verified by, before they are sealed.

import { MAX_POINTS, type Point, type Points } from '../hash/details/rows.js'
import { HASH_BYTES, hashFromBytes } from '../hash/hash256.js'

/**
 * version 1:  [1] version  [1] half of the width  [1] half of the height
 *             per point: [1] column  [1] row  [32] hash
 */
const VERSION = 1
const HEAD_BYTES = 3
const POINT_BYTES = 2 + HASH_BYTES

/** @param id [16 bytes] of the image; another context than its record's, so that neither opens in the other's place. */
export function pointsContext(id: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('points:'), id])
}

export function encodePoints({ width, height, points }: Points): Buffer {
  if (points.length > MAX_POINTS) throw new RangeError('too many points')
  const head = Buffer.of(VERSION, width / 2, height / 2)
  return Buffer.concat([head, ...points.map(({ column, row, hash }) => Buffer.concat([Buffer.of(column, row), hash]))])
}

/** @throws {RangeError} when the bytes are none: sealed bytes that open are whole, so this is a bug. */
export function decodePoints(bytes: Buffer): Points {
  if (bytes[0] !== VERSION || (bytes.length - HEAD_BYTES) % POINT_BYTES !== 0) throw new RangeError('not a record of points')
  const points: Point[] = []
  for (let at = HEAD_BYTES; at < bytes.length; at += POINT_BYTES) {
    points.push({ column: bytes.readUInt8(at), row: bytes.readUInt8(at + 1), hash: hashFromBytes(bytes, at + 2) })
  }
  return { width: 2 * bytes.readUInt8(1), height: 2 * bytes.readUInt8(2), points }
}
