// The images in memory: the facts that a match reports, in 30 bytes each. One object per image would take hundreds.

import type { TrustStatus } from '../../domain/trust/trust.js'
import { BankNumbers } from './bank-numbers.js'
import {
  codeOf,
  codeOfFacts,
  DISPUTED,
  FACT_CODES,
  factsIn,
  type ImageFacts,
  type OwnerCount,
  RecentImages,
} from './image-facts.js'
import { ORIGIN_BYTES } from './image-ids.js'
import {
  countsIn,
  createPage,
  type DumpedPage,
  ID_BYTES,
  NO_IMAGES,
  PAGE_BITS,
  PAGE_BYTES,
  PAGE_IMAGES,
  type Page,
  PageCounts,
  requirePage,
} from './image-page.js'
import { OrdinalsById } from './ordinals-by-id.js'

/** The part of a trust status that the table stores. */
type StoredTrustStatus = Pick<TrustStatus, 'support' | 'disputed'>

/** Maximum images that `restore` adds between two pauses. */
const MAX_RESTORED_PER_STEP = 8_192

/** Images by ordinal. An ordinal is never reused; a page whose images are all gone is released. */
export class ImageTable {
  // Invariant: `#ordinals` has an ordinal, by its id, exactly while its facts are not 0.
  // `undefined` for a page that was released.
  readonly #pages: (Page | undefined)[] = []
  readonly #counts = new PageCounts()
  readonly #ordinals = new OrdinalsById(this.#pages)
  readonly #banks = new BankNumbers()
  readonly recent: RecentImages
  #nextOrdinal = 0
  #size = 0

  constructor(timeOfDay?: () => number) {
    this.recent = new RecentImages(timeOfDay)
  }

  get size(): number {
    return this.#size
  }

  /** Whether most ordinals belong to removed images. @param reserved how many of those from `reserve` are in use. */
  isSparse(reserved: number): boolean {
    return this.#nextOrdinal > 2 * (this.#size + reserved) + PAGE_IMAGES
  }

  get bytes(): number {
    return this.#counts.kept * PAGE_BYTES + this.#ordinals.bytes
  }

  /**
   * Adds an image.
   * @param id [16 bytes] a UUID whose last bytes are random; must not be in the table.
   * @returns its ordinal: the previous one plus one.
   */
  add(id: Uint8Array, facts: Omit<ImageFacts, 'disputed'>): number {
    return this.#add(id, this.bankNumber(facts.bank), codeOfFacts(facts))
  }

  /** As `add`, with the codes of a stored record and the number of the bank from `bankNumber`. */
  addCoded(id: Uint8Array, bank: number, tierCode: number, categoryCode: number): number {
    return this.#add(id, bank, codeOf(tierCode, categoryCode))
  }

  /** Assigns the next ordinals to the frames of the image that was added last. */
  reserve(count: number): void {
    for (let i = 0; i < count; i++) this.#pageFor(this.#nextOrdinal++)
  }

  #add(id: Uint8Array, bank: number, code: number): number {
    const ordinal = this.#nextOrdinal++
    const page = this.#pageFor(ordinal)
    const at = ordinal % PAGE_IMAGES
    page.ids.set(id, at * ID_BYTES)
    page.banks[at] = bank
    this.#banks.addImage(bank)
    page.facts[at] = code
    this.#ordinals.add(id, 0, ordinal)
    this.#count(ordinal, 1)
    return ordinal
  }

  /** As `BankNumbers.numberOf`. */
  bankNumber(name: string): number {
    return this.#banks.numberOf(name)
  }

  find(id: Uint8Array): number | undefined {
    return this.#ordinals.find(id)
  }

  /** Removes an image. @returns the ordinal that it had; `undefined` for an unknown id. */
  remove(id: Uint8Array): number | undefined {
    const ordinal = this.#ordinals.remove(id)
    if (ordinal === undefined) return undefined
    const page = this.#pageFor(ordinal)
    const at = ordinal % PAGE_IMAGES
    page.ids.fill(0, at * ID_BYTES, (at + 1) * ID_BYTES)
    this.#banks.removeImage(page.banks[at] ?? 0)
    page.banks[at] = page.facts[at] = page.supports[at] = 0
    this.recent.remove(ordinal)
    this.#count(ordinal, -1)
    return ordinal
  }

  #count(ordinal: number, by: 1 | -1): void {
    this.#counts.add(ordinal >>> PAGE_BITS, by)
    this.#size += by
  }

  /** The first ordinals of pages that have no image and get none. They may have frames. */
  emptyPages(): number[] {
    const firsts = Array.from(this.#counts.empty, (page) => page * PAGE_IMAGES)
    return firsts.filter((first) => first + PAGE_IMAGES <= this.#nextOrdinal)
  }

  /** Frees the memory of a page from `emptyPages`. */
  release(first: number): void {
    if (this.#counts.release(first >>> PAGE_BITS)) this.#pages[first >>> PAGE_BITS] = undefined
  }

  /** Replaces bank, tier and category. The trust status stays. @throws {RangeError} for an ordinal without an image. */
  describe(ordinal: number, facts: Omit<ImageFacts, 'disputed'>): void {
    const page = this.#pages[ordinal >>> PAGE_BITS]
    const at = ordinal % PAGE_IMAGES
    const code = page?.facts[at] ?? 0
    if (page === undefined || code === 0) throw new RangeError('an ordinal without an image')
    const before = page.banks[at] ?? 0
    const after = this.bankNumber(facts.bank)
    page.banks[at] = after
    this.#banks.addImage(after)
    this.#banks.removeImage(before)
    page.facts[at] = (code & DISPUTED) | codeOfFacts(facts)
    if (facts.tier !== 'self-reported') this.recent.remove(ordinal)
  }

  has(ordinal: number): boolean {
    return (this.#pages[ordinal >>> PAGE_BITS]?.facts[ordinal % PAGE_IMAGES] ?? 0) !== 0
  }

  /** The id of an image: a live view of 16 bytes, valid until the table changes. `undefined` when there is no image. */
  idOf(ordinal: number): Uint8Array | undefined {
    if (!this.has(ordinal)) return undefined
    const at = (ordinal % PAGE_IMAGES) * ID_BYTES
    return this.#pages[ordinal >>> PAGE_BITS]?.ids.subarray(at, at + ID_BYTES)
  }

  /** The first `ORIGIN_BYTES` of the id as a number. Images of one case share it; for images of banks it is random. */
  originOf(ordinal: number): number {
    const ids = this.#pages[ordinal >>> PAGE_BITS]?.ids
    const at = (ordinal % PAGE_IMAGES) * ID_BYTES
    let origin = 0
    for (let i = at; i < at + ORIGIN_BYTES; i++) origin = origin * 256 + (ids?.[i] ?? 0)
    return origin
  }

  /** The ordinals of images whose ids are in parts `from` to `to` − 1 of `ID_PARTS`, in no order. */
  ordinalsIn(from: number, to: number): number[] {
    return this.#ordinals.ordinalsIn(from, to)
  }

  factsOf(ordinal: number): ImageFacts | undefined {
    const page = this.#pages[ordinal >>> PAGE_BITS]
    const at = ordinal % PAGE_IMAGES
    const facts = factsIn(page?.facts[at] ?? 0, page?.supports[at] ?? 0, this.#banks.nameOf(page?.banks[at] ?? 0))
    return facts !== undefined && this.recent.has(ordinal) ? { ...facts, isRecent: true } : facts
  }

  /** Counts images by bank and facts, pausing after each page. Changes during a pause may or may not be counted. */
  *countByOwner(): Generator<void, OwnerCount[], void> {
    const counts = new Map<string, Map<number, number>>()
    for (const page of this.#pages) {
      if (page === undefined) continue
      for (const [key, images] of countsIn(page)) {
        // Keyed by name: during a pause the number may be assigned to another bank.
        const name = this.#banks.nameOf(Math.floor(key / FACT_CODES)) ?? ''
        const codes = counts.get(name) ?? new Map<number, number>()
        counts.set(name, codes.set(key % FACT_CODES, images + (codes.get(key % FACT_CODES) ?? 0)))
      }
      yield
    }
    return [...counts].flatMap(([name, codes]) =>
      [...codes].flatMap(([code, images]) => {
        const facts = factsIn(code, 0, name)
        return facts === undefined ? [] : [{ ...facts, images }]
      }),
    )
  }

  /** Replaces the trust status of an image. Its registered tier stays. @throws {RangeError} for an ordinal without an image. */
  setTrustStatus(ordinal: number, { support, disputed }: StoredTrustStatus): void {
    const page = this.#pages[ordinal >>> PAGE_BITS]
    const at = ordinal % PAGE_IMAGES
    if (page === undefined || page.facts[at] === 0) throw new RangeError('an ordinal without an image')
    page.facts[at] = (disputed ? DISPUTED : 0) | ((page.facts[at] ?? 0) & ~DISPUTED)
    page.supports[at] = support
    if (this.factsOf(ordinal)?.tier !== 'self-reported') this.recent.remove(ordinal)
  }

  trustStatusOf(ordinal: number): StoredTrustStatus {
    const page = this.#pages[ordinal >>> PAGE_BITS]
    const at = ordinal % PAGE_IMAGES
    return { support: page?.supports[at] ?? 0, disputed: ((page?.facts[at] ?? 0) & DISPUTED) !== 0 }
  }

  /**
   * The columns of all ordinals assigned before the call, one page at a time. `ids` and `banks` are live views. `facts` is a copy without disputes:
   * every start reads trust statuses from the store, so a snapshot omits them.
   */
  pages(): Generator<DumpedPage, void, void> {
    return this.#pagesUntil(this.#nextOrdinal)
  }

  *#pagesUntil(end: number): Generator<DumpedPage, void, void> {
    for (const [i, { ids, banks, facts } = NO_IMAGES] of this.#pages.entries()) {
      const count = Math.min(PAGE_IMAGES, end - i * PAGE_IMAGES)
      if (count <= 0) return
      yield {
        ids: ids.subarray(0, count * ID_BYTES),
        banks: banks.subarray(0, count),
        facts: facts.subarray(0, count).map((code) => code & ~DISPUTED),
        recent: this.recent.dump(i * PAGE_IMAGES, i * PAGE_IMAGES + count),
        size: this.#size,
      }
    }
  }

  /** The banks by number. */
  get bankNames(): readonly string[] {
    return this.#banks.names
  }

  /** The number of ordinals assigned so far. */
  get ordinals(): number {
    return this.#nextOrdinal
  }

  /**
   * Restores a page of `pages`, pausing about every millisecond. Give the pages in order, to an empty table. Until the generator ends, `has` may know
   * images that `find` does not find yet.
   * @throws {RangeError} if the columns are not those of a page, or if the previous page was not full: ordinals would change.
   */
  *restore({ ids, banks, facts, recent, size }: DumpedPage, bankNames: readonly string[]): Generator<void, void, void> {
    requirePage({ ids, banks, facts }, bankNames.length)
    if (this.#nextOrdinal % PAGE_IMAGES !== 0) throw new RangeError('a page behind one that is not full')
    if (this.#size === 0) this.#ordinals.makeRoom(size)
    const first = this.#nextOrdinal
    const page = this.#pageFor(first)
    page.ids.set(ids)
    page.facts.set(facts)
    const numbers: (number | undefined)[] = []
    for (let at = 0; at < facts.length; at++) {
      const given = banks[at] ?? 0
      if (facts[at] === 0) continue
      const number = numbers[given] ?? this.bankNumber(bankNames[given] ?? '')
      numbers[given] = number
      page.banks[at] = number
      this.#banks.addImage(number)
    }
    this.#nextOrdinal += facts.length
    this.recent.restore(recent, first, (at) => (facts[at] ?? 0) !== 0)
    for (let at = 0; at < facts.length; at += MAX_RESTORED_PER_STEP) {
      if (at > 0) yield
      this.#enterAll(page, first, at, Math.min(facts.length, at + MAX_RESTORED_PER_STEP))
    }
  }

  #enterAll({ ids, facts }: Page, first: number, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      if (facts[at] === 0) continue
      this.#ordinals.add(ids, at * ID_BYTES, first + at)
      this.#count(first + at, 1)
    }
  }

  #pageFor(ordinal: number): Page {
    const page = this.#pages[ordinal >>> PAGE_BITS]
    if (page !== undefined) return page
    const made = createPage()
    this.#pages.push(made)
    this.#counts.begin(this.#pages.length - 1)
    return made
  }
}
