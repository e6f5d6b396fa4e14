// Reads a catalogue for one query, which may pause and search many times.

import type { RegisteredView } from '../../../packages/core/src/matching/agreement.js'
import type { Bank } from '../../../packages/core/src/matching/bank.js'
import { viewOf } from '../../../packages/core/src/matching/signal.js'
import type { RowType } from '../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../packages/core/src/search/hit.js'
import type { SignalIndex } from '../../../packages/core/src/search/signal-index.js'
import { MAX_IMAGE_SIGNALS } from '../../../packages/hash/src/file-frames.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import type { DetailPlaces } from './detail-places.js'
import type { Frame } from './frame-table.js'
import type { CatalogueImage, ImageFacts } from './image-facts.js'
import { originIn } from './image-ids.js'
import type { Moment, ReplacedRows } from './replaced-rows.js'

/** Maximum views read per type for a picture or a frame: more than any has. */
const MAX_VIEWS = MAX_IMAGE_SIGNALS

/** The parts of a catalogue that a searcher reads. */
interface Searched {
  readonly banks: ReadonlyMap<string, Bank>
  readonly places: Pick<DetailPlaces, 'sizeOf' | 'subjectGroupOf' | 'rowOf'>
  index(type: RowType): SignalIndex
  has(ordinal: number): boolean
  image(ordinal: number): CatalogueImage | undefined
  factsOf(ordinal: number): ImageFacts | undefined
  originOf(ordinal: number): number
  imageOrdinal(ordinal: number): number
  frameOf(ordinal: number): Frame | undefined
}

/**
 * A consistent reader. It sees each replaced image either as it was when the searcher was created or as it is now: always under one ordinal, never as
 * absent. It stops seeing a removed image at once. It sees an added image in searches that begin later.
 */
export class Searcher {
  readonly #catalogue: Searched
  readonly #replaced: ReplacedRows
  readonly #moment: Moment

  constructor(catalogue: Searched, replaced: ReplacedRows) {
    this.#catalogue = catalogue
    this.#replaced = replaced
    this.#moment = replaced.begin()
  }

  /** As `SignalIndex.search`. */
  *search(
    type: RowType,
    needles: readonly Hash256[],
    thresholdBits: number,
    marginBits = 0,
  ): Generator<void, readonly Hit[], void> {
    return this.#seen(yield* this.#catalogue.index(type).search(needles, thresholdBits, marginBits))
  }

  /** As `SignalIndex.searchEach`. */
  *searchEach(
    type: RowType,
    sets: readonly (readonly Hash256[])[],
    thresholdBits: number,
    marginBits = 0,
  ): Generator<void, (readonly Hit[] | undefined)[], void> {
    const found = yield* this.#catalogue.index(type).searchEach(sets, thresholdBits, marginBits)
    return found.map((hits) => hits && this.#seen(hits))
  }

  /** The rows of an image, or of one frame of a video, as the search found it, in the order in which they were added. */
  viewsOf(ordinal: number, type: RowType): RegisteredView[] {
    const rows = this.#catalogue.index(type).rowsOf(ordinal, MAX_VIEWS)
    return rows.map(({ view, hash }) => ({ view: viewOf(view), hash }))
  }

  /** The image of an ordinal, for a frame its video; `undefined` when it was removed since the search. */
  image(ordinal: number): CatalogueImage | undefined {
    return this.#catalogue.image(ordinal) ?? this.#replacedOf(ordinal)
  }

  factsOf(ordinal: number): Omit<CatalogueImage, 'id'> | undefined {
    return this.#catalogue.factsOf(ordinal) ?? this.#replacedOf(ordinal)
  }

  /** The ordinal of the image that a row belongs to: of the video, for a frame. */
  imageOrdinal(ordinal: number): number {
    return this.#catalogue.imageOrdinal(ordinal)
  }

  /** The video and the time of a frame. `undefined` when the ordinal is not a frame, or was removed since the search. */
  frameOf(ordinal: number): Frame | undefined {
    return this.#catalogue.frameOf(ordinal)
  }

  /** The number of a frame within its video, from 1; 0 for any other ordinal. */
  frameNumberOf(ordinal: number): number {
    return ordinal - this.imageOrdinal(ordinal)
  }

  /** As `ImageTable.originOf`: the same number for all images of one case. */
  originOf(ordinal: number): number {
    const replaced = this.#replacedOf(ordinal)
    if (replaced === undefined) return this.#catalogue.originOf(ordinal)
    return Number.parseInt(originIn(replaced.id).replace('-', ''), 16)
  }

  has(ordinal: number): boolean {
    return this.#catalogue.has(ordinal) || this.#replacedOf(ordinal) !== undefined
  }

  get banks(): ReadonlyMap<string, Bank> {
    return this.#catalogue.banks
  }

  get places(): Searched['places'] {
    return this.#catalogue.places
  }

  /** Call it once the query is answered or failed: replaced rows are kept until then. */
  release(): void {
    this.#replaced.end(this.#moment)
  }

  #seen(hits: readonly Hit[]): readonly Hit[] {
    if (this.#replaced.isEmpty || hits.length === 0) return hits
    return hits.filter(({ image }) => this.#replaced.isSeen(this.imageOrdinal(image), this.#moment))
  }

  #replacedOf(ordinal: number): CatalogueImage | undefined {
    return this.#replaced.imageOf(this.imageOrdinal(ordinal))
  }
}
