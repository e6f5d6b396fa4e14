// The table of images in memory (`image-table.ts`) is stored in pages of 65,536 images. A page has an array for each column, because an object for
// each image would take several times the memory. The image with an ordinal is in page `ordinal >>> PAGE_BITS`, at index `ordinal % PAGE_IMAGES`.

import { BLOCK_BITS } from '../../../packages/core/src/search/image-ledger.js'
import { FACT_CODES, isFacts, withSupport } from './image-facts.js'

export const ID_BYTES = 16
/** The index retires blocks of as many images. */
export const PAGE_BITS = BLOCK_BITS
export const PAGE_IMAGES = 1 << PAGE_BITS

export interface Page {
  /** `ID_BYTES` for each image. */
  readonly ids: Uint8Array
  /** The number of each image's bank (`bank-numbers.ts`). */
  readonly banks: Uint32Array
  /** The code of each image's facts (`image-facts.ts`); 0 where there is no image. */
  readonly facts: Uint8Array
  /** Support by organisations, as `encodeSupport` of `src/domain/trust/tier.ts` writes it. */
  readonly supports: Uint8Array
}

/** The columns of a page in a snapshot, without supports, which are read from the store. */
export interface DumpedPage extends Omit<Page, 'supports'> {
  /** As `RecentImages.dump`. */
  readonly recent: Float64Array
  /** The number of images in all pages, so that memory is reserved once. */
  readonly size: number
}

/** [bytes] the memory of one page. */
export const PAGE_BYTES = PAGE_IMAGES * (ID_BYTES + Uint32Array.BYTES_PER_ELEMENT + 2)

export function createPage(): Page {
  return {
    ids: new Uint8Array(PAGE_IMAGES * ID_BYTES),
    banks: new Uint32Array(PAGE_IMAGES),
    facts: new Uint8Array(PAGE_IMAGES),
    supports: new Uint8Array(PAGE_IMAGES),
  }
}

/** @throws {RangeError} unless the columns are equally long, not empty, and at most a page, and each image has facts and one of `bankCount` banks. */
export function requirePage({ ids, banks, facts }: Omit<Page, 'supports'>, bankCount: number): void {
  const count = facts.length
  if (count === 0 || count > PAGE_IMAGES || ids.length !== count * ID_BYTES || banks.length !== count)
    throw new RangeError('columns of a page must be equally long')
  for (let at = 0; at < count; at++) {
    const code = facts[at] ?? 0
    if (code !== 0 && ((banks[at] ?? 0) >= bankCount || !isFacts[code])) throw new RangeError('an image without facts')
  }
}

/** What a snapshot has of a page that was released. */
export const NO_IMAGES = createPage()

/** How many images each page has. */
export class PageCounts {
  // Invariant: the pages that are kept and have no image are in #empty.
  readonly #imagesIn: number[] = []
  readonly #empty = new Set<number>()
  #kept = 0

  get empty(): ReadonlySet<number> {
    return this.#empty
  }

  /** The number of pages in memory. */
  get kept(): number {
    return this.#kept
  }

  begin(page: number): void {
    this.#empty.add(page)
    this.#kept++
  }

  add(page: number, by: 1 | -1): void {
    const images = (this.#imagesIn[page] ?? 0) + by
    this.#imagesIn[page] = images
    if (images === 0) this.#empty.add(page)
    else this.#empty.delete(page)
  }

  /** @returns whether the page was kept and had no image. */
  release(page: number): boolean {
    if (!this.#empty.delete(page)) return false
    this.#kept--
    return true
  }
}

/** Images by bank and facts. Key: the bank's number × FACT_CODES + the code of the facts. */
export function countsIn({ banks, facts, supports }: Page): Map<number, number> {
  const counts = new Map<number, number>()
  for (const [at, registered] of facts.entries()) {
    if (registered === 0) continue
    const key = (banks[at] ?? 0) * FACT_CODES + withSupport(registered, supports[at] ?? 0)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}
