// Millions of images in a process's memory: what a match says about each, at 30 bytes rather than an object's hundreds.

import {
  CATEGORIES,
  CATEGORY_NAMES,
  type Category,
  nameOfCode,
  TIER_NAMES,
  TIERS,
  type Tier,
} from '../../domain/matching/signal.js'
import { tierWith } from '../../domain/trust/tier.js'
import type { Standing } from '../../domain/trust/trust.js'
import { ORIGIN_BYTES } from './image-ids.js'

export interface ImageFacts {
  readonly bank: string
  /** By its record and by who spoke for it since. */
  readonly tier: Tier
  readonly category: Category | undefined
  readonly disputed: boolean
}

/** What a match says about an image; its hashes stay behind. */
export interface CatalogueImage extends ImageFacts {
  readonly id: string
}

/** How many images are of one kind. */
export interface ImageTally extends ImageFacts {
  readonly images: number
}

/** What was said about an image, of which the index keeps this. */
type Spoken = Pick<Standing, 'support' | 'disputed'>

const ID_BYTES = 16
const PAGE_BITS = 16
const PAGE_IMAGES = 1 << PAGE_BITS

/** Images by ordinal; an ordinal is given once. Facts are DISPUTED or 0 + registered tier × 16 + category, 0 where there is no image any more. */
interface Page {
  readonly ids: Uint8Array
  readonly banks: Uint32Array
  readonly facts: Uint8Array
  /** As `encodeSupport` writes it. */
  readonly supports: Uint8Array
}

/** What a page is put back from. */
export interface DumpedPage extends Omit<Page, 'supports'> {
  /** How many images there were in all pages, so that room for them is made at once. */
  readonly size: number
}

const DISPUTED = 128
const TIER_CODES = 7
const CATEGORY_CODES = 15
/** As many as a byte of facts can say. */
const CODES = 256

const RESTORED_AT_ONCE = 8_192

const NO_SLOT = 0
const SHARDS = 256
const FIRST_SLOTS = 16
const MAX_LOAD = 0.75

/** An id's part is its last two bytes, which are random, the last one first. */
export const ID_PARTS = 65_536

/** Ordinals plus one by id, open addressing with linear probing. Many small tables, so that none takes long to grow. */
interface Shard {
  slots: Uint32Array
  used: number
}

export class ImageTable {
  // Invariant: an ordinal is in a shard, under its id, exactly while its facts are not 0.
  readonly #pages: Page[] = []
  readonly #shards: readonly Shard[] = Array.from({ length: SHARDS }, () => ({
    slots: new Uint32Array(FIRST_SLOTS),
    used: 0,
  }))
  readonly #bankNames: string[] = []
  // How many images each number has. Invariant: a number without images is free, from the removal of its last image on.
  readonly #bankImages: number[] = []
  readonly #freeNumbers: number[] = []
  readonly #bankNumbers = new Map<string, number>()
  #nextOrdinal = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Have so many images come and gone that most ordinals are of none? */
  get isSparse(): boolean {
    return this.#nextOrdinal > 2 * this.#size + PAGE_IMAGES
  }

  get bytes(): number {
    const pageBytes = PAGE_IMAGES * (ID_BYTES + Uint32Array.BYTES_PER_ELEMENT + 2)
    return this.#pages.length * pageBytes + this.#shards.reduce((sum, { slots }) => sum + slots.byteLength, 0)
  }

  /**
   * @param id [16 bytes] a UUID whose last bytes are random; not in the table.
   * @returns its ordinal: one more than the last.
   */
  add(id: Uint8Array, { bank, tier, category }: Omit<ImageFacts, 'disputed'>): number {
    return this.addCoded(id, this.bankNumber(bank), TIERS[tier], category === undefined ? 0 : CATEGORIES[category])
  }

  /** The same for a caller that has the codes of stored records at hand, and the bank's number from `bankNumber`. */
  addCoded(id: Uint8Array, bank: number, tierCode: number, categoryCode: number): number {
    const ordinal = this.#nextOrdinal++
    const page = this.#pageFor(ordinal)
    const at = ordinal % PAGE_IMAGES
    page.ids.set(id, at * ID_BYTES)
    page.banks[at] = bank
    this.#countBank(bank)
    page.facts[at] = tierCode * 16 + categoryCode
    this.#enter(id, 0, ordinal)
    return ordinal
  }

  /** Numbers banks by name, within this table. A number is another bank's once all images of this one were removed. */
  bankNumber(name: string): number {
    const known = this.#bankNumbers.get(name)
    if (known !== undefined) return known
    const number = this.#freeNumbers.pop() ?? this.#bankNames.length
    this.#bankNames[number] = name
    this.#bankNumbers.set(name, number)
    return number
  }

  #countBank(number: number): void {
    this.#bankImages[number] = (this.#bankImages[number] ?? 0) + 1
  }

  #uncountBank(number: number): void {
    const left = (this.#bankImages[number] ?? 0) - 1
    this.#bankImages[number] = left
    if (left > 0) return
    this.#bankNumbers.delete(this.#bankNames[number] ?? '')
    this.#bankNames[number] = ''
    this.#freeNumbers.push(number)
  }

  find(id: Uint8Array): number | undefined {
    const { slots } = this.#shardOf(id[ID_BYTES - 1])
    const slot = this.#slotOf(slots, id)
    return slot === undefined ? undefined : (slots[slot] ?? 0) - 1
  }

  /** @returns the ordinal that it had. */
  remove(id: Uint8Array): number | undefined {
    const shard = this.#shardOf(id[ID_BYTES - 1])
    const slot = this.#slotOf(shard.slots, id)
    if (slot === undefined) return undefined
    const ordinal = (shard.slots[slot] ?? 0) - 1
    this.#closeGap(shard.slots, slot)
    shard.used--
    const page = this.#pageFor(ordinal)
    const at = ordinal % PAGE_IMAGES
    page.ids.fill(0, at * ID_BYTES, (at + 1) * ID_BYTES)
    this.#uncountBank(page.banks[at] ?? 0)
    page.banks[at] = 0
    page.facts[at] = 0
    page.supports[at] = 0
    this.#size--
    return ordinal
  }

  /** Changes what an image was put as, and nothing that stands behind it. */
  describe(ordinal: number, { bank, tier, category }: Pick<ImageFacts, 'bank' | 'tier' | 'category'>): void {
    const page = this.#pages[ordinal >>> PAGE_BITS]
    const at = ordinal % PAGE_IMAGES
    const code = page?.facts[at] ?? 0
    if (page === undefined || code === 0) throw new RangeError('an ordinal without an image')
    const before = page.banks[at] ?? 0
    page.banks[at] = this.bankNumber(bank)
    this.#countBank(page.banks[at] ?? 0)
    this.#uncountBank(before)
    page.facts[at] = (code & DISPUTED) | (TIERS[tier] << 4) | (category === undefined ? 0 : CATEGORIES[category])
  }

  has(ordinal: number): boolean {
    return (this.#pages[ordinal >>> PAGE_BITS]?.facts[ordinal % PAGE_IMAGES] ?? 0) !== 0
  }

  /** [16 bytes], to be read at once. @returns `undefined` when the image was removed or never was. */
  idOf(ordinal: number): Uint8Array | undefined {
    if (!this.has(ordinal)) return undefined
    const at = (ordinal % PAGE_IMAGES) * ID_BYTES
    return this.#pages[ordinal >>> PAGE_BITS]?.ids.subarray(at, at + ID_BYTES)
  }

  /** The first bytes of an image's id as a number: of images of one case the same, of all others as random as the id. */
  originOf(ordinal: number): number {
    const ids = this.#pages[ordinal >>> PAGE_BITS]?.ids
    const at = (ordinal % PAGE_IMAGES) * ID_BYTES
    let origin = 0
    for (let i = at; i < at + ORIGIN_BYTES; i++) origin = origin * 256 + (ids?.[i] ?? 0)
    return origin
  }

  /** The ordinals of the images whose ids are of a part from `from` to before `to`, in no order. */
  ordinalsIn(from: number, to: number): number[] {
    const found: number[] = []
    for (let shard = from >>> 8; shard <= (to - 1) >>> 8; shard++) {
      for (const entry of this.#shards[shard]?.slots ?? []) {
        if (entry === NO_SLOT) continue
        const at = ((entry - 1) % PAGE_IMAGES) * ID_BYTES
        const ids = this.#pages[(entry - 1) >>> PAGE_BITS]?.ids
        const part = ((ids?.[at + 15] ?? 0) << 8) | (ids?.[at + 14] ?? 0)
        if (part >= from && part < to) found.push(entry - 1)
      }
    }
    return found
  }

  factsOf(ordinal: number): ImageFacts | undefined {
    const page = this.#pages[ordinal >>> PAGE_BITS]
    const at = ordinal % PAGE_IMAGES
    return factsIn(page?.facts[at] ?? 0, page?.supports[at] ?? 0, this.#bankNames[page?.banks[at] ?? 0])
  }

  /** How many images there are of each bank and kind, counted a page at a time; what changes meanwhile may or may not count. */
  *tally(): Generator<void, ImageTally[], void> {
    const counts = new Map<string, Map<number, number>>()
    for (const page of this.#pages) {
      for (const [key, images] of countsIn(page)) {
        // By name: the number may be another bank's in the next turn.
        const name = this.#bankNames[Math.floor(key / CODES)] ?? ''
        const codes = counts.get(name) ?? new Map<number, number>()
        counts.set(name, codes.set(key % CODES, images + (codes.get(key % CODES) ?? 0)))
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

  /** Changes how much stands behind an image that is in the table; with what tier it was registered stays. */
  setStanding(ordinal: number, { support, disputed }: Spoken): void {
    const page = this.#pages[ordinal >>> PAGE_BITS]
    const at = ordinal % PAGE_IMAGES
    if (page === undefined || page.facts[at] === 0) throw new RangeError('an ordinal without an image')
    page.facts[at] = (disputed ? DISPUTED : 0) | ((page.facts[at] ?? 0) & ~DISPUTED)
    page.supports[at] = support
  }

  /** What was said about an image that is in the table. */
  standingOf(ordinal: number): Spoken {
    const page = this.#pages[ordinal >>> PAGE_BITS]
    const at = ordinal % PAGE_IMAGES
    return { support: page?.supports[at] ?? 0, disputed: ((page?.facts[at] ?? 0) & DISPUTED) !== 0 }
  }

  /**
   * The columns of all ordinals given until the call, a page at a time, and of none that is given later: live views but for `facts`,
   * which are without disputes. Standings are read from the store at every start, so that a snapshot need not be believed about them.
   */
  pages(): Generator<DumpedPage, void, void> {
    return this.#pagesUntil(this.#nextOrdinal)
  }

  *#pagesUntil(end: number): Generator<DumpedPage, void, void> {
    for (const [i, { ids, banks, facts }] of this.#pages.entries()) {
      const count = Math.min(PAGE_IMAGES, end - i * PAGE_IMAGES)
      if (count <= 0) return
      yield {
        ids: ids.subarray(0, count * ID_BYTES),
        banks: banks.subarray(0, count),
        facts: facts.subarray(0, count).map((code) => code & ~DISPUTED),
        size: this.#size,
      }
    }
  }

  /** The banks by number. */
  get bankNames(): readonly string[] {
    return this.#bankNames
  }

  /** How many ordinals were given. */
  get ordinals(): number {
    return this.#nextOrdinal
  }

  /**
   * Puts a page of `pages` back, pausing about every millisecond; pages in their order, into a table that was empty. Of an image whose
   * turn has not come yet the table says that it has it, and does not find it.
   * @throws {RangeError} when its columns are not those of a page, or the last page was not full: then this one would lie elsewhere.
   */
  *restore({ ids, banks, facts, size }: DumpedPage, bankNames: readonly string[]): Generator<void, void, void> {
    requirePage({ ids, banks, facts }, bankNames.length)
    if (this.#nextOrdinal % PAGE_IMAGES !== 0) throw new RangeError('a page behind one that is not full')
    if (this.#size === 0) this.#makeRoom(size)
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
      this.#countBank(number)
    }
    this.#nextOrdinal += facts.length
    for (let at = 0; at < facts.length; at += RESTORED_AT_ONCE) {
      if (at > 0) yield
      this.#enterAll(page, first, at, Math.min(facts.length, at + RESTORED_AT_ONCE))
    }
  }

  #enterAll({ ids, facts }: Page, first: number, from: number, to: number): void {
    for (let at = from; at < to; at++) if (facts[at] !== 0) this.#enter(ids, at * ID_BYTES, first + at)
  }

  /** For so many images with random ids; growing step by step would enter each of them twice more. */
  #makeRoom(size: number): void {
    for (const shard of this.#shards) {
      while (size / SHARDS > shard.slots.length * MAX_LOAD) shard.slots = new Uint32Array(shard.slots.length * 2)
    }
  }

  /** Makes an ordinal found by its id, which lies at `at`. */
  #enter(ids: Uint8Array, at: number, ordinal: number): void {
    this.#size++
    const shard = this.#shardOf(ids[at + ID_BYTES - 1])
    if (++shard.used > shard.slots.length * MAX_LOAD) this.#grow(shard)
    put(shard.slots, hashOf(ids, at), ordinal + 1)
  }

  #pageFor(ordinal: number): Page {
    const page = this.#pages[ordinal >>> PAGE_BITS]
    if (page !== undefined) return page
    const made = {
      ids: new Uint8Array(PAGE_IMAGES * ID_BYTES),
      banks: new Uint32Array(PAGE_IMAGES),
      facts: new Uint8Array(PAGE_IMAGES),
      supports: new Uint8Array(PAGE_IMAGES),
    }
    this.#pages.push(made)
    return made
  }

  #shardOf(lastByte: number | undefined): Shard {
    const shard = this.#shards[lastByte ?? -1]
    if (shard === undefined) throw new RangeError('an id has 16 bytes')
    return shard
  }

  #slotOf(slots: Uint32Array, id: Uint8Array): number | undefined {
    const mask = slots.length - 1
    for (let slot = hashOf(id, 0) & mask; slots[slot] !== NO_SLOT; slot = (slot + 1) & mask) {
      const ordinal = (slots[slot] ?? 0) - 1
      if (isAt(this.#pages[ordinal >>> PAGE_BITS]?.ids, (ordinal % PAGE_IMAGES) * ID_BYTES, id)) return slot
    }
    return undefined
  }

  /** Moves up what had to go past the slot, so that a search may still stop at the first empty one. */
  #closeGap(slots: Uint32Array, gap: number): void {
    const mask = slots.length - 1
    slots[gap] = NO_SLOT
    for (let slot = (gap + 1) & mask; slots[slot] !== NO_SLOT; slot = (slot + 1) & mask) {
      const moved = slots[slot] ?? 0
      slots[slot] = NO_SLOT
      put(slots, this.#hashAt(moved - 1), moved)
    }
  }

  #grow(shard: Shard): void {
    const slots = new Uint32Array(shard.slots.length * 2)
    for (const entry of shard.slots) if (entry !== NO_SLOT) put(slots, this.#hashAt(entry - 1), entry)
    shard.slots = slots
  }

  #hashAt(ordinal: number): number {
    const page = this.#pages[ordinal >>> PAGE_BITS]
    return page === undefined ? 0 : hashOf(page.ids, (ordinal % PAGE_IMAGES) * ID_BYTES)
  }
}

/** How many images there are of each bank and kind, by the bank's number × CODES + the code of the facts. */
function countsIn({ banks, facts, supports }: Page): Map<number, number> {
  const counts = new Map<number, number>()
  for (const [at, registered] of facts.entries()) {
    if (registered === 0) continue
    const key = (banks[at] ?? 0) * CODES + withSupport(registered, supports[at] ?? 0)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

const isFacts = Array.from({ length: 256 }, (_, code) => factsIn(code, 0, '') !== undefined)

function requirePage({ ids, banks, facts }: Omit<Page, 'supports'>, bankCount: number): void {
  const count = facts.length
  if (count === 0 || count > PAGE_IMAGES || ids.length !== count * ID_BYTES || banks.length !== count)
    throw new RangeError('columns of a page must be equally long')
  for (let at = 0; at < count; at++) {
    const code = facts[at] ?? 0
    if (code !== 0 && ((banks[at] ?? 0) >= bankCount || !isFacts[code])) throw new RangeError('an image without facts')
  }
}

/** Facts with the tier that follows from who spoke for the image. */
function withSupport(code: number, support: number): number {
  const registered = support === 0 ? undefined : nameOfCode(TIER_NAMES, TIERS, (code >>> 4) & TIER_CODES)
  if (registered === undefined) return code
  return (code & ~(TIER_CODES << 4)) | (TIERS[tierWith(registered, support)] << 4)
}

function factsIn(code: number, support: number, bank: string | undefined): ImageFacts | undefined {
  const registered = nameOfCode(TIER_NAMES, TIERS, (code >>> 4) & TIER_CODES)
  if (registered === undefined || bank === undefined) return undefined
  const tier = support === 0 ? registered : tierWith(registered, support)
  return {
    bank,
    tier,
    category: nameOfCode(CATEGORY_NAMES, CATEGORIES, code & CATEGORY_CODES),
    disputed: (code & DISPUTED) !== 0,
  }
}

/** The random part of a UUID needs no further mixing. */
function hashOf(bytes: Uint8Array, at: number): number {
  return (bytes[at + 10] ?? 0) | ((bytes[at + 11] ?? 0) << 8) | ((bytes[at + 12] ?? 0) << 16) | ((bytes[at + 13] ?? 0) << 24)
}

function put(slots: Uint32Array, hash: number, entry: number): void {
  const mask = slots.length - 1
  let slot = hash & mask
  while (slots[slot] !== NO_SLOT) slot = (slot + 1) & mask
  slots[slot] = entry
}

function isAt(bytes: Uint8Array | undefined, at: number, id: Uint8Array): boolean {
  if (bytes === undefined) return false
  for (let i = ID_BYTES - 1; i >= 0; i--) if (bytes[at + i] !== id[i]) return false
  return true
}
