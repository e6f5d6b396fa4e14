// Positions of searchable details in their pictures, in memory: 40 bytes per picture instead of objects.

import type { IndexedDetails } from '../../../packages/core/src/matching/indexed-details.js'
import { MAX_DETAIL_ROWS } from '../../../packages/hash/src/details/rows.js'

const PAGE_BITS = 14
const PAGE_IMAGES = 1 << PAGE_BITS
/** Words of an image: half its width, half its height, its subject group in two words, its rows. */
const WORDS = 4 + MAX_DETAIL_ROWS

/** The words of a page of images. */
export interface PlacesPage {
  readonly page: number
  readonly words: Uint16Array
}

export class DetailPlaces {
  // Invariant: the words of an image are 0 when it has no details or was removed. Pages without details are absent.
  readonly #pages = new Map<number, Uint16Array>()
  // Invariant: the number of images with details of each page. A page without any is released.
  readonly #imagesIn = new Map<number, number>()

  put(ordinal: number, { width, height, subjectGroup, rows }: IndexedDetails): void {
    this.putHead(ordinal, width / 2, height / 2, subjectGroup)
    for (const [row, { place, pose }] of rows.entries()) this.putRow(ordinal, row, place, pose)
  }

  /** Sets size and subject group, for a caller that reads stored records. */
  putHead(ordinal: number, halfWidth: number, halfHeight: number, subjectGroup: number): void {
    const words = this.#pages.get(ordinal >>> PAGE_BITS) ?? this.#addPage(ordinal >>> PAGE_BITS)
    if ((words[startOf(ordinal)] ?? 0) === 0 && halfWidth > 0) this.#count(ordinal >>> PAGE_BITS, 1)
    words.set([halfWidth, halfHeight, subjectGroup >>> 16, subjectGroup & 0xffff], startOf(ordinal))
  }

  /** Sets one row. @param row 0…15. `putHead` must have been called for the image. */
  putRow(ordinal: number, row: number, place: number, pose: number): void {
    const words = this.#pages.get(ordinal >>> PAGE_BITS)
    if (words !== undefined && row < MAX_DETAIL_ROWS) words[startOf(ordinal) + 4 + row] = (place << 8) | pose
  }

  /** The size of the picture [px]; `undefined` when it has no details. */
  sizeOf(ordinal: number): { readonly width: number; readonly height: number } | undefined {
    const words = this.#pages.get(ordinal >>> PAGE_BITS)
    const start = startOf(ordinal)
    const width = 2 * (words?.[start] ?? 0)
    return width === 0 ? undefined : { width, height: 2 * (words?.[start + 1] ?? 0) }
  }

  subjectGroupOf(ordinal: number): number {
    const words = this.#pages.get(ordinal >>> PAGE_BITS)
    const start = startOf(ordinal)
    return ((words?.[start + 2] ?? 0) * 65_536 + (words?.[start + 3] ?? 0)) >>> 0
  }

  rowOf(ordinal: number, row: number): { readonly place: number; readonly pose: number } {
    const word = this.#pages.get(ordinal >>> PAGE_BITS)?.[startOf(ordinal) + 4 + row] ?? 0
    return { place: word >>> 8, pose: word & 0xff }
  }

  /** Whether these are the stored details. The number of rows is not compared; the index has it. */
  has(ordinal: number, details: IndexedDetails | undefined): boolean {
    const size = this.sizeOf(ordinal)
    if (details === undefined || size === undefined) return details === undefined && size === undefined
    const { width, height, subjectGroup, rows } = details
    return (
      size.width === width &&
      size.height === height &&
      this.subjectGroupOf(ordinal) === subjectGroup &&
      rows.every((row, i) => {
        const own = this.rowOf(ordinal, i)
        return own.place === row.place && own.pose === row.pose
      })
    )
  }

  remove(ordinal: number): void {
    if (this.sizeOf(ordinal) === undefined) return
    const start = startOf(ordinal)
    this.#pages.get(ordinal >>> PAGE_BITS)?.fill(0, start, start + WORDS)
    this.#count(ordinal >>> PAGE_BITS, -1)
  }

  #count(page: number, by: number): void {
    const images = (this.#imagesIn.get(page) ?? 0) + by
    this.#imagesIn.set(page, images)
    if (images > 0) return
    this.#imagesIn.delete(page)
    this.#pages.delete(page)
  }

  get bytes(): number {
    return this.#pages.size * PAGE_IMAGES * WORDS * Uint16Array.BYTES_PER_ELEMENT
  }

  /** The pages as of the call. They are live views, which change with the images. */
  pages(): PlacesPage[] {
    return Array.from(this.#pages, ([page, words]) => ({ page, words }))
  }

  /**
   * Restores a page, without the words of unknown images.
   * @throws {RangeError} when it has another length than a page, or is already present.
   */
  restore({ page, words }: PlacesPage, isKnown: (ordinal: number) => boolean): void {
    if (words.length !== PAGE_IMAGES * WORDS || this.#pages.has(page)) throw new RangeError('not a page of places')
    const own = this.#addPage(page)
    own.set(words)
    let images = 0
    for (let i = 0; i < PAGE_IMAGES; i++) {
      if (!isKnown(page * PAGE_IMAGES + i)) own.fill(0, i * WORDS, (i + 1) * WORDS)
      else if (own[i * WORDS] !== 0) images++
    }
    this.#count(page, images)
  }

  #addPage(page: number): Uint16Array {
    const words = new Uint16Array(PAGE_IMAGES * WORDS)
    this.#pages.set(page, words)
    return words
  }
}

function startOf(ordinal: number): number {
  return (ordinal % PAGE_IMAGES) * WORDS
}
