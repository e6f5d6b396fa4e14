// Counts the rows of each image and remembers which images were removed. Memory: four bytes per image while the image numbers are dense.

const PAGE_BITS = 10
/** Images that are retired together. */
export const BLOCK_BITS = 16
const PAGE_IMAGES = 1 << PAGE_BITS

/** Marks a removed image in place of its count. No image can have this many rows: they would not fit into 4 GiB. */
const REMOVED = 0xffffffff

interface Page {
  readonly rowsOf: Uint32Array
  removedImages: number
}

export class ImageLedger {
  // Invariant: an image on no page, or with count 0, was neither registered nor removed. REMOVED never changes back.
  readonly #pages = new Map<number, Page>()
  // Blocks of images that are all removed, or never get rows. They have no page.
  readonly #retired = new Set<number>()
  /** Pages in memory. Not those of removed images only, which share one. */
  #ownPages = 0
  #liveRows = 0

  get liveRows(): number {
    return this.#liveRows
  }

  get bytes(): number {
    return this.#ownPages * PAGE_IMAGES * Uint32Array.BYTES_PER_ELEMENT
  }

  isLive(image: number): boolean {
    return this.rowsOf(image) !== 0
  }

  /** @returns the number of rows; 0 if the image has none or was removed. */
  rowsOf(image: number): number {
    const count = this.#countOf(image)
    return count === REMOVED ? 0 : count
  }

  isRemoved(image: number): boolean {
    return this.#countOf(image) === REMOVED
  }

  /** Counts one more row. The image must not have been removed. */
  addRow(image: number): void {
    const { rowsOf } = this.#pageOf(image)
    const at = image % PAGE_IMAGES
    rowsOf[at] = (rowsOf[at] ?? 0) + 1
    this.#liveRows++
  }

  /**
   * Removes an image for good.
   * @returns how many rows were removed; 0 if it had none or was removed before.
   */
  remove(image: number): number {
    return this.isLive(image) ? this.removeUnseen(image) : 0
  }

  /** As `remove`, but also marks an image without rows, so that its number is never used. */
  removeUnseen(image: number): number {
    if (this.isRemoved(image)) return 0
    const page = this.#pageOf(image)
    const rows = this.#countOf(image)
    this.#liveRows -= rows
    page.rowsOf[image % PAGE_IMAGES] = REMOVED
    page.removedImages++
    if (page.removedImages === PAGE_IMAGES) {
      this.#pages.set(image >>> PAGE_BITS, allRemoved)
      this.#ownPages--
    }
    return rows
  }

  /**
   * Marks a block of 2^`BLOCK_BITS` images as removed, those without rows too, and frees its memory. Changes nothing while one of them is live.
   * @param first image of the block.
   */
  retire(first: number): void {
    const pages = Array.from({ length: 1 << (BLOCK_BITS - PAGE_BITS) }, (_, i) => (first >>> PAGE_BITS) + i)
    if (pages.some((page) => this.#pages.get(page)?.rowsOf.some((rows) => rows !== 0 && rows !== REMOVED))) return
    for (const page of pages) {
      if (this.#pages.get(page) !== allRemoved && this.#pages.delete(page)) this.#ownPages--
      else this.#pages.delete(page)
    }
    this.#retired.add(first >>> BLOCK_BITS)
  }

  #countOf(image: number): number {
    const page = this.#pages.get(image >>> PAGE_BITS)
    if (page !== undefined) return page.rowsOf[image % PAGE_IMAGES] ?? 0
    return this.#retired.has(image >>> BLOCK_BITS) ? REMOVED : 0
  }

  #pageOf(image: number): Page {
    const key = image >>> PAGE_BITS
    const known = this.#pages.get(key)
    if (known !== undefined) return known
    const page = { rowsOf: new Uint32Array(PAGE_IMAGES), removedImages: 0 }
    this.#pages.set(key, page)
    this.#ownPages++
    return page
  }
}

/** Shared by all pages whose images are all removed, so that memory does not grow over years of removals. */
const allRemoved: Page = { rowsOf: new Uint32Array(PAGE_IMAGES).fill(REMOVED), removedImages: PAGE_IMAGES }
