// The rows of images in the indexes, and what is known of rows besides their hashes: details, frames.

import { type RegisteredImage, type Signal, signalsByFrame, VIEWS } from '../../../packages/core/src/matching/signal.js'
import {
  byRowType,
  DETAIL_BITS,
  ROW_TYPES,
  type RowType,
  SIGNAL_TYPE_NAMES,
} from '../../../packages/core/src/matching/signal-types.js'
import { SignalIndex } from '../../../packages/core/src/search/signal-index.js'
import { DetailPlaces } from './detail-places.js'
import { FrameTable } from './frame-table.js'
import { PAGE_IMAGES } from './image-page.js'

type Rows = Pick<RegisteredImage, 'signals' | 'details' | 'video'>

/** The rows of an image have its ordinal; those of a frame of a video have the ordinal of the frame. */
export class ImageRows {
  readonly indexes: Readonly<Record<RowType, SignalIndex>> = byRowType((type) =>
    type === 'detail' ? new SignalIndex(undefined, DETAIL_BITS) : new SignalIndex(),
  )
  readonly places = new DetailPlaces()
  readonly frames = new FrameTable()

  /** [bytes] besides the indexes. */
  get bytes(): number {
    return this.places.bytes + this.frames.bytes
  }

  /** Adds the rows of an image. The ordinals of its frames, which follow its own, must be free. Cost: an insert per row. */
  insert(ordinal: number, image: Rows): void {
    this.frames.put(ordinal, image.video?.framesAtMs ?? [])
    for (const [number, own] of signalsByFrame(image).entries())
      for (const { type, view, hash } of own) this.indexes[type].insert(ordinal + number, VIEWS[view], hash)
    const { details } = image
    if (details === undefined) return
    this.places.put(ordinal, details)
    for (const [row, { hash }] of details.rows.entries()) this.indexes.detail.insert(ordinal, row, hash)
  }

  /** Whether the image has exactly these rows and frames, as `SignalIndex.hasExactly`. Cost: a comparison per row. */
  hasExactly(ordinal: number, image: Rows): boolean {
    const { details, video } = image
    const rows = details?.rows.map(({ hash }, view) => ({ view, hash })) ?? []
    return (
      this.frames.has(ordinal, video?.framesAtMs ?? []) &&
      signalsByFrame(image).every((own, number) => this.#hasSignals(ordinal + number, own)) &&
      this.indexes.detail.hasExactly(ordinal, rows) &&
      this.places.has(ordinal, details)
    )
  }

  #hasSignals(ordinal: number, signals: readonly Signal[]): boolean {
    return SIGNAL_TYPE_NAMES.every((type) => {
      const own = signals.filter((signal) => signal.type === type)
      return this.indexes[type].hasExactly(
        ordinal,
        own.map(({ view, hash }) => ({ view: VIEWS[view], hash })),
      )
    })
  }

  /** Removes all rows of an image, those of its frames, too. No search finds any of them after the call. */
  remove(ordinal: number): void {
    const last = ordinal + this.frames.countOf(ordinal)
    for (const type of ROW_TYPES) this.indexes[type].remove(ordinal, last)
    this.places.remove(ordinal)
    this.frames.remove(ordinal)
  }

  /** Frees what is known of a page of ordinals that are all removed. @returns false while one of them may be a frame. */
  retire(first: number): boolean {
    if (this.frames.mayHaveAny(first, first + PAGE_IMAGES - 1)) return false
    for (const type of ROW_TYPES) this.indexes[type].retire(first)
    return true
  }

  /** As `SignalIndex.compact`, of each index. */
  compact(steps: number): boolean {
    return ROW_TYPES.map((type) => this.indexes[type].compact(steps)).includes(true)
  }
}
