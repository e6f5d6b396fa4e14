// The in-memory data for matching: images, banks and API keys, as of one revision of the store.

import { formatUuid, idBytes } from '../../../packages/core/src/ids.js'
import { CASES_BANK, HARMLESS_BANK, JUDGED_HARMLESS_BANK } from '../../../packages/core/src/matching/bank.js'
import type { RegisteredImage } from '../../../packages/core/src/matching/signal.js'
import type { RowType } from '../../../packages/core/src/matching/signal-types.js'
import type { SignalIndex } from '../../../packages/core/src/search/signal-index.js'
import type { TrustStatus } from '../../domain/trust/trust.js'
import type { ImageColumns } from '../../store/images/reader/columns.js'
import type { ApiKey } from '../../store/organisations/api-keys.js'
import { BankTable } from './bank-table.js'
import { type CataloguePiece, dumped, type RestoringCatalogue, restoring } from './catalogue-dump.js'
import { loadColumns } from './catalogue-load.js'
import type { DetailPlaces } from './detail-places.js'
import type { Frame } from './frame-table.js'
import type { CatalogueImage, ImageFacts, OwnerCount, RegistrySize } from './image-facts.js'
import { ImageRows } from './image-rows.js'
import { ImageTable } from './image-table.js'
import { ReplacedRows } from './replaced-rows.js'
import { Searcher } from './searcher.js'

export class Catalogue {
  readonly banks = new BankTable([CASES_BANK, HARMLESS_BANK])
  readonly apiKeys = new Map<string, ApiKey>()
  readonly #rows = new ImageRows()
  // Invariant: has exactly the live images. Ordinals are never reused: a row of a removed image must not be taken for another image.
  readonly #images: ImageTable
  // Images that are stored and must not match. They have no rows and no ordinal, and `put` skips them.
  readonly #silent = new Set<string>()
  readonly #replaced = new ReplacedRows((ordinal) => this.#rows.remove(ordinal))
  // Images that were judged harmless. Their rows are in `JUDGED_HARMLESS_BANK` here, and keep copies from being registered.
  readonly #harmless = new Set<string>()
  // Images that only copies match. Ids of images that are not loaded yet are possible: a trust status may precede its image.
  readonly #narrowed = new Set<string>()
  // Views that do not match, by image. As in `#narrowed`, the image may not be loaded yet.
  readonly #stoppedViews = new Map<string, readonly number[]>()
  // Images that may match again and are being read from the store. `silent` lists them until then.
  readonly #awaited = new Set<string>()
  // Set while a dump is being restored.
  #restoring: RestoringCatalogue | undefined

  /** @param timeOfDay [ms] When left out, no image is recent (`RecentImages`). */
  constructor(timeOfDay?: () => number) {
    this.#images = new ImageTable(timeOfDay)
  }

  /**
   * Adds or replaces an image. Keeps its trust status, because a bank may submit the same signal again. Keeps its ordinal if the rows are the same.
   * Otherwise the image gets a new ordinal, and older searchers still see the old rows. The frames of a video have the ordinals after its own.
   *
   * Cost: an insert per row, or a comparison per row that is already there. @throws {RangeError} if the id is not a UUID.
   */
  put(id: string, image: RegisteredImage): void {
    if (this.#silent.has(id)) return
    this.#awaited.delete(id)
    const bytes = idBytes(id)
    const known = this.#images.find(bytes)
    const given = this.#harmless.has(id) ? { ...image, bank: JUDGED_HARMLESS_BANK.name } : image
    const before = known === undefined ? undefined : this.#images.factsOf(known)
    if (known === undefined || before === undefined) {
      this.#rows.insert(this.#add(bytes, given), given)
      return
    }
    if (this.#rows.hasExactly(known, given)) {
      this.#images.describe(known, given)
      return
    }
    const trustStatus = this.#images.trustStatusOf(known)
    this.#images.remove(bytes)
    const next = this.#add(bytes, given)
    this.#images.setTrustStatus(next, trustStatus)
    this.#rows.insert(next, given)
    this.#replaced.replace(known, next, { id, ...before })
  }

  /** The next ordinal for an image, and those behind it for the frames of a video. */
  #add(id: Uint8Array, image: RegisteredImage): number {
    const ordinal = this.#images.add(id, image)
    this.#images.recent.put(ordinal, image)
    this.#images.reserve(image.video?.framesAtMs.length ?? 0)
    return ordinal
  }

  /** As `loadColumns`: adds many images at once. None may be in the catalogue. */
  load(columns: ImageColumns): void {
    loadColumns(this.#parts, columns)
  }

  /** Removes an image. No search finds it after the call. Unknown ids change nothing. */
  remove(id: string): void {
    for (const ids of [this.#silent, this.#harmless, this.#narrowed, this.#stoppedViews, this.#awaited]) ids.delete(id)
    this.#remove(idBytes(id))
  }

  /**
   * Sets the trust status of an image: its support, and whether it matches, matches only copies, or was judged harmless.
   * @returns true when the image needs its rows and they are missing: the caller has to read it from the store and `put`
   * it.
   */
  setTrustStatus(id: string, trustStatus: TrustStatus): boolean {
    const bytes = idBytes(id)
    const { matches, harmless, narrowed, stoppedViews } = trustStatus
    if (harmless) this.#harmless.add(id)
    else this.#harmless.delete(id)
    if (narrowed) this.#narrowed.add(id)
    else this.#narrowed.delete(id)
    if (stoppedViews.length > 0) this.#stoppedViews.set(id, stoppedViews)
    else this.#stoppedViews.delete(id)
    if (!matches && !harmless) {
      this.#silent.add(id)
      this.#awaited.delete(id)
      this.#remove(bytes)
      return false
    }
    this.#silent.delete(id)
    // A snapshot may be older than the judgement or its reversal. Its rows are then in the wrong bank.
    const isJudged = this.bankOf(id) === JUDGED_HARMLESS_BANK.name
    if (isJudged !== harmless) this.#remove(bytes)
    const ordinal = this.#images.find(bytes)
    if (ordinal === undefined) {
      if (matches) this.#awaited.add(id)
      return true
    }
    this.#images.setTrustStatus(ordinal, trustStatus)
    return false
  }

  /**
   * Compacts the indexes, erases the bits of removed images, one step per call, and frees pages without images. Call it when idle.
   * @returns whether anything is left to do.
   * Cost: about a millisecond.
   */
  tidy(): boolean {
    this.#release()
    return this.#rows.compact(TIDY_STEPS)
  }

  /** Frees pages of ordinals without images. Not while a search may still need replaced rows, or rows of a dump are missing. */
  #release(): void {
    if (!this.#replaced.isEmpty || this.#restoring?.isWhole === false) return
    for (const first of this.#images.emptyPages()) if (this.#rows.retire(first)) this.#images.release(first)
  }

  /**
   * Dumps the images as of the call. Omits images that are added meanwhile. An image that is removed meanwhile may be in the dump, whole or in part:
   * after the restore, the change stream removes it again.
   */
  dump(): Generator<CataloguePiece, void, void> {
    return dumped(this.#parts)
  }

  /**
   * Restores a piece of a dump, pausing about every millisecond. Give all pieces in order, to an empty catalogue. It is
   * complete once `isRestored` is true and `tidy` has nothing left to do.
   * @throws {DamagedDump} when the piece does not fit. Discard the catalogue then.
   */
  *restore(piece: CataloguePiece): Generator<void, void, void> {
    this.#restoring ??= restoring(this.#parts)
    yield* this.#restoring.take(piece)
  }

  /** Whether `restore` has accepted the last piece of a dump. */
  get isRestored(): boolean {
    return this.#restoring?.isWhole === true
  }

  get #parts() {
    return { images: this.#images, rows: this.#rows }
  }

  /** A searcher for one query. Release it when the query is answered. */
  searcher(): Searcher {
    return new Searcher(this, this.#replaced)
  }

  /** Positions of details within their images. */
  get places(): Pick<DetailPlaces, 'sizeOf' | 'subjectGroupOf' | 'rowOf'> {
    return this.#rows.places
  }

  /** The index of a type, for counting rows. Use a `Searcher` for a search that pauses or has to agree with other searches. */
  index(type: RowType): SignalIndex {
    return this.#rows.indexes[type]
  }

  /** The ordinal of the image of a row: of the video, for a row of a frame. Cost: a look-up. */
  imageOrdinal(ordinal: number): number {
    return this.#rows.frames.imageOf(ordinal)
  }

  /** As `FrameTable.frameOf`. */
  frameOf(ordinal: number): Frame | undefined {
    return this.#rows.frames.frameOf(ordinal)
  }

  has(ordinal: number): boolean {
    return this.#images.has(this.imageOrdinal(ordinal))
  }

  /** The image of a row; `undefined` when it was removed since the search. */
  image(ordinal: number): CatalogueImage | undefined {
    const id = this.#images.idOf(this.imageOrdinal(ordinal))
    const facts = this.factsOf(ordinal)
    return id === undefined || facts === undefined ? undefined : { id: formatUuid(id), ...facts }
  }

  /** As `image`, without the id. */
  factsOf(ordinal: number): ImageFacts | undefined {
    return this.#images.factsOf(this.imageOrdinal(ordinal))
  }

  /** As `ImageTable.originOf`. */
  originOf(ordinal: number): number {
    return this.#images.originOf(this.imageOrdinal(ordinal))
  }

  /** The number of frames of a video that may match or was judged harmless; 0 for any other id. Cost: a look-up for each. */
  framesOf(id: string): number {
    const ordinal = this.#images.find(idBytes(id))
    return ordinal === undefined ? 0 : this.#rows.frames.countOf(ordinal)
  }

  /** The bank of an image that may match or was judged harmless; `undefined` for any other id. */
  bankOf(id: string): string | undefined {
    const ordinal = this.#images.find(idBytes(id))
    return ordinal === undefined ? undefined : this.#images.factsOf(ordinal)?.bank
  }

  /**
   * The images whose ids are in parts `from` to `to` − 1 of `ID_PARTS`, in no order. Images that must not match are left out.
   */
  imagesInParts(from: number, to: number): CatalogueImage[] {
    return this.#images.ordinalsIn(from, to).flatMap((ordinal) => this.image(ordinal) ?? [])
  }

  /** Ids of images that are stored and do not match, or do not match yet. */
  get silent(): readonly string[] {
    return [...this.#silent, ...this.#harmless, ...this.#awaited]
  }

  /** Whether the image is stored without matching: held, invalidated, or judged harmless. */
  isSilent(id: string): boolean {
    return this.#silent.has(id) || this.#harmless.has(id)
  }

  /** Whether only copies of the image match (`isCopy`). */
  isNarrowed(id: string): boolean {
    return this.#narrowed.has(id)
  }

  get isAnyViewStopped(): boolean {
    return this.#stoppedViews.size > 0
  }

  /** Views of the image that match nothing (`flood.ts`). */
  stoppedViewsOf(id: string): readonly number[] {
    return this.#stoppedViews.get(id) ?? NONE_STOPPED
  }

  /** The number of images in the indexes: those that match and those that were judged harmless. */
  get images(): number {
    return this.#images.size
  }

  /** What does not count in the size of the registry yet. */
  get recent(): RegistrySize {
    return this.#images.recent.size
  }

  /** How many are stored and do not match: held, invalidated, or judged harmless. */
  get silentImages(): number {
    return this.#silent.size + this.#harmless.size
  }

  /** As `ImageTable.countByOwner`. */
  countByOwner(): Generator<void, OwnerCount[], void> {
    return this.#images.countByOwner()
  }

  /** Whether so many images were removed that a new catalogue would take much less memory. */
  get isSparse(): boolean {
    return this.#images.isSparse(this.#rows.frames.size)
  }

  /** [bytes] of the images, without their rows in the indexes. */
  get imageBytes(): number {
    return this.#images.bytes + this.#rows.bytes
  }

  #remove(id: Uint8Array): void {
    const ordinal = this.#images.remove(id)
    if (ordinal === undefined) return
    this.#rows.remove(ordinal)
    this.#replaced.withdraw(ordinal)
  }
}

const TIDY_STEPS = 100_000
const NONE_STOPPED: readonly number[] = []
