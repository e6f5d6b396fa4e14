// Registered images as columns (typed arrays), so that an index of millions is filled without an object per image.

import { CATEGORIES, TIERS, VIEWS } from '../../../../packages/core/src/matching/signal.js'
import {
  byRowType,
  DETAIL_CODES,
  ROW_TYPES,
  type RowType,
  SIGNAL_TYPE_NAMES,
  SIGNAL_TYPES,
  VIDEO_CODES,
} from '../../../../packages/core/src/matching/signal-types.js'
import { HASH_BYTES } from '../../../../packages/hash/src/hash256.js'
import { BY_HASHES, RECORD } from '../image-record.js'
import { BankNames } from './bank-names.js'

/** Maximum of images per batch: an index takes them in within a few ms. */
export const BATCH_IMAGES = 2048
/** With so many rows or frames, a batch is complete, too. Of a video's rows that is some seven. */
const BATCH_ROWS = 65_536
const BATCH_FRAMES = 16_384
/** What two bytes can number. A batch that is not complete has room for the frames of any record. */
const MAX_OWNERS = 65_536

/**
 * A batch of images. Image `i` has the id at `ids[16 * i]` and row `i` of the other columns; its signals are in `signals`.
 *
 * Signals belong to an owner: an image, or a frame of a video. Owners are numbered from 0 through the batch, each image before its own frames.
 *
 * All arrays are views of one buffer, which belongs to the receiver.
 */
export interface ImageColumns {
  /** 1…`BATCH_IMAGES`. */
  readonly images: number
  /** 16 bytes per image. */
  readonly ids: Uint8Array
  /** Codes of `TIERS`. */
  readonly tiers: Uint8Array
  /** Codes of `CATEGORIES`, with `BY_HASHES`; 0 for an image without a category, or with one that this version does not know. */
  readonly categories: Uint8Array
  /** When it was registered. */
  readonly createdAtMs: Float64Array
  /** Index of its bank's name in `bankNames`. */
  readonly banks: Uint16Array
  /** The banks of this batch, each once. */
  readonly bankNames: readonly string[]
  /** The number of its frames; 0 for a picture. */
  readonly frameCounts: Uint16Array
  /** [ms] for each frame of the batch, when it is shown. */
  readonly framesAtMs: Uint32Array
  /** Without signals of types and views that this version does not know. An image may be left with none. */
  readonly signals: Readonly<Record<RowType, SignalColumns>>
  /** The head of an image's details (size and subject group), for images that have any. */
  readonly heads: SignalColumns
}

/**
 * The signals of one type, in the order of the images in the batch and of the record. For details, `views` and `qualities` hold places and
 * poses. For heads of details they hold half of the width and height, and the first four bytes of `hashes` hold the subject group.
 */
export interface SignalColumns {
  readonly count: number
  /** The number of the image or frame, ascending. */
  readonly owners: Uint16Array
  /** Codes of `VIEWS`. */
  readonly views: Uint8Array
  readonly qualities: Uint8Array
  /** 32 bytes per signal. */
  readonly hashes: Uint8Array
}

/** Collects image records until `take` returns them as columns. */
export class ColumnsBuilder {
  #images = 0
  #rows = 0
  #frames = 0
  #framesAtMs = new Uint32Array(BATCH_IMAGES)
  readonly #frameCounts = new Uint16Array(BATCH_IMAGES)
  readonly #ids = new Uint8Array(16 * BATCH_IMAGES)
  readonly #tiers = new Uint8Array(BATCH_IMAGES)
  readonly #categories = new Uint8Array(BATCH_IMAGES)
  readonly #createdAtMs = new Float64Array(BATCH_IMAGES)
  readonly #banks = new Uint16Array(BATCH_IMAGES)
  readonly #names = new BankNames()
  readonly #heads = new SignalRows()
  readonly #signals: Readonly<Record<RowType, SignalRows>> = byRowType(() => new SignalRows())

  get images(): number {
    return this.#images
  }

  get isFull(): boolean {
    return this.#images === BATCH_IMAGES || this.#rows >= BATCH_ROWS || this.#frames >= BATCH_FRAMES
  }

  /**
   * Adds an image: its id at `idAt`, its record at `from` … `to` in `bytes`. The builder must not be full.
   * @throws {RangeError} when the bytes are not a record. Bytes that were unsealed are intact, so this is a bug.
   */
  add(bytes: Uint8Array, idAt: number, from: number, to: number): void {
    const bankFrom = from + RECORD.bankAt + 1
    const bankTo = bankFrom + (bytes[bankFrom - 1] ?? 0)
    const refTo = bankTo + 1 + (bytes[bankTo] ?? 0)
    const signalBytes = to - refTo
    if (bytes[from] !== RECORD.version) throw new RangeError('unknown version of an image record')
    if (signalBytes < 0 || signalBytes % RECORD.signalBytes !== 0) throw new RangeError('an image record ends too early')
    const tier = bytes[from + RECORD.tierAt] ?? 0
    if (!KNOWN_TIERS.has(tier)) throw new RangeError('unknown tier in an image record')
    const categoryByte = bytes[from + RECORD.categoryAt] ?? 0
    const category = categoryByte & ~BY_HASHES

    const framesBefore = this.#frames
    const image = this.#images++
    copy(bytes, idAt, this.#ids, 16 * image, 16)
    this.#tiers[image] = tier
    this.#createdAtMs[image] = numberAt(bytes, from + RECORD.createdAtMsAt, 6)
    this.#categories[image] = (KNOWN_CATEGORIES.has(category) ? category : 0) | (categoryByte & BY_HASHES)
    this.#banks[image] = this.#names.indexOf(bytes, bankFrom, bankTo)
    this.#rows += signalBytes / RECORD.signalBytes
    const owner = image + framesBefore
    let isVideo = false
    for (let at = refTo; at < to; at += RECORD.signalBytes) {
      const code = bytes[at] ?? 0
      if (code === DETAIL_CODES.row) this.#signals.detail.add(owner, bytes, at + 1)
      if (code === DETAIL_CODES.head) this.#heads.add(owner, bytes, at + 1)
      if (code === VIDEO_CODES.head) isVideo = true
      if (code === VIDEO_CODES.frame) this.#addFrame(image, bytes, at + RECORD.numberAt, isVideo)
      const type = TYPE_OF_CODE[code]
      if (type !== undefined && KNOWN_VIEWS.has(bytes[at + 1] ?? 0))
        this.#signals[type].add(image + this.#frames, bytes, at + 1)
    }
    this.#frameCounts[image] = this.#frames - framesBefore
  }

  /** @param at offset of the time. */
  #addFrame(image: number, bytes: Uint8Array, at: number, isVideo: boolean): void {
    if (!isVideo) throw new RangeError('a frame without its video in an image record')
    if (image + this.#frames + 1 >= MAX_OWNERS) throw new RangeError('a video has too many frames for a batch')
    if (this.#frames === this.#framesAtMs.length) {
      const longer = new Uint32Array(2 * this.#frames)
      longer.set(this.#framesAtMs)
      this.#framesAtMs = longer
    }
    this.#framesAtMs[this.#frames++] = numberAt(bytes, at, 4)
  }

  /** Returns the images added since the last call as columns in new memory, which may be transferred to another thread. */
  take(): { readonly columns: ImageColumns; readonly memory: ArrayBuffer } {
    const images = this.#images
    const tables = [...ROW_TYPES.map((type) => this.#signals[type]), this.#heads]
    const rows = tables.reduce((sum, { count }) => sum + count, 0)
    const memory = new ArrayBuffer(4 * this.#frames + images * (8 + 16 + 2 + 2 + 2) + rows * (HASH_BYTES + 2 + 2))
    const slice = slicesOf(memory)
    // The widest numbers come first, so that all are aligned.
    const createdAtMs = slice.doubles(this.#createdAtMs, images)
    const framesAtMs = slice.doubleWords(this.#framesAtMs, this.#frames)
    const frameCounts = slice.words(this.#frameCounts, images)
    const banks = slice.words(this.#banks, images)
    const ownersOf = new Map(tables.map((table) => [table, slice.words(table.owners, table.count)]))
    const columnsOf = (table: SignalRows): SignalColumns => {
      const { count, views, qualities, hashes } = table
      return {
        count,
        owners: ownersOf.get(table) ?? new Uint16Array(),
        views: slice.bytes(views, count),
        qualities: slice.bytes(qualities, count),
        hashes: slice.bytes(hashes, HASH_BYTES * count),
      }
    }
    const columns: ImageColumns = {
      images,
      ids: slice.bytes(this.#ids, 16 * images),
      tiers: slice.bytes(this.#tiers, images),
      categories: slice.bytes(this.#categories, images),
      createdAtMs,
      banks,
      bankNames: this.#names.take(),
      frameCounts,
      framesAtMs,
      signals: byRowType((type) => columnsOf(this.#signals[type])),
      heads: columnsOf(this.#heads),
    }
    this.#images = this.#rows = this.#frames = 0
    for (const table of tables) table.count = 0
    return { columns, memory }
  }
}

const KNOWN_TIERS: ReadonlySet<number> = new Set(Object.values(TIERS))
const KNOWN_CATEGORIES: ReadonlySet<number> = new Set(Object.values(CATEGORIES))
const KNOWN_VIEWS: ReadonlySet<number> = new Set(Object.values(VIEWS))
const TYPE_OF_CODE: ((typeof SIGNAL_TYPE_NAMES)[number] | undefined)[] = []
for (const type of SIGNAL_TYPE_NAMES) TYPE_OF_CODE[SIGNAL_TYPES[type].code] = type

/** The signals of one type, in arrays that grow. */
class SignalRows {
  count = 0
  owners = new Uint16Array(BATCH_IMAGES)
  views = new Uint8Array(BATCH_IMAGES)
  qualities = new Uint8Array(BATCH_IMAGES)
  hashes = new Uint8Array(HASH_BYTES * BATCH_IMAGES)

  /** @param at offset of view, quality and hash in `bytes`. */
  add(owner: number, bytes: Uint8Array, at: number): void {
    if (this.count === this.owners.length) this.#grow()
    const row = this.count++
    this.owners[row] = owner
    this.views[row] = bytes[at] ?? 0
    this.qualities[row] = bytes[at + 1] ?? 0
    copy(bytes, at + 2, this.hashes, HASH_BYTES * row, HASH_BYTES)
  }

  #grow(): void {
    const { owners, views, qualities, hashes } = this
    this.owners = new Uint16Array(2 * owners.length)
    this.owners.set(owners)
    this.views = doubled(views)
    this.qualities = doubled(qualities)
    this.hashes = doubled(hashes)
  }
}

/** Faster than `set` with a subarray: for a few bytes, making the subarray costs more than copying. */
function copy(from: Uint8Array, at: number, to: Uint8Array, toAt: number, count: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[at + i] ?? 0
}

/** A number of so many bytes, the highest first. */
function numberAt(bytes: Uint8Array, at: number, length: number): number {
  let number = 0
  for (let i = at; i < at + length; i++) number = number * 256 + (bytes[i] ?? 0)
  return number
}

function doubled(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const longer = new Uint8Array(2 * bytes.length)
  longer.set(bytes)
  return longer
}

function slicesOf(buffer: ArrayBuffer) {
  let at = 0
  return {
    doubles(source: Float64Array, count: number): Float64Array {
      const slice = new Float64Array(buffer, at, count)
      slice.set(source.subarray(0, count))
      at += slice.byteLength
      return slice
    },
    doubleWords(source: Uint32Array, count: number): Uint32Array {
      const slice = new Uint32Array(buffer, at, count)
      slice.set(source.subarray(0, count))
      at += slice.byteLength
      return slice
    },
    words(source: Uint16Array, count: number): Uint16Array {
      const slice = new Uint16Array(buffer, at, count)
      slice.set(source.subarray(0, count))
      at += slice.byteLength
      return slice
    },
    bytes(source: Uint8Array, count: number): Uint8Array {
      const slice = new Uint8Array(buffer, at, count)
      slice.set(source.subarray(0, count))
      at += count
      return slice
    },
  }
}
