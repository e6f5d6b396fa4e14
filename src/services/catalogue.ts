// Everything a match needs, in this process's memory: images, banks, API keys. What the store says, at one revision.

import { type Bank, CASES_BANK, HARMLESS_BANK, JUDGED_HARMLESS_BANK } from '../domain/bank.js'
import { formatUuid, parseUuid } from '../domain/ids.js'
import type { RegisteredImage, View } from '../domain/signal.js'
import { nameOfCode, VIEW_NAMES, VIEWS } from '../domain/signal.js'
import { DETAIL_BITS, ROW_TYPES, type RowType } from '../domain/signal-types.js'
import type { Standing } from '../domain/trust.js'
import { HASH_BYTES } from '../hash/hash256.js'
import { type DumpedSegment, pickRows, type Restoring } from '../search/dump.js'
import type { RowColumns } from '../search/row-block.js'
import { SignalIndex } from '../search/signal-index.js'
import type { ApiKey } from '../store/api-keys.js'
import type { ImageColumns, SignalColumns } from '../store/image-reader-columns.js'
import { type CataloguePiece, PIECE_BYTES } from './catalogue-dump.js'
import { DetailPlaces } from './detail-places.js'
import { type ImageFacts, ImageTable, type ImageTally } from './image-table.js'

/** What a match says about an image; its hashes stay behind. */
export interface CatalogueImage extends ImageFacts {
  readonly id: string
}

export class Catalogue {
  readonly banks = new Map<string, Bank>([CASES_BANK, HARMLESS_BANK].map((bank) => [bank.name, bank]))
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

  // Images that were judged harmless: what is put of them vetoes, and is in `JUDGED_HARMLESS_BANK` here.
  readonly #harmless = new Set<string>()

  // Images that may match again, and are being read from the store: their owner finds them meanwhile.
  readonly #awaited = new Set<string>()

  // The segment whose memory is being put back.
  #restoring: Restoring | undefined

  /** Adds or replaces an image. What was said about it stays: a bank may hand the same signal in again. */
  put(id: string, image: RegisteredImage): void {
    if (this.#silent.has(id)) return
    this.#awaited.delete(id)
    const bytes = idBytes(id)
    const known = this.#images.find(bytes)
    const standing = known === undefined ? undefined : this.#images.standingOf(known)
    this.#remove(bytes)
    const bank = this.#harmless.has(id) ? JUDGED_HARMLESS_BANK.name : image.bank
    const ordinal = this.#images.add(bytes, { ...image, bank })
    if (standing !== undefined) this.#images.setStanding(ordinal, standing)
    for (const { type, view, hash } of image.signals) this.#indexes[type].insert(ordinal, VIEWS[view], hash)
    if (image.details === undefined) return
    this.#places.put(ordinal, image.details)
    for (const [row, { hash }] of image.details.rows.entries()) this.#indexes.detail.insert(ordinal, row, hash)
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
    this.#awaited.delete(id)
    this.#remove(idBytes(id))
  }

  /**
   * Says how much stands behind an image, that it must not match, or that it vetoes.
   * @returns whether the image has to be read from the store and put: it may match or veto, and its hashes are not here, or as another's.
   */
  setStanding(id: string, standing: Standing): boolean {
    const bytes = idBytes(id)
    const { matches, harmless } = standing
    if (harmless) this.#harmless.add(id)
    else this.#harmless.delete(id)
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
   * What the catalogue holds of images, in pieces. May change between two pieces: what is added meanwhile is left out, what is
   * removed meanwhile may be in it or not.
   */
  *dump(): Generator<CataloguePiece, void, void> {
    const dumps = ROW_TYPES.map((type) => ({ type, dump: this.#indexes[type].dump() }))
    const bankNames = [...this.#images.bankNames]
    for (const page of this.#images.pages()) yield { kind: 'images', bankNames, ...page }
    for (const page of this.#places.pages()) yield { kind: 'places', ...page }
    for (const { type, dump } of dumps) {
      for (const dumped of dump) {
        if (dumped.kind === 'rows') yield { type, ...dumped }
        else yield* segmentPieces(type, dumped)
      }
    }
  }

  /**
   * Puts a piece of a dump back, pausing about every millisecond; all pieces in their order, into a catalogue that was empty.
   * It is whole when `tidy` has nothing left to do.
   */
  *restore(piece: CataloguePiece): Generator<void, void, void> {
    switch (piece.kind) {
      case 'images':
        yield* this.#images.restore(piece, piece.bankNames)
        break
      case 'places':
        this.#places.restore(piece, (ordinal) => this.#images.has(ordinal))
        break
      case 'rows':
        this.#indexes[piece.type].load(this.#knownOf(piece))
        break
      case 'segment':
        this.#restoring = this.#indexes[piece.type].restore(piece.rows, piece.counts)
        break
      case 'content':
        if (this.#restoring === undefined) throw new RangeError('content of no segment')
        this.#restoring.content.set(piece.content, piece.at)
        if (piece.isLast) yield* this.#restoring.adopt((image) => this.#images.has(image))
        break
      case 'revision':
        break
    }
  }

  /** Where details that were found lie. */
  get places(): Pick<DetailPlaces, 'sizeOf' | 'kinOf' | 'rowOf'> {
    return this.#places
  }

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

  /** Without the rows of images that were gone when the images were dumped. */
  #knownOf({ images, views, hashes }: RowColumns): RowColumns {
    const known = Array.from(images.keys()).filter((row) => this.#images.has(images[row] ?? 0))
    return known.length === images.length ? { images, views, hashes } : pickRows({ images, views, hashes }, known)
  }

  #remove(id: Uint8Array): void {
    const ordinal = this.#images.remove(id)
    if (ordinal === undefined) return
    for (const type of ROW_TYPES) this.#indexes[type].remove(ordinal)
    this.#places.remove(ordinal)
  }
}

const TIDY_STEPS = 100_000

function* segmentPieces(type: RowType, { rows, counts, content }: DumpedSegment): Generator<CataloguePiece, void, void> {
  yield { kind: 'segment', type, rows, counts }
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    const end = Math.min(content.length, at + PIECE_BYTES)
    yield { kind: 'content', at, isLast: end === content.length, content: content.subarray(at, end) }
  }
}

/** The name of a row's view. */
export function viewOf(code: number): View {
  const view = nameOfCode(VIEW_NAMES, VIEWS, code)
  if (view === undefined) throw new RangeError('an index holds only views that were put into it')
  return view
}

function idBytes(id: string): Uint8Array {
  const bytes = parseUuid(id)
  if (bytes === undefined) throw new RangeError('an image id is a UUID')
  return bytes
}
