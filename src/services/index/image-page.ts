// The table of images in memory (`image-table.ts`) is stored in pages of 65,536 images. A page has an array for each column, because an object for
// each image would take several times the memory. The image with an ordinal is in page `ordinal >>> PAGE_BITS`, at index `ordinal % PAGE_IMAGES`.

import { isFacts } from './image-facts.js'

export const ID_BYTES = 16
export const PAGE_BITS = 16
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
