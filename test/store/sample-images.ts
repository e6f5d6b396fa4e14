// Registered images of every kind, and the conversion of columns into comparable texts.

import fc from 'fast-check'
import { formatUuid } from '../../packages/core/src/ids.js'
import {
  CATEGORIES,
  CATEGORY_NAMES,
  nameOfCode,
  type RegisteredImage,
  type RegisteredVideo,
  TIER_NAMES,
  TIERS,
  VIEW_NAMES,
  VIEWS,
} from '../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES } from '../../packages/core/src/matching/signal-types.js'
import { MAX_DETAIL_ROWS } from '../../packages/hash/src/details/rows.js'
import { HASH_BYTES, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { MAX_VIDEO_SIGNALS } from '../../packages/hash/src/video-frames.js'
import { BY_HASHES } from '../../src/store/images/image-record.js'
import type { ImageColumns } from '../../src/store/images/reader/columns.js'

const signal = fc.record(
  {
    type: fc.constantFrom(...SIGNAL_TYPE_NAMES),
    view: fc.constant('whole' as const),
    quality: fc.integer({ min: 0, max: 100 }),
    hash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hashFromBytes(bytes)),
  },
  { noNullPrototype: true },
)

const byte = fc.integer({ min: 0, max: 255 })
const side = fc.integer({ min: 1, max: 240 }).map((half) => 2 * half)
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hashFromBytes(bytes))
const row = fc.record({ place: byte, pose: fc.integer({ min: 0, max: 127 }), hash }, { noNullPrototype: true })
const details = fc.record(
  {
    subjectGroup: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    width: side,
    height: side,
    rows: fc.array(row, { maxLength: MAX_DETAIL_ROWS }),
  },
  { noNullPrototype: true },
)

export const anyImage: fc.Arbitrary<RegisteredImage> = fc
  .record(
    {
      bank: fc.oneof(fc.constantFrom('cases', 'Aa', 'BB'), fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/)),
      tier: fc.constantFrom(...TIER_NAMES),
      category: fc.option(fc.constantFrom(...CATEGORY_NAMES), { nil: undefined }),
      ref: fc.option(fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme-ascii' }), { nil: undefined }),
      createdAtMs: fc.integer({ min: 0, max: 2 ** 47 }),
      signals: fc.array(signal, { maxLength: 40 }),
      details,
      isByHashes: fc.constant(true as const),
    },
    { noNullPrototype: true, requiredKeys: ['bank', 'tier', 'category', 'ref', 'createdAtMs', 'signals'] },
  )
  // Images of a case have a case id and no reference.
  .map((image): RegisteredImage => {
    if (image.bank !== 'cases' || image.ref === undefined) return image
    return { ...image, ref: undefined, caseId: image.ref }
  })

const timeMs = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const video = fc.record({ durationMs: timeMs, framesAtMs: fc.array(timeMs, { maxLength: 12 }) }, { noNullPrototype: true })

/** Signals are distributed over the file and the frames; some frames may have none. */
export const anyVideo: fc.Arbitrary<RegisteredImage> = fc
  .tuple(anyImage, video, fc.array(fc.nat(12), { minLength: 40, maxLength: 40 }))
  .map(([{ details: _, ...image }, video, deal]) => ({ ...image, video, signals: dealt(image.signals, video, deal) }))

/** Unlike a video, it may have details. */
const anyAnimation: fc.Arbitrary<RegisteredImage> = fc
  .tuple(anyImage, video, fc.array(fc.nat(12), { minLength: 40, maxLength: 40 }))
  .map(([image, video, deal]) => ({
    ...image,
    video: { ...video, isAnimation: true },
    signals: dealt(image.signals, video, deal),
  }))

export const anyImageOrVideo = fc.oneof(anyImage, anyVideo, anyAnimation)

/** As many frames as signals are allowed, each with one signal. */
export function longestVideo(seed: number): RegisteredImage {
  const frames = Array.from({ length: MAX_VIDEO_SIGNALS }, (_, i) => i)
  return {
    bank: 'cases',
    tier: 'self-reported',
    category: undefined,
    ref: undefined,
    createdAtMs: 1,
    video: { durationMs: 600_000, framesAtMs: frames.map((i) => 60 * i) },
    signals: frames.map((frame) => ({
      ...({ type: 'pdq', view: 'whole', quality: 90, frame } as const),
      hash: hashFromBytes(Buffer.alloc(32, `${seed} ${frame} `)),
    })),
  }
}

function dealt(signals: RegisteredImage['signals'], { framesAtMs }: RegisteredVideo, deal: readonly number[]) {
  const places = signals.map((_, i) => (deal[i] ?? 0) % (1 + framesAtMs.length)).sort((a, b) => a - b)
  return signals.map((signal, i) => {
    const place = places[i] ?? 0
    return place === 0 ? signal : { ...signal, frame: place - 1 }
  })
}

/** The data of an image that columns keep: without reference and time, and with signals by type. */
export function comparable(id: string, image: RegisteredImage): string {
  const { bank, tier, category, isByHashes = false, signals, details, video } = image
  const byType = SIGNAL_TYPE_NAMES.flatMap((name) => signals.filter(({ type }) => type === name))
  const signalTexts = byType.map(({ type, view, quality, hash, frame = -1 }) => [
    ...[type, view, quality, Buffer.from(hash).toString('hex')],
    1 + frame,
  ])
  const head = details === undefined ? [] : [[details.width, details.height, details.subjectGroup]]
  const rowTexts = details?.rows.map(({ place, pose, hash }) => [place, pose, Buffer.from(hash).toString('hex')]) ?? []
  return JSON.stringify([id, bank, tier, category ?? null, isByHashes, signalTexts, video?.framesAtMs ?? [], head, rowTexts])
}

export function comparablesOf(columns: ImageColumns): string[] {
  const { images, ids, tiers, categories, banks, bankNames, frameCounts, framesAtMs } = columns
  let frames = 0
  return Array.from({ length: images }, (_, image) => {
    const own = { first: image + frames, frames: frameCounts[image] ?? 0 }
    const signals = SIGNAL_TYPE_NAMES.flatMap((name) => signalsOf(columns, own, name))
    const atMs = [...framesAtMs.subarray(frames, frames + own.frames)]
    frames += own.frames
    const bank = bankNames[banks[image] ?? -1]
    const tier = nameOfCode(TIER_NAMES, TIERS, tiers[image] ?? 0)
    const code = categories[image] ?? 0
    const category = nameOfCode(CATEGORY_NAMES, CATEGORIES, code & ~BY_HASHES) ?? null
    return JSON.stringify([
      formatUuid(ids.subarray(16 * image, 16 * image + 16)),
      bank,
      tier,
      category,
      (code & BY_HASHES) !== 0,
      signals,
      atMs,
      ...detailsOf(columns, own.first),
    ])
  })
}

function detailsOf({ heads, signals: { detail } }: ImageColumns, owner: number) {
  const hashAt = ({ hashes }: typeof heads, row: number) =>
    Buffer.from(hashes.subarray(HASH_BYTES * row, HASH_BYTES * (row + 1)))
  const own = (columns: typeof heads) => Array.from(columns.owners.keys()).filter((row) => columns.owners[row] === owner)
  return [
    own(heads).map((i) => [2 * (heads.views[i] ?? 0), 2 * (heads.qualities[i] ?? 0), hashAt(heads, i).readUInt32BE()]),
    own(detail).map((i) => [detail.views[i], detail.qualities[i], hashAt(detail, i).toString('hex')]),
  ]
}

function signalsOf(
  { signals }: ImageColumns,
  { first, frames }: { readonly first: number; readonly frames: number },
  type: (typeof SIGNAL_TYPE_NAMES)[number],
) {
  const { count, owners, views, qualities, hashes } = signals[type]
  const rows: number[] = []
  for (let row = 0; row < count; row++) {
    const owner = owners[row] ?? -1
    if (owner >= first && owner <= first + frames) rows.push(row)
  }
  return rows.map((row) => {
    const hash = Buffer.from(hashes.subarray(HASH_BYTES * row, HASH_BYTES * row + HASH_BYTES)).toString('hex')
    return [type, nameOfCode(VIEW_NAMES, VIEWS, views[row] ?? 255), qualities[row], hash, (owners[row] ?? -1) - first]
  })
}
