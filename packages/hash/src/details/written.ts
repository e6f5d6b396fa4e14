// The binary form of details, between processes and, as base64, in requests of clients that compute details themselves.

import { HASH_BYTES, hashFromBytes } from '../hash256.js'
import { ANGLES } from './describe.js'
import type { RegisteredDetails } from './details.js'
import type { AskedView, Feature } from './features.js'
import { LEVELS } from './pyramid.js'
import { type DetailRow, isDetailRow, isPoint, MAX_POINTS, MAX_SIDE_HALVES, type Point } from './rows.js'
import { MAX_RANKED } from './select.js'

/**
 * Details to register:
 *   [1] 1  [1] half of the width  [1] half of the height
 *   [1] rows     per row:   [1] place  [1] pose  [32] hash
 *   [1] points   per point: [1] column  [1] row  [32] hash
 * Details to query with:
 *   [1] 2  [1] views
 *   per view: [2] width  [2] height  [2] features, then its part: [2] left  [2] top  [2] right  [2] bottom, in 65,535ths of the picture's sides
 *   per feature: [2] x × 16  [2] y × 16  [1] angle  [1] level  [32] hash  [32] mirrored hash
 * Two-byte numbers are little-endian.
 */
const REGISTERED = 1
const ASKED = 2
const ROW_BYTES = 2 + HASH_BYTES
const FEATURE_BYTES = 6 + 2 * HASH_BYTES
const STEPS_A_PX = 16
const VIEW_BYTES = 14
const WHOLE_SIDE = 65_535

/** Limits on the views of a picture, and on the features of a view. */
export const MAX_ASKED_VIEWS = 9
export const MAX_ASKED_FEATURES = 300
const MAX_ASKED_SIDE_PX = 1000

export const MAX_REGISTERED_BYTES = 5 + (MAX_RANKED + MAX_POINTS) * ROW_BYTES
export const MAX_ASKED_BYTES = 2 + MAX_ASKED_VIEWS * (VIEW_BYTES + MAX_ASKED_FEATURES * FEATURE_BYTES)

export function writeRegistered({ ranked, points }: RegisteredDetails): Uint8Array {
  const bytes = writing(5 + (ranked.rows.length + points.points.length) * ROW_BYTES)
  for (const byte of [REGISTERED, ranked.width / 2, ranked.height / 2, ranked.rows.length]) bytes.byte(byte)
  for (const { place, pose, hash } of ranked.rows) bytes.byte(place).byte(pose).hash(hash)
  bytes.byte(points.points.length)
  for (const { column, row, hash } of points.points) bytes.byte(column).byte(row).hash(hash)
  return bytes.whole
}

/** @returns `undefined` for bytes that `writeRegistered` could not have written. */
export function readRegistered(bytes: Uint8Array): RegisteredDetails | undefined {
  const read = reading(bytes)
  if (read.byte() !== REGISTERED) return undefined
  const [width, height] = [read.byte(), read.byte()]
  if (![width, height].every((half) => half >= 1 && half <= MAX_SIDE_HALVES)) return undefined
  const size = { width: 2 * width, height: 2 * height }
  const rows: DetailRow[] = []
  for (let count = read.byte(); count > 0 && !read.isOver; count--)
    rows.push({ place: read.byte(), pose: read.byte(), hash: read.hash() })
  const points: Point[] = []
  for (let count = read.byte(); count > 0 && !read.isOver; count--)
    points.push({ column: read.byte(), row: read.byte(), hash: read.hash() })
  if (!read.isDone || rows.length > MAX_RANKED || points.length > MAX_POINTS) return undefined
  if (!rows.every(isDetailRow) || !points.every(isPoint)) return undefined
  return { ranked: { ...size, rows }, points: { ...size, points } }
}

/** @param views with mirrored descriptors; where one is missing, the plain one is written instead. */
export function writeAsked(views: readonly AskedView[]): Uint8Array {
  const features = views.reduce((sum, view) => sum + view.features.length, 0)
  const bytes = writing(2 + VIEW_BYTES * views.length + FEATURE_BYTES * features)
  bytes.byte(ASKED).byte(views.length)
  for (const { width, height, features, part } of views) {
    bytes.short(width).short(height).short(features.length)
    for (const side of [part.left, part.top, part.right, part.bottom]) bytes.short(Math.round(side * WHOLE_SIDE))
    for (const { x, y, angle, level, hash, mirrored } of features) {
      bytes.short(steps(x, width)).short(steps(y, height)).byte(angle).byte(level)
      bytes.hash(hash).hash(mirrored ?? hash)
    }
  }
  return bytes.whole
}

/** @returns `undefined` for bytes that `writeAsked` could not have written. */
export function readAsked(bytes: Uint8Array): AskedView[] | undefined {
  const read = reading(bytes)
  if (read.byte() !== ASKED) return undefined
  const count = read.byte()
  if (count > MAX_ASKED_VIEWS) return undefined
  const views: AskedView[] = []
  for (let i = 0; i < count; i++) {
    const [width, height, length] = [read.short(), read.short(), read.short()]
    if (Math.min(width, height) < 1 || Math.max(width, height) > MAX_ASKED_SIDE_PX || length > MAX_ASKED_FEATURES)
      return undefined
    const side = () => read.short() / WHOLE_SIDE
    const part = { left: side(), top: side(), right: side(), bottom: side() }
    if (part.left >= part.right || part.top >= part.bottom) return undefined
    const features: Feature[] = []
    while (features.length < length && !read.isOver) {
      const [x, y] = [read.short() / STEPS_A_PX, read.short() / STEPS_A_PX]
      features.push({ x, y, angle: read.byte(), level: read.byte(), hash: read.hash(), mirrored: read.hash() })
    }
    const isWithin = ({ x, y, angle, level }: Feature) => x < width && y < height && angle < ANGLES && level < LEVELS
    if (!features.every(isWithin)) return undefined
    views.push({ width, height, features, part })
  }
  return read.isDone ? views : undefined
}

function steps(coordinate: number, side: number): number {
  return Math.min(Math.round(coordinate * STEPS_A_PX), side * STEPS_A_PX - 1)
}

function writing(length: number) {
  const whole = new Uint8Array(length)
  let at = 0
  const write = {
    whole,
    byte(value: number) {
      whole[at++] = value
      return write
    },
    short: (value: number) => write.byte(value & 0xff).byte(value >> 8),
    hash(hash: Uint8Array) {
      whole.set(hash, at)
      at += HASH_BYTES
      return write
    },
  }
  return write
}

/** Reads numbers and hashes in order. Beyond the end they are 0, and `isOver` is true. */
function reading(bytes: Uint8Array) {
  let at = 0
  const read = {
    get isOver() {
      return at > bytes.length
    },
    get isDone() {
      return at === bytes.length
    },
    byte: () => bytes[at++] ?? 0,
    short: () => read.byte() + 256 * read.byte(),
    hash() {
      at += HASH_BYTES
      return at > bytes.length ? NOTHING : hashFromBytes(bytes, at - HASH_BYTES)
    },
  }
  return read
}

const NOTHING = hashFromBytes(new Uint8Array(HASH_BYTES))
