// What a match needs, in this process's memory: images, banks and API keys, as the store has them at one revision.

import { formatUuid, parseUuid } from '../../domain/ids.js'
import type { RegisteredImage } from '../../domain/matching/signal.js'
import { VIEWS } from '../../domain/matching/signal.js'
import { DETAIL_BITS, ROW_TYPES, type RowType, SIGNAL_TYPE_NAMES } from '../../domain/matching/signal-types.js'
import { CASES_BANK, HARMLESS_BANK, JUDGED_HARMLESS_BANK } from '../../domain/organisations/bank.js'
import type { TrustStatus } from '../../domain/trust/trust.js'
import { SignalIndex } from '../../search/signal-index.js'
import type { ImageColumns } from '../../store/images/reader/columns.js'
import type { ApiKey } from '../../store/organisations/api-keys.js'
import { BankTable } from './bank-table.js'
import { type CataloguePiece, dumped, type RestoringCatalogue, restoring } from './catalogue-dump.js'
import { loadColumns } from './catalogue-load.js'
import { DetailPlaces } from './detail-places.js'
import type { CatalogueImage, ImageFacts, OwnerCount } from './image-facts.js'
import { ImageTable } from './image-table.js'
import { ReplacedRows } from './replaced-rows.js'
import { Searcher } from './searcher.js'

export class Catalogue {
  readonly banks = new BankTable([CASES_BANK, HARMLESS_BANK])
  readonly apiKeys = new Map<string, ApiKey>()
  readonly #indexes: Readonly<Record<RowType, SignalIndex>> = {
    pdq: new SignalIndex(),
    'pdq-area': new SignalIndex(),
    blockhash: new SignalIndex(),
    sha256: new SignalIndex(),
    detail: new SignalIndex(undefined, DETAIL_BITS),
  }

  // Invariant: has exactly the live images. An ordinal is given once, so a row of a removed image is never taken for another image's.
  readonly #images = new ImageTable()

  readonly #places = new DetailPlaces()

  // Images that are kept and must not match. They have no row and no ordinal, and `put` skips them.
  readonly #silent = new Set<string>()

  readonly #replaced = new ReplacedRows((ordinal) => this.#forget(ordinal))

  // Images that were judged harmless. Their rows are in `JUDGED_HARMLESS_BANK` here, and veto matches.
  readonly #harmless = new Set<string>()

  // Images that only copies match. It may name images that are not here yet: a standing may come before its image.
  readonly #narrowed = new Set<string>()

  // Images that may match again and are being read from the store. `silent` lists them meanwhile, for their owner.
  readonly #awaited = new Set<string>()

  // While a dump is being restored.
  #restoring: RestoringCatalogue | undefined

  /**
   * Adds or replaces an image. Its standing stays: a bank may hand the same signal in again. An image with the same rows keeps its
   * ordinal. With other rows it gets a new one, and searchers that began before still see the old rows.
   *
   * Cost: an insert for each row, or a comparison for each row that is there already.
   */
  put(id: string, image: RegisteredImage): void {
    if (this.#silent.has(id)) return
    this.#awaited.delete(id)
    const bytes = idBytes(id)
    const known = this.#images.find(bytes)
    const given = this.#harmless.has(id) ? { ...image, bank: JUDGED_HARMLESS_BANK.name } : image
    const before = known === undefined ? undefined : this.#images.factsOf(known)
    if (known === undefined || before === undefined) {
      this.#insert(this.#images.add(bytes, given), given)
      return
    }
    if (this.#hasRows(known, given)) {
      this.#images.describe(known, given)
      return
    }
    const spoken = this.#images.trustStatusOf(known)
    this.#images.remove(bytes)
    const next = this.#images.add(bytes, given)
    this.#images.setTrustStatus(next, spoken)
    this.#insert(next, given)
    this.#replaced.replace(known, next, { id, ...before })
  }

  #insert(ordinal: number, { signals, details }: RegisteredImage): void {
    for (const { type, view, hash } of signals) this.#indexes[type].insert(ordinal, VIEWS[view], hash)
    if (details === undefined) return
    this.#places.put(ordinal, details)
    for (const [row, { hash }] of details.rows.entries()) this.#indexes.detail.insert(ordinal, row, hash)
  }

  #hasRows(ordinal: number, { signals, details }: RegisteredImage): boolean {
    const rows = details?.rows.map(({ hash }, view) => ({ view, hash })) ?? []
    return (
      SIGNAL_TYPE_NAMES.every((type) => {
        const own = signals.filter((signal) => signal.type === type)
        return this.#indexes[type].hasExactly(
          ordinal,
          own.map(({ view, hash }) => ({ view: VIEWS[view], hash })),
        )
      }) &&
      this.#indexes.detail.hasExactly(ordinal, rows) &&
      this.#places.has(ordinal, details)
    )
  }

  /** Adds many images at once, none of which it has. As `loadColumns`. */
  load(columns: ImageColumns): void {
    loadColumns(this.#parts, columns)
  }

  /** No search finds it after the call. Unknown ids change nothing. */
  remove(id: string): void {
    this.#silent.delete(id)
    this.#harmless.delete(id)
    this.#narrowed.delete(id)
    this.#awaited.delete(id)
    this.#remove(idBytes(id))
  }

  /**
   * Sets an image's standing: its support, and whether it matches, matches only copies, or vetoes.
   * @returns true when the caller has to read the image from the store and `put` it: it may match or veto, and its rows are not here.
   */
  setTrustStatus(id: string, trustStatus: TrustStatus): boolean {
    const bytes = idBytes(id)
    const { matches, harmless, narrowed } = trustStatus
    if (harmless) this.#harmless.add(id)
    else this.#harmless.delete(id)
    if (narrowed) this.#narrowed.add(id)
    else this.#narrowed.delete(id)
    if (!matches && !harmless) {
      this.#silent.add(id)
      this.#awaited.delete(id)
      this.#remove(bytes)
      return false
    }
    this.#silent.delete(id)
    // A snapshot may be older than the decision, or older than its reversal. The rows are then in the wrong bank.
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
   * Compacts the indexes and erases the bits of removed images, a piece at each call. To be called when there is nothing else to do.
   * @returns whether anything is left to do.
   * Cost: about a millisecond.
   */
  tidy(): boolean {
    return ROW_TYPES.map((type) => this.#indexes[type].compact(TIDY_STEPS)).includes(true)
  }

  /**
   * The images at the call, in pieces, whatever is put between two pieces. An image that is removed meanwhile may be in the dump, whole or
   * in part. The change stream removes it again.
   */
  dump(): Generator<CataloguePiece, void, void> {
    return dumped(this.#parts)
  }

  /**
   * Restores a piece of a dump, with a pause about every millisecond. All pieces come in their order, into an empty catalogue. It is
   * complete once `isRestored` is true and `tidy` has nothing left to do.
   * @throws {DamagedDump} when the piece cannot be part of a dump. The catalogue must then be thrown away.
   */
  *restore(piece: CataloguePiece): Generator<void, void, void> {
    this.#restoring ??= restoring(this.#parts)
    yield* this.#restoring.take(piece)
  }

  /** Has `restore` got the last piece of a dump? */
  get isRestored(): boolean {
    return this.#restoring?.isWhole === true
  }

  get #parts() {
    return { images: this.#images, places: this.#places, indexes: this.#indexes }
  }

  /** For one query. Release it when the query is answered. */
  searcher(): Searcher {
    return new Searcher(this, this.#replaced)
  }

  /** Places of details within their images. */
  get places(): Pick<DetailPlaces, 'sizeOf' | 'subjectGroupOf' | 'rowOf'> {
    return this.#places
  }

  /** For counting rows. A search that pauses, or that other searches have to agree with, needs a `Searcher`. */
  index(type: RowType): SignalIndex {
    return this.#indexes[type]
  }

  has(ordinal: number): boolean {
    return this.#images.has(ordinal)
  }

  /** The image of a row; `undefined` when it was removed since the search. */
  image(ordinal: number): CatalogueImage | undefined {
    const id = this.#images.idOf(ordinal)
    const facts = this.#images.factsOf(ordinal)
    return id === undefined || facts === undefined ? undefined : { id: formatUuid(id), ...facts }
  }

  /** The same without the id. */
  factsOf(ordinal: number): ImageFacts | undefined {
    return this.#images.factsOf(ordinal)
  }

  /** As `ImageTable.originOf`. */
  originOf(ordinal: number): number {
    return this.#images.originOf(ordinal)
  }

  /** The bank of an image that may match or vetoes; `undefined` for any other id. */
  bankOf(id: string): string | undefined {
    const ordinal = this.#images.find(idBytes(id))
    return ordinal === undefined ? undefined : this.#images.factsOf(ordinal)?.bank
  }

  /** The images whose ids are in part `from` … `to` − 1 of `ID_PARTS`, in no order. Images that must not match are left out. */
  createImageStore(from: number, to: number): CatalogueImage[] {
    return this.#images.ordinalsIn(from, to).flatMap((ordinal) => this.image(ordinal) ?? [])
  }

  /** Ids of images that are kept and do not match, or do not match yet. */
  get silent(): readonly string[] {
    return [...this.#silent, ...this.#harmless, ...this.#awaited]
  }

  /** Is the image kept without matching: held, or judged false? */
  isSilent(id: string): boolean {
    return this.#silent.has(id) || this.#harmless.has(id)
  }

  /** Do only copies of the image match (`isCopy`)? */
  isNarrowed(id: string): boolean {
    return this.#narrowed.has(id)
  }

  /** The number of images in the indexes: those that match and those that veto. */
  get images(): number {
    return this.#images.size
  }

  /** The number of images that are kept and do not match: held, or judged false. */
  get silentImages(): number {
    return this.#silent.size + this.#harmless.size
  }

  /** As `ImageTable.tally`. */
  countByOwner(): Generator<void, OwnerCount[], void> {
    return this.#images.countByOwner()
  }

  /** Would a fresh catalogue take much less memory? Most images were removed then. */
  get isSparse(): boolean {
    return this.#images.isSparse
  }

  /** [bytes] of the images, without their rows in the indexes. */
  get imageBytes(): number {
    return this.#images.bytes + this.#places.bytes
  }

  #remove(id: Uint8Array): void {
    const ordinal = this.#images.remove(id)
    if (ordinal === undefined) return
    this.#forget(ordinal)
    this.#replaced.withdraw(ordinal)
  }

  #forget(ordinal: number): void {
    for (const type of ROW_TYPES) this.#indexes[type].remove(ordinal)
    this.#places.remove(ordinal)
  }
}

const TIDY_STEPS = 100_000

function idBytes(id: string): Uint8Array {
  const bytes = parseUuid(id)
  if (bytes === undefined) throw new RangeError('an image id is a UUID')
  return bytes
}
