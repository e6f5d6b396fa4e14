// The frames of videos, in memory: 6 bytes each. A video has an ordinal, and its frames have the ordinals behind it, in order.

const PAGE_BITS = 14
const PAGE_FRAMES = 1 << PAGE_BITS

/** What the frames of a page of ordinals are. */
export interface FramesPage {
  readonly page: number
  /** By ordinal: which frame of its video it is, counted from 1; 0 for an ordinal that is not a frame. */
  readonly numbers: Uint16Array
  /** [ms] by ordinal: when the frame is shown. */
  readonly atMs: Uint32Array
}

/** One frame of a video. */
export interface Frame {
  /** The ordinal of its video. */
  readonly video: number
  /** When it is shown. */
  readonly atMs: number
}

interface Page extends Omit<FramesPage, 'page'> {
  /** The number of frames. A page without any is released. */
  frames: number
}

export class FrameTable {
  // Invariant: the frames of a video with the ordinal `v` are numbered 1, 2 … at `v + 1`, `v + 2` … without a gap. An ordinal without a frame, or
  // with a removed one, has 0 in both columns.
  readonly #pages = new Map<number, Page>()
  #size = 0

  /** The number of frames. */
  get size(): number {
    return this.#size
  }

  get bytes(): number {
    return this.#pages.size * PAGE_FRAMES * (Uint16Array.BYTES_PER_ELEMENT + Uint32Array.BYTES_PER_ELEMENT)
  }

  /** Adds the frames of a video. The ordinals behind it must not be used for anything else. */
  put(video: number, framesAtMs: ArrayLike<number>): void {
    for (let number = 1; number <= framesAtMs.length; number++) {
      const ordinal = video + number
      const page = this.#pages.get(ordinal >>> PAGE_BITS) ?? this.#addPage(ordinal >>> PAGE_BITS)
      page.numbers[ordinal % PAGE_FRAMES] = number
      page.atMs[ordinal % PAGE_FRAMES] = framesAtMs[number - 1] ?? 0
      page.frames++
    }
    this.#size += framesAtMs.length
  }

  /** The ordinal of the image that a row belongs to: of the video for one of its frames, the ordinal itself for any other. */
  imageOf(ordinal: number): number {
    return ordinal - (this.#pages.get(ordinal >>> PAGE_BITS)?.numbers[ordinal % PAGE_FRAMES] ?? 0)
  }

  /** `undefined` when the ordinal is not a frame. */
  frameOf(ordinal: number): Frame | undefined {
    const video = this.imageOf(ordinal)
    if (video === ordinal) return undefined
    return { video, atMs: this.#pages.get(ordinal >>> PAGE_BITS)?.atMs[ordinal % PAGE_FRAMES] ?? 0 }
  }

  /** The number of frames of an image: 0 for a picture. Cost: a look-up for each frame. */
  countOf(image: number): number {
    let count = 0
    while (this.imageOf(image + count + 1) === image) count++
    return count
  }

  /** Whether any of these ordinals is a frame, or shares a page with one. */
  mayHaveAny(first: number, last: number): boolean {
    for (let page = first >>> PAGE_BITS; page <= last >>> PAGE_BITS; page++) if (this.#pages.has(page)) return true
    return false
  }

  /** Whether these are the times of the frames of an image. */
  has(image: number, framesAtMs: readonly number[]): boolean {
    return (
      this.countOf(image) === framesAtMs.length &&
      framesAtMs.every((atMs, frame) => this.frameOf(image + frame + 1)?.atMs === atMs)
    )
  }

  remove(image: number): void {
    const count = this.countOf(image)
    for (let ordinal = image + 1; ordinal <= image + count; ordinal++) {
      const page = this.#pages.get(ordinal >>> PAGE_BITS)
      if (page === undefined) continue
      page.numbers[ordinal % PAGE_FRAMES] = 0
      page.atMs[ordinal % PAGE_FRAMES] = 0
      if (--page.frames === 0) this.#pages.delete(ordinal >>> PAGE_BITS)
    }
    this.#size -= count
  }

  /** The pages as of the call. They are live views, which change with the images. */
  pages(): FramesPage[] {
    return Array.from(this.#pages, ([page, { numbers, atMs }]) => ({ page, numbers, atMs }))
  }

  /**
   * Restores a page, without frames of unknown videos.
   * @throws {RangeError} when it has another length than a page, or is already present.
   */
  restore({ page, numbers, atMs }: FramesPage, isKnown: (image: number) => boolean): void {
    if (numbers.length !== PAGE_FRAMES || atMs.length !== PAGE_FRAMES || this.#pages.has(page))
      throw new RangeError('not a page of frames')
    const own = this.#addPage(page)
    for (let at = 0; at < PAGE_FRAMES; at++) {
      const number = numbers[at] ?? 0
      if (number === 0 || !isKnown(page * PAGE_FRAMES + at - number)) continue
      own.numbers[at] = number
      own.atMs[at] = atMs[at] ?? 0
      own.frames++
      this.#size++
    }
    if (own.frames === 0) this.#pages.delete(page)
  }

  #addPage(page: number): Page {
    const columns = { numbers: new Uint16Array(PAGE_FRAMES), atMs: new Uint32Array(PAGE_FRAMES), frames: 0 }
    this.#pages.set(page, columns)
    return columns
  }
}
