// How many rows each image has, and which images must match no more. Four bytes per ordinal while ordinals are dense.

const PAGE_BITS = 10
const PAGE_IMAGES = 1 << PAGE_BITS

/** In a page, where a count would be. No image can have so many rows: they would not fit into 4 GiB. */
const REMOVED = 0xffffffff

interface Page {
  readonly rowsOf: Uint32Array
  removedImages: number
}

export class ImageLedger {
  // Invariant: an image that is on no page, or has count 0 there, was never registered or barred. REMOVED never changes back.
  readonly #pages = new Map<number, Page>()
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

  /** 0 when it has none, or was removed. */
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

  /** Removes an image for good. @returns how many rows died; 0 when it had none, or was removed before. */
  remove(image: number): number {
    return this.isLive(image) ? this.bar(image) : 0
  }

  /** The same, also for an image without rows: its number must not be used from here on. */
  bar(image: number): number {
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

  #countOf(image: number): number {
    return this.#pages.get(image >>> PAGE_BITS)?.rowsOf[image % PAGE_IMAGES] ?? 0
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

/** Stands for every page whose images are all gone, so that years of removals do not add up. */
const allRemoved: Page = { rowsOf: new Uint32Array(PAGE_IMAGES).fill(REMOVED), removedImages: PAGE_IMAGES }
