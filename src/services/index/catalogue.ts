// Everything a match needs, in this process's memory: images, banks, API keys. What the store says, at one revision.

import { HASH_BYTES } from '../../../packages/hash/src/hash256.js'
import { formatUuid, parseUuid } from '../../domain/ids.js'
import type { RegisteredImage } from '../../domain/matching/signal.js'
import { VIEWS } from '../../domain/matching/signal.js'
import { DETAIL_BITS, ROW_TYPES, type RowType, SIGNAL_TYPE_NAMES } from '../../domain/matching/signal-types.js'
import { CASES_BANK, HARMLESS_BANK, JUDGED_HARMLESS_BANK } from '../../domain/organisations/bank.js'
import type { Standing } from '../../domain/trust/trust.js'
import { SignalIndex } from '../../search/signal-index.js'
import type { ImageColumns, SignalColumns } from '../../store/images/reader/columns.js'
import type { ApiKey } from '../../store/organisations/api-keys.js'
import { BankTable } from './bank-table.js'
import { type CataloguePiece, dumped, type RestoringCatalogue, restoring } from './catalogue-dump.js'
import { DetailPlaces } from './detail-places.js'
import type { CatalogueImage } from './image-table.js'
import { type ImageFacts, ImageTable, type ImageTally } from './image-table.js'
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

  // Invariant: has exactly the live images, and gives an ordinal once, so a row whose image is gone cannot be taken for
  // another's.
  readonly #images = new ImageTable()

  readonly #places = new DetailPlaces()

  // Images that are kept and must not match: they have no row and no ordinal, whatever is put.
  readonly #silent = new Set<string>()

  readonly #replaced = new ReplacedRows((ordinal) => this.#forget(ordinal))

  // Images that were judged harmless: what is put of them vetoes, and is in `JUDGED_HARMLESS_BANK` here.
  readonly #harmless = new Set<string>()

  // Images that are found in copies alone. Of those that are not here too: what is told of one may come before it.
  readonly #narrowed = new Set<string>()

  // Images that may match again, and are being read from the store: their owner finds them meanwhile.
  readonly #awaited = new Set<string>()

  // While a dump is put back, piece by piece.
  #restoring: RestoringCatalogue | undefined

  /**
   * Adds or replaces an image. What was said about it stays: a bank may hand the same signal in again. An image that is put as it was stays
   * where it is; other rows get an ordinal of their own, and searchers that began before see the old ones.
   *
   * Cost: as many inserts as there are rows, or a look at each of them when they are there already.
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
    const spoken = this.#images.standingOf(known)
    this.#images.remove(bytes)
    const next = this.#images.add(bytes, given)
    this.#images.setStanding(next, spoken)
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

  /**
   * Adds many images at once, none of which it has, as is so when an empty catalogue is filled from a reader that gives each
   * image once: looking for every one would take as long as all the rest. A search reads all of them until `tidy` has nothing
   * left to do.
   */
  load({ images, ids, tiers, categories, banks, bankNames, signals, heads }: ImageColumns): void {
    const bankNumbers = bankNames.map((name) => this.#images.bankNumber(name))
    const ordinals = new Uint32Array(images)
    for (let image = 0; image < images; image++) {
      const id = ids.subarray(16 * image, 16 * image + 16)
      const bank = bankNumbers[banks[image] ?? 0] ?? 0
      ordinals[image] = this.#images.addCoded(id, bank, tiers[image] ?? 0, categories[image] ?? 0)
    }
    for (const type of ROW_TYPES) {
      const { count, images: imagesOf, views, hashes } = signals[type]
      if (count === 0) continue
      const rows = { images: Uint32Array.from(imagesOf, (image) => ordinals[image] ?? 0), hashes }
      this.#indexes[type].load({
        ...rows,
        views: type === 'detail' ? this.#putPlaces(rows.images, signals.detail, heads, ordinals) : views,
      })
    }
  }

  /** @returns the numbers of the rows within their images. */
  #putPlaces(
    owners: Uint32Array,
    { views: places, qualities: poses }: SignalColumns,
    heads: SignalColumns,
    ordinals: Uint32Array,
  ) {
    const bytes = new DataView(heads.hashes.buffer, heads.hashes.byteOffset, heads.hashes.byteLength)
    for (const [i, image] of heads.images.entries()) {
      const kin = bytes.getUint32(i * HASH_BYTES)
      this.#places.putHead(ordinals[image] ?? 0, heads.views[i] ?? 0, heads.qualities[i] ?? 0, kin)
    }
    const numbers = new Uint8Array(owners.length)
    for (const [i, owner] of owners.entries()) {
      const number = i > 0 && owners[i - 1] === owner ? (numbers[i - 1] ?? 0) + 1 : 0
      numbers[i] = number
      this.#places.putRow(owner, number, places[i] ?? 0, poses[i] ?? 0)
    }
    return numbers
  }

  /** From here on no search finds it. Unknown ids change nothing. */
  remove(id: string): void {
    this.#silent.delete(id)
    this.#harmless.delete(id)
    this.#narrowed.delete(id)
    this.#awaited.delete(id)
    this.#remove(idBytes(id))
  }

  /**
   * Says how much stands behind an image, that it must not match, or but copies, or that it vetoes.
   * @returns whether the image has to be read from the store and put: it may match or veto, and its hashes are not here, or as another's.
   */
  setStanding(id: string, standing: Standing): boolean {
    const bytes = idBytes(id)
    const { matches, harmless, narrowed } = standing
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
    // Also of a snapshot, which may be of before the decision, or of before it was taken back.
    const isJudged = this.bankOf(id) === JUDGED_HARMLESS_BANK.name
    if (isJudged !== harmless) this.#remove(bytes)
    const ordinal = this.#images.find(bytes)
    if (ordinal === undefined) {
      if (matches) this.#awaited.add(id)
      return true
    }
    this.#images.setStanding(ordinal, standing)
    return false
  }

  /**
   * Keeps the indexes in order and forgets the bits of removed images, a piece at a time; for when there is nothing else to
   * do.
   * @returns whether anything is left to do.
   * Cost: about a millisecond.
   */
  tidy(): boolean {
    return ROW_TYPES.map((type) => this.#indexes[type].compact(TIDY_STEPS)).includes(true)
  }

  /**
   * What the catalogue holds of images at the call, in pieces, whatever is put between two of them. What is removed meanwhile may be in it,
   * wholly or in part; the change stream removes it again.
   */
  dump(): Generator<CataloguePiece, void, void> {
    return dumped(this.#parts)
  }

  /**
   * Puts a piece of a dump back, pausing about every millisecond; all pieces in their order, into a catalogue that was empty.
   * It is whole when `isRestored` says so and `tidy` has nothing left to do.
   * @throws {DamagedDump} when it cannot be what was dumped; the catalogue is of no use then.
   */
  *restore(piece: CataloguePiece): Generator<void, void, void> {
    this.#restoring ??= restoring(this.#parts)
    yield* this.#restoring.take(piece)
  }

  /** Did `restore` get the last piece of a dump? */
  get isRestored(): boolean {
    return this.#restoring?.isWhole === true
  }

  get #parts() {
    return { images: this.#images, places: this.#places, indexes: this.#indexes }
  }

  /** For one question, to be released when it is answered. */
  searcher(): Searcher {
    return new Searcher(this, this.#replaced)
  }

  /** Where details that were found lie. */
  get places(): Pick<DetailPlaces, 'sizeOf' | 'kinOf' | 'rowOf'> {
    return this.#places
  }

  /** For what counts rows. A search that pauses, or that others have to agree with, goes through a `Searcher`. */
  index(type: RowType): SignalIndex {
    return this.#indexes[type]
  }

  has(ordinal: number): boolean {
    return this.#images.has(ordinal)
  }

  /** The image behind a row; `undefined` when it was removed since the search. */
  image(ordinal: number): CatalogueImage | undefined {
    const id = this.#images.idOf(ordinal)
    const facts = this.#images.factsOf(ordinal)
    return id === undefined || facts === undefined ? undefined : { id: formatUuid(id), ...facts }
  }

  /** The same without its id. */
  factsOf(ordinal: number): ImageFacts | undefined {
    return this.#images.factsOf(ordinal)
  }

  /** As `ImageTable.originOf`. */
  originOf(ordinal: number): number {
    return this.#images.originOf(ordinal)
  }

  /** Of an image that may match. */
  bankOf(id: string): string | undefined {
    const ordinal = this.#images.find(idBytes(id))
    return ordinal === undefined ? undefined : this.#images.factsOf(ordinal)?.bank
  }

  /** The images whose ids are of a part (`ID_PARTS`) from `from` to before `to`, in no order. Those that must not match are left out. */
  imagesIn(from: number, to: number): CatalogueImage[] {
    return this.#images.ordinalsIn(from, to).flatMap((ordinal) => this.image(ordinal) ?? [])
  }

  /** Images that are kept and do not match, or do not yet. */
  get silent(): readonly string[] {
    return [...this.#silent, ...this.#harmless, ...this.#awaited]
  }

  /** Is this one kept, and does not match: held, or judged false? */
  isSilent(id: string): boolean {
    return this.#silent.has(id) || this.#harmless.has(id)
  }

  /** Is this one found in copies alone (`isCopy`)? */
  isNarrowed(id: string): boolean {
    return this.#narrowed.has(id)
  }

  /** In the index: those that match, and those that veto. */
  get images(): number {
    return this.#images.size
  }

  /** Images that are kept and do not match: held, or judged false. */
  get silentImages(): number {
    return this.#silent.size + this.#harmless.size
  }

  /** As `ImageTable.tally`. */
  tally(): Generator<void, ImageTally[], void> {
    return this.#images.tally()
  }

  /** Would a fresh catalogue take much less memory, because most images that came are gone? */
  get isSparse(): boolean {
    return this.#images.isSparse
  }

  /** Memory that the images take beside their rows in the indexes. */
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
