// The binary format of a registered image before it is sealed. Compact, since there are millions.

import { CASES_BANK_NAME } from '../../../packages/core/src/matching/bank.js'
import type { IndexedDetails } from '../../../packages/core/src/matching/indexed-details.js'
import {
  CATEGORIES,
  CATEGORY_NAMES,
  nameOfCode,
  type RegisteredFacts,
  type RegisteredImage,
  type Signal,
  signalsByFrame,
  TIER_NAMES,
  TIERS,
  VIEW_NAMES,
  VIEWS,
} from '../../../packages/core/src/matching/signal.js'
import { DETAIL_CODES, SIGNAL_TYPES, signalTypeOf, VIDEO_CODES } from '../../../packages/core/src/matching/signal-types.js'
import type { DetailRow } from '../../../packages/hash/src/details/rows.js'
import { HASH_BYTES, hashFromBytes } from '../../../packages/hash/src/hash256.js'
import { MAX_VIDEO_SIGNALS } from '../../../packages/hash/src/video-frames.js'

/**
 * version 1:  [1] version  [6] createdAtMs  [1] tier  [1] category or 0
 *             [1] length of bank, then its bytes  [1] length of ref, then its bytes
 *             per signal: [1] type  [1] view  [1] quality  [32] hash
 *             of a video: [1] head  [1] 1 for an animation, otherwise 0  [1] 0  [4] duration [ms]  [28] 0
 *             per frame:  [1] frame  [2] 0  [4] when it is shown [ms]  [28] 0, followed by its signals
 *             of details: [1] head  [1] width / 2  [1] height / 2  [4] subject group  [28] 0
 *             per row:    [1] row  [1] place  [1] pose  [32] hash
 *
 * The highest bit of the category is set for `isByHashes`. `ref` is a partner's own reference; for an image of a case it is the id of the case. Signals, rows of details and of videos have the same length
 * and differ in their first byte. `place`, `pose`: see `DetailRow`. `subject group`: see `IndexedDetails`.
 */
export const RECORD = {
  version: 1,
  createdAtMsAt: 1,
  tierAt: 7,
  categoryAt: 8,
  bankAt: 9,
  signalBytes: 3 + HASH_BYTES,
  /** Of a video: its head, the hashes of its file, its frames, and their signals. */
  maxRows: 3 + 2 * MAX_VIDEO_SIGNALS,
  /** Offset of the number within a head of details, a head of a video, or a frame. */
  numberAt: 3,
} as const

const IS_ANIMATION = 1
/** In the byte of the category. A version that does not know it reads no category. */
export const BY_HASHES = 0x80

/** Prefix of the context that an image's record is sealed with; the image id follows. */
const IMAGE_CONTEXT = Buffer.from('image:')

/** @param id [16 bytes] */
export function imageContext(id: Uint8Array): Buffer {
  return Buffer.concat([IMAGE_CONTEXT, id])
}

/** @throws {RangeError} for more rows than a reader takes: such a record would keep every process from starting. */
export function encodeImage(image: RegisteredImage): Buffer {
  const rows = [...encodeSignals(image), ...(image.details === undefined ? [] : encodeDetails(image.details))]
  if (rows.length > RECORD.maxRows) throw new RangeError('an image has more hashes than a record may have')
  const header = Buffer.alloc(RECORD.bankAt)
  header[0] = RECORD.version
  header.writeUIntBE(image.createdAtMs, RECORD.createdAtMsAt, 6)
  header[RECORD.tierAt] = TIERS[image.tier]
  const category = image.category === undefined ? 0 : CATEGORIES[image.category]
  header[RECORD.categoryAt] = category | (image.isByHashes ? BY_HASHES : 0)
  return Buffer.concat([header, shortText(image.bank), shortText(image.caseId ?? image.ref ?? ''), ...rows])
}

/**
 * @returns the image. Skips signals whose type or view this version does not know, because a newer version may run beside it.
 * @throws {RangeError} when the bytes are not a record. Bytes that were unsealed are intact, so this is a bug.
 */
export function decodeImage(bytes: Buffer): RegisteredImage {
  const {
    facts: { video, ...facts },
    rowsAt,
  } = decodeHeader(bytes)
  const signals: Signal[] = []
  const rows: DetailRow[] = []
  const framesAtMs: number[] = []
  let head: Omit<IndexedDetails, 'rows'> | undefined
  for (let at = rowsAt; at < bytes.length; at += RECORD.signalBytes) {
    const code = bytes.readUInt8(at)
    if (code === DETAIL_CODES.head) head = decodeHead(bytes, at)
    if (code === DETAIL_CODES.row) rows.push(decodeRow(bytes, at))
    if (code === VIDEO_CODES.frame) {
      if (video === undefined) throw new RangeError('a frame without its video in an image record')
      framesAtMs.push(bytes.readUInt32BE(at + RECORD.numberAt))
    }
    const type = signalTypeOf(code)
    const view = nameOfCode(VIEW_NAMES, VIEWS, bytes.readUInt8(at + 1))
    if (type === undefined || view === undefined) continue
    const signal = { type, view, quality: bytes.readUInt8(at + 2), hash: hashFromBytes(bytes, at + 3) }
    signals.push(framesAtMs.length === 0 ? signal : { ...signal, frame: framesAtMs.length - 1 })
  }
  return {
    ...facts,
    signals,
    ...(video !== undefined && { video: { ...video, framesAtMs } }),
    ...(head !== undefined && { details: { ...head, rows } }),
  }
}

/** As `decodeImage`, without hashes: a video may have 10,000. */
export function decodeFacts(bytes: Buffer): RegisteredFacts {
  return decodeHeader(bytes).facts
}

function decodeHeader(bytes: Buffer): { readonly facts: RegisteredFacts; readonly rowsAt: number } {
  if (bytes[0] !== RECORD.version) throw new RangeError('unknown version of an image record')
  const tier = nameOfCode(TIER_NAMES, TIERS, bytes.readUInt8(RECORD.tierAt))
  if (tier === undefined) throw new RangeError('unknown tier in an image record')
  const categoryByte = bytes.readUInt8(RECORD.categoryAt)
  const category = nameOfCode(CATEGORY_NAMES, CATEGORIES, categoryByte & ~BY_HASHES)
  const bankFrom = RECORD.bankAt + 1
  const bankEnd = bankFrom + bytes.readUInt8(RECORD.bankAt)
  const refFrom = bankEnd + 1
  const rowsAt = refFrom + bytes.readUInt8(bankEnd)
  const bank = bytes.toString('utf8', bankFrom, bankEnd)
  const caseIdOrRef = rowsAt === refFrom ? undefined : bytes.toString('utf8', refFrom, rowsAt)
  const isOfCase = bank === CASES_BANK_NAME
  const facts = {
    bank,
    tier,
    category,
    ref: isOfCase ? undefined : caseIdOrRef,
    ...(isOfCase && caseIdOrRef !== undefined && { caseId: caseIdOrRef }),
    createdAtMs: bytes.readUIntBE(RECORD.createdAtMsAt, 6),
    ...(bytes[rowsAt] === VIDEO_CODES.head && { video: decodeVideoHead(bytes, rowsAt) }),
    ...((categoryByte & BY_HASHES) !== 0 && { isByHashes: true as const }),
  }
  return { facts, rowsAt }
}

function decodeVideoHead(bytes: Buffer, at: number): NonNullable<RegisteredFacts['video']> {
  const durationMs = bytes.readUInt32BE(at + RECORD.numberAt)
  return { durationMs, ...(bytes.readUInt8(at + 1) === IS_ANIMATION && { isAnimation: true }) }
}

function encodeSignals(image: RegisteredImage): Buffer[] {
  const { video } = image
  const [ofFile = [], ...ofFrames] = signalsByFrame(image)
  if (video === undefined) return ofFile.map(encodeSignal)
  const frames = ofFrames.flatMap((own, frame) => [
    encodeNumber(VIDEO_CODES.frame, video.framesAtMs[frame] ?? 0),
    ...own.map(encodeSignal),
  ])
  const head = encodeNumber(VIDEO_CODES.head, video.durationMs)
  if (video.isAnimation) head[1] = IS_ANIMATION
  return [head, ...ofFile.map(encodeSignal), ...frames]
}

function encodeNumber(code: number, number: number): Buffer {
  const row = Buffer.alloc(RECORD.signalBytes)
  row[0] = code
  row.writeUInt32BE(number, RECORD.numberAt)
  return row
}

function encodeSignal({ type, view, quality, hash }: Signal): Buffer {
  return Buffer.concat([Buffer.of(SIGNAL_TYPES[type].code, VIEWS[view], quality), hash])
}

function encodeDetails({ subjectGroup, width, height, rows }: IndexedDetails): Buffer[] {
  const head = Buffer.alloc(RECORD.signalBytes)
  head.set([DETAIL_CODES.head, width / 2, height / 2])
  head.writeUInt32BE(subjectGroup, RECORD.numberAt)
  return [head, ...rows.map(({ place, pose, hash }) => Buffer.concat([Buffer.of(DETAIL_CODES.row, place, pose), hash]))]
}

function decodeHead(bytes: Buffer, at: number): Omit<IndexedDetails, 'rows'> {
  const subjectGroup = bytes.readUInt32BE(at + RECORD.numberAt)
  return { subjectGroup, width: 2 * bytes.readUInt8(at + 1), height: 2 * bytes.readUInt8(at + 2) }
}

function decodeRow(bytes: Buffer, at: number): DetailRow {
  return { place: bytes.readUInt8(at + 1), pose: bytes.readUInt8(at + 2), hash: hashFromBytes(bytes, at + 3) }
}

function shortText(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length > 255) throw new RangeError('a text in an image record has at most 255 bytes')
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}
